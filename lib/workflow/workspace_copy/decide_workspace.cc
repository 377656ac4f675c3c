// The workspace itself: stopped through Coder before its home is taken, and as it was before at the end.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"
#include "lib/workflow/workspace_copy/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;

Blocked left_alone(const SwapWorld& world, const Options& options) {
  return stopped(fmt::format("claim {} is in use by {}, and it is left alone", options.full_name(),
                             join(use_texts(world), ", ")),
                 {"stop the workspace: coder stop OWNER/WORKSPACE", "then run the same command again"});
}

// What must be written down before it is changed: that it runs, of which version, and its schedule.
bool is_noted(const SwapWorld& world) {
  const CoderState& coder = *world.coder;
  const SwapFacts& facts = world.facts;
  const bool runs = coder.stopped || (facts.ran && facts.version_id == coder.version_id);
  return runs && (coder.autostart.empty() || coder.autostart == facts.autostart);
}

// What this tool has taken from the workspace and only Coder can give back.
std::string owed(const SwapWorld& world) {
  const bool start = world.facts.ran && (world.coder || world.uses.empty());
  const std::string autostart =
      world.facts.autostart.empty()
          ? ""
          : fmt::format("its autostart schedule is to be {} again", quote(world.facts.autostart));
  if (!start) return autostart;
  return autostart.empty() ? "it is to be started" : "it is to be started, and " + autostart;
}

Blocked owes(const SwapWorld& world, const Options& options, const std::string& why) {
  return stopped(fmt::format("the workspace of claim {} was stopped for its move, and {}: {}",
                             options.full_name(), owed(world), why),
                 {"the same command with --coder-url and a token in CODER_SESSION_TOKEN does that",
                  fmt::format("or do it by hand, and then: --accept={}", k_left_stopped)});
}

Blocked does_not_start(const SwapWorld& world, const Options& options) {
  return stopped(
      fmt::format("claim {} is on volume {}, complete, but its workspace does not start: {}",
                  options.full_name(), world.claim.volume,
                  world.coder->trouble.empty() ? "its last build was no start" : world.coder->trouble),
      {"look at the build in Coder, and run the same command again when the workspace runs",
       fmt::format("or leave it as it is: --accept={}", k_left_stopped)});
}

}  // namespace

std::optional<Next> decide_unforeseen(const SwapWorld& world, const Options& options) {
  // What this run has stopped already is stopped again.
  if (!options.foreseen || world.facts.ran || !world.coder || !world.coder->found) return std::nullopt;
  const CoderState& coder = *world.coder;
  if (!coder.unknown.empty() || coder.building || coder.stopped) return std::nullopt;
  const bool other_version = coder.version_id != options.foreseen->version_id;
  if (options.foreseen->may_stop && !other_version) return std::nullopt;
  return stopped(
      fmt::format("the workspace of claim {} {}, and it is not stopped without its user's consent",
                  options.full_name(),
                  options.foreseen->may_stop
                      ? "runs another template version than when the plan was shown: " + coder.version_name
                      : "was stopped when the plan was shown, and runs now"),
      {"run the same command again: its plan is shown anew"});
}

std::optional<Next> decide_stopping(const SwapWorld& world, const Options& options) {
  if (!world.coder || !world.coder->found) {
    if (world.uses.empty()) return std::nullopt;
    return left_alone(world, options);
  }
  const CoderState& coder = *world.coder;
  if (!coder.unknown.empty()) return wait_for_coder(world, options);
  if (coder.building) return wait_for_build(world, options);
  if (has_failed(coder)) return failed_build(world, options, Kind::stopped);
  if (auto next = decide_unforeseen(world, options)) return *next;
  if (!is_noted(world)) return note_workspace(world, options);
  if (!coder.autostart.empty()) return pause_autostart(world, options);
  if (!coder.stopped) return stop_workspace(world, options);
  if (!world.uses.empty()) return wait_for_users_gone(world, options);
  return std::nullopt;
}

// Row H7 of facts/coder.md §6: what was planned before the swap may be applied after it, and deletes by name.
std::optional<Next> decide_drained(const SwapWorld& world, const Options& options) {
  if (!may_be_building(world)) return std::nullopt;
  if (!world.coder->unknown.empty()) return wait_for_coder(world, options);
  return wait_for_build(world, options);
}

std::optional<Next> decide_resuming(const SwapWorld& world, const Options& options) {
  if (owed(world).empty() || options.accepted.contains(k_left_stopped)) return std::nullopt;
  if (!world.coder) return owes(world, options, "there is no Coder to ask");
  const CoderState& coder = *world.coder;
  if (!coder.found) return owes(world, options, "Coder does not know it, or does not show it to this user");
  if (auto next = decide_drained(world, options)) return next;
  if (world.facts.ran && coder.stopped) return start_workspace(world, options);
  // Before its agent is there: a workspace that never gets so far has its schedule back.
  if (autostart_is_paused(world)) return restore_autostart(world, options);
  // Whoever turns round has another way out of it than waiting.
  if (!world.facts.ran || is_given_up(world, options)) return std::nullopt;
  if (!coder.started) return does_not_start(world, options);
  if (!coder.agents_connected) return wait_for_agent(world, options);
  return std::nullopt;
}

Blocked failed_build(const SwapWorld& world, const Options& options, Kind kind) {
  return Blocked{kind,
                 fmt::format("the last build of the workspace of claim {} did not work: {}",
                             options.full_name(), world.coder->trouble),
                 {"put the workspace right in Coder, then run the same command again"}};
}

}  // namespace truenas::workflow
