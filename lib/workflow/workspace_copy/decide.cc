#include "lib/workflow/workspace_copy/decide.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"
#include "lib/workflow/workspace_copy/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Done;
using engine::Next;

std::string kept_volumes_hint() {
  return "kubectl get persistentvolumes -l app.kubernetes.io/managed-by=kubectl-truenas-migrate";
}

// The source must be there until the target has been served.
std::optional<Next> decide_losses(const SwapWorld& world, const Options& options) {
  const RememberedVolume& remembered =
      was_served(world, options) || on_target(world) ? world.facts.target : world.facts.source;
  const bool of_target = &remembered == &world.facts.target;
  const VolumeState& volume = of_target ? world.target : world.source;
  // The same bytes are on the other one, and the name goes there.
  const bool on_its_way = !world.claim.exists && world.facts.cutover && !is_given_up(world, options);
  if (!of_target && on_its_way && world.facts.same_dataset && is_ready(world)) return std::nullopt;
  if (!volume.exists) {
    return stopped(
        fmt::format("persistentvolume {} (uid {}), on which the home of claim {} is, was deleted or "
                    "made anew by somebody else",
                    remembered.name, remembered.uid, options.full_name()),
        {"its dataset is still on the NAS if the volume was Retain: " +
             (volume.dataset.empty() ? remembered.name : volume.dataset),
         kept_volumes_hint()});
  }
  if (volume.terminating) {
    return stopped(
        fmt::format("persistentvolume {}, on which the home of claim {} is, is being deleted by somebody "
                    "else; while the claim lives nothing happens to it, so nothing more is done",
                    volume.name, options.full_name()),
        {fmt::format("kubectl get persistentvolume {} -o yaml --show-managed-fields", volume.name)});
  }
  return std::nullopt;
}

std::optional<Next> decide_terminating(const SwapWorld& world, const Options& options) {
  if (!world.claim.terminating) return std::nullopt;
  const bool ours = world.facts.cutover && world.claim.volume == world.source.name;
  if (!ours) {
    return stopped(
        fmt::format("claim {} is being deleted, and not by this tool; its bytes are kept on volume {}",
                    options.full_name(), world.claim.volume),
        {kept_volumes_hint(), fmt::format("kubectl get persistentvolumeclaim -n {} {} -o yaml "
                                          "--show-managed-fields",
                                          options.ns, options.claim)});
  }
  for (const LeftMover& mover : world.movers) {
    if (!mover.terminating) return remove_mover(options, mover);
  }
  // Once it is gone its name may be taken by anybody's claim: that one must not get what is stale by now.
  if (!is_ready(world) && world.target.exists && !world.temporary.exists &&
      is_reserved_for(world.target, options.ns, options.claim)) {
    return reserve_volume(options, world.target, temporary_name(world));
  }
  return wait_for_claim_gone(world, options, world.claim);
}

std::optional<Next> decide_left_movers(const SwapWorld& world, const Options& options) {
  for (const LeftMover& mover : world.movers) {
    if (!mover.terminating) return remove_mover(options, mover);
  }
  if (!world.movers.empty()) return wait_for_movers_gone(world, options);
  return std::nullopt;
}

// The claim is on the source, and stays there.
Next decide_giving_up(const SwapWorld& world, const Options& options) {
  if (auto next = remove_temporary(world, options)) return *next;
  if (world.probe_left) return remove_probe(options);
  // Whoever creates a claim of the name later must not get it.
  if (world.target.exists && !world.target.terminating &&
      is_reserved_for(world.target, options.ns, options.claim)) {
    return reserve_volume(options, world.target, temporary_name(world));
  }
  if (const ClaimRole* role = role_to_thaw(world, options, true)) {
    if (auto next = decide_drained(world, options)) return *next;
    return thaw_builds(options, *role, true);
  }
  if (auto next = decide_resuming(world, options)) return *next;
  return note_swap_end(world, options);
}

Blocked other_strategy(const SwapWorld& world, const Options& options) {
  const bool adopts = world.facts.carry == Carry::adopt;
  return stopped(fmt::format("the move of claim {} was begun with --strategy={}", options.full_name(),
                             adopts ? "adopt" : "copy"),
                 {fmt::format("go on with --strategy={}", adopts ? "adopt" : "copy"),
                  "or give it up: the same command with --rollback"});
}

