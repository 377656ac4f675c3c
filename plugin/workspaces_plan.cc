#include "plugin/workspaces_plan.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::plugin {
namespace {

using workflow::SwapWorld;

bool is_known_to_coder(const SwapWorld& world) {
  return world.coder && world.coder->found;
}

// It runs, or may, and this move is going to stop it.
bool is_going_to_stop(const SwapWorld& world) {
  const bool before = !workflow::is_open(world) || workflow::on_source(world);
  return before && is_known_to_coder(world) && !world.coder->stopped;
}

bool is_going_to_start(const SwapWorld& world) {
  if (!is_known_to_coder(world)) return false;
  return is_going_to_stop(world) || (workflow::is_open(world) && world.facts.ran && world.coder->stopped);
}

}  // namespace

std::string downtime_of(const HomeMove& move, const SwapWorld& world) {
  const workflow::WorkspaceCopyOptions& options = move.copy->options();
  const bool adopts = workflow::is_adopting(world, options);
  if (!is_going_to_stop(world)) {
    return options.rollback || adopts
               ? "the workspace is stopped already; its name is absent for some seconds"
               : "the workspace is stopped already; it must stay so while its home is copied and compared, "
                 "and its name is absent for some seconds";
  }
  if (options.rollback || adopts) {
    return "the workspace is stopped through Coder; its name is absent for some seconds, then it is started "
           "again";
  }
  return fmt::format(
      "the workspace runs while its home is copied, until a pass takes at most {} or there were {}; then it "
      "is "
      "stopped through Coder for one more pass and the comparison of every file, its name is absent for some "
      "seconds, and it is started again",
      format_elapsed(options.max_downtime), options.warm_passes);
}

void describe_workspace(HomeMove& move, const SwapWorld& world) {
  engine::Plan& plan = move.plan;
  if (!is_known_to_coder(world)) {
    plan.notes.push_back(fmt::format(
        "whether a build of the workspace is queued or under way only Coder can tell, and it is not asked "
        "({}): "
        "what such a build has planned before the swap it may do to the new claim after it (row H7); both "
        "volumes stay all the same",
        move.home.no_coder.empty() ? "it does not know the workspace" : move.home.no_coder));
    plan.not_done.push_back(
        fmt::format("no workspace is stopped or started: {}",
                    move.home.no_coder.empty() ? "Coder does not know it" : move.home.no_coder));
    return;
  }
  const workflow::CoderState& coder = *world.coder;
  if (!coder.autostart.empty()) {
    plan.notes.push_back(fmt::format("the workspace's autostart ({}) is off until its home is moved",
                                     printable(coder.autostart)));
  }
  if (coder.building) plan.notes.push_back("a build of the workspace is under way; its end is waited for");
  if (is_going_to_start(world)) {
    plan.notes.emplace_back(
        "the workspace is started again at the end, with the version of its template that it ran");
  } else if (coder.stopped) {
    plan.not_done.emplace_back("the workspace is not started: it is stopped now");
  }
}

}  // namespace truenas::plugin
