// Coder's rights at the end of a run that was stopped by something else than its own decision.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

// Another run changes the same Role now and then.
constexpr int k_attempts = 5;

std::string warning(const SwapWorld& world, const WorkspaceCopyOptions& options, const ClaimRole& role) {
  std::vector<std::string> claims;
  for (const FreezeOwner& owner : role.owners) claims.push_back(owner.claim);
  std::string text =
      fmt::format("role {}/{} has lost its rights to create and delete claims for {}; ", role.ns, role.name,
                  claims.empty() ? "a claim that it does not name" : join(claims, ", "));
  const bool ours = is_frozen_for(role, options.full_name());
  if (!ours && !claims.empty()) {
    text += "each of these homes' runs takes its own off, the last one gives them back; ";
  } else if (ours && !may_thaw(world, options) && may_be_building(world) && !is_name_absent(world, options)) {
    text += fmt::format(
        "a build of its workspace {}, and what it has planned before the swap it would do to the claim of "
        "after; "
        "the same command, run again, gives them back when none is; ",
        world.coder && world.coder->unknown.empty() ? "is under way" : "may be under way");
  } else if (ours && !may_thaw(world, options)) {
    text += fmt::format(
        "the name of claim {} is absent, and nobody may build until the same command, run again, "
        "has created it; ",
        options.full_name());
  } else if (!role.damaged) {
    text += "the same command, run again, gives them back; ";
  }
  return text + fmt::format("without a look at the homes: --accept={}, or {}", k_thaw, thaw_command(role));
}

// Whether this process may have taken a right.
bool may_have_frozen(const WorkspaceCopy::State& state) {
  if (!state.world || !state.world->facts.roles.empty()) return true;
  for (const ClaimRole& role : state.world->freeze.roles) {
    if (is_frozen_for(role, state.options.full_name())) return true;
  }
  return false;
}

// As far as anybody can tell: without an answer of Coder's, what the journal says.
std::string left_as(const SwapWorld& world) {
  if (world.coder && !world.coder->found) return "";
  if (world.coder && world.coder->unknown.empty()) {
    const std::string text = held_text(world);
    if (!world.facts.ran || !world.coder->building) return text;
    return "a build of it is under way" + (text.empty() ? "" : "; " + text);
  }
  std::string text = world.facts.ran && (world.coder || world.uses.empty()) ? "stopped" : "";
  if (!world.facts.autostart.empty()) text += text.empty() ? "autostart off" : "; autostart off";
  return text.empty() ? "" : text + " (by the journal)";
}

}  // namespace

std::string held_warning(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  const std::string left = is_open(world) ? left_as(world) : "";
  if (left.empty()) return "";
  return fmt::format(
      "the workspace of claim {} is left as it is for its move: {}; the same command, run again, goes on "
      "with "
      "it and puts the workspace back as it was{}",
      options.full_name(), left,
      world.facts.autostart.empty() ? ""
                                    : fmt::format(" (its schedule was {})", quote(world.facts.autostart)));
}

std::vector<std::string> WorkspaceCopy::held_warnings() {
  if (!state_->world || !is_open(*state_->world) || state_->world->facts.workspaces == 0) return {};
  SwapWorld world = *state_->world;
  if (const auto now = observe(); now.ok()) {
    world = *now;
  } else if (world.coder) {
    world.coder->unknown = now.error().what;  // since then it may have been stopped
  }
  const std::string warning = held_warning(world, state_->options);
  return warning.empty() ? std::vector<std::string>() : std::vector<std::string>{warning};
}

std::vector<std::string> freeze_warnings(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  std::vector<std::string> lines;
  for (const ClaimRole& role : world.freeze.roles) {
    if (role.frozen) lines.push_back(warning(world, options, role));
  }
  return lines;
}

std::vector<std::string> WorkspaceCopy::settle_freeze(kube::Writer& writer) {
  const State& state = *state_;
  if (!may_have_frozen(state)) return {};
  Error trouble;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const auto world = observe();
    if (!world.ok()) {
      return {fmt::format(
          "whether Coder has all its rights to claims in namespace {} cannot be seen: {}; "
          "look with --status, or: kubectl get roles -n {} -l {}={}",
          state.options.ns, world.error().what, state.options.ns, k_frozen_label, k_frozen_label_value)};
    }
    const bool own = may_thaw(*world, state.options);
    const ClaimRole* role = role_to_thaw(*world, state.options, own);
    if (role == nullptr) {
      std::vector<std::string> lines;
      for (const ClaimRole& frozen : world->freeze.roles) {
        if (is_frozen_for(frozen, state.options.full_name()))
          lines.push_back(warning(*world, state.options, frozen));
      }
      return lines;
    }
    const Result<void> thawed = act(thaw_builds(state.options, *role, own), writer);
    if (!thawed.ok()) trouble = thawed.error();
  }
  return {fmt::format("Coder's rights to claims in namespace {} cannot be given back: {}", state.options.ns,
                      trouble.what),
          "look with --status"};
}

}  // namespace truenas::workflow