Next decide_on_source(const SwapWorld& world, const Options& options) {
  if (auto next = decide_left_movers(world, options)) return *next;
  if (is_given_up(world, options)) return decide_giving_up(world, options);
  if (!world.facts.rollback && world.facts.carry != options.carry) return other_strategy(world, options);
  if (!world.cannot_swap.empty()) {
    return stopped(fmt::format("claim {} cannot be created again as it is: {}", options.full_name(),
                               join(world.cannot_swap, "; ")));
  }
  if (world.claim.changed) return note_claim(world, options);
  if (world.facts.carry == Carry::copy && !is_ready(world)) return decide_copying(world, options);
  if (world.facts.carry == Carry::adopt) {
    if (auto next = decide_adopting(world, options)) return *next;
  }
  if (!is_ready(world)) {
    return stopped(
        fmt::format("persistentvolume {}, to which the home of claim {} was to go, is gone or being "
                    "deleted; the home is complete on volume {}",
                    world.facts.target.name, options.full_name(), world.source.name),
        {"the same command in the other direction gives this move up"});
  }
  if (!world.memory.replacement_tried) return try_replacement(world, options);
  if (auto next = decide_stopping(world, options)) return *next;
  return decide_exchange(world, options);
}

Next decide_open(const SwapWorld& world, const Options& options) {
  if (auto next = keep_home_volumes(world, options)) return *next;
  if (auto next = decide_losses(world, options)) return *next;
  if (auto next = decide_terminating(world, options)) return *next;
  if (!world.claim.exists) return decide_absence(world, options);
  if (on_target(world)) return decide_swap_ending(world, options);
  if (on_source(world)) return decide_on_source(world, options);
  const std::string& volume = world.claim.volume;
  if (world.claim.phase == "Pending" && !volume.empty() &&
      (volume == world.source.name || (world.target_noted && volume == world.target.name))) {
    return wait_for_bound(world, options, world.claim);
  }
  return decide_stranger(world, options);
}

// Whoever may build again: the name is there, or never was ours to take away.
// --accept=thaw: Coder gets its rights back, whatever the home's state; nothing else is looked at or done.
Next decide_thaw(const SwapWorld& world, const Options& options) {
  for (const ClaimRole& role : world.freeze.roles) {
    const bool nobodys = role.frozen && (role.damaged || role.owners.empty());
    if (nobodys || !entries_to_drop(role, options, true).empty()) return thaw_builds(options, role, true);
  }
  if (!world.freeze.unknown.empty()) return stopped(world.freeze.unknown);
  return Done{fmt::format("no right of Coder is taken for the sake of claim {}", options.full_name())};
}

}  // namespace

std::optional<Next> keep_home_volumes(const SwapWorld& world, const Options& options) {
  // Where both are one dataset, one that is leaving still takes it along.
  const bool one = world.facts.same_dataset;
  if (world.source.exists && !is_kept(world.source) && (one || !world.source.terminating)) {
    return keep_home_volume(world, options, world.source, world.facts.source.policy);
  }
  const bool counts = world.target_noted || (one && world.target_unfit.empty());
  if (counts && world.target.exists && !is_kept(world.target) && (one || !world.target.terminating)) {
    return keep_home_volume(world, options, world.target, world.facts.target.policy);
  }
  return std::nullopt;
}

Next decide_swap(const SwapWorld& world, const Options& options) {
  if (options.accepted.contains(k_thaw)) return decide_thaw(world, options);
  Next next = is_open(world) ? decide_open(world, options) : decide_swap_beginning(world, options);
  const bool ends = std::holds_alternative<Done>(next) || std::holds_alternative<Blocked>(next);
  if (!ends) return next;
  // No run ends with Coder's rights taken unless the name is absent: then nobody may build yet.
  const bool own = may_thaw(world, options);
  if (const ClaimRole* role = role_to_thaw(world, options, own)) return thaw_builds(options, *role, own);
  const bool asks = is_open(world) && !is_name_absent(world, options);
  const auto drained = asks ? decide_drained(world, options) : std::nullopt;
  if (!own && drained && role_to_thaw(world, options, true) != nullptr) return *drained;
  Blocked* const blocked = std::get_if<Blocked>(&next);
  if (blocked != nullptr && is_open(world) && is_held(world)) {
    blocked->hints.push_back(
        "until its move goes on (the same command) or is given up (in the other direction), the workspace "
        "stays as it was left: " +
        held_text(world));
  }
  return next;
}

}  // namespace truenas::workflow
