// Steps that make the target what the source is, and those that go through Coder.

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/step_makers.h"

namespace truenas::workflow {
namespace {

using engine::Step;

Step through_coder(const SwapWorld& world, std::string id, std::string verb, const Options& options) {
  Step step = on_home(std::move(id), std::move(verb), options);
  step.object = "workspace of claim " + options.full_name();
  if (world.coder) {
    step.arguments["workspace"] = world.coder->workspace_id;
    step.arguments["build"] = world.coder->build_id;
    step.arguments["version"] = world.coder->version_id;
  }
  step.can_be_tried = false;
  step.settle_polls = 2;
  return step;
}

}  // namespace

Step create_temporary(const SwapWorld& world, const Options& options) {
  const std::string name = temporary_name(world);
  Step step = on_claim("create temporary claim " + name, "create-temporary", options, name);
  step.title = fmt::format("create the temporary claim {} on {}", name, options.to_class);
  step.reason = "its volume becomes the new one";
  step.undo = "it is deleted before the swap; its volume stays";
  step.leaves_no_trace = true;
  return step;
}

Step attach_target(const SwapWorld& world, const Options& options) {
  const std::string name = temporary_name(world);
  Step step =
      on_claim(fmt::format("attach {} to {}", world.target.name, name), "attach-target", options, name);
  step.arguments = {{"volume", world.target.name}};
  step.title = fmt::format("create the temporary claim {} for volume {} again", name, world.target.name);
  step.reason = "the home was in use since it was compared: it is copied and compared once more";
  return step;
}

Step copy_warm(const SwapWorld& world, const Options& options) {
  const int pass = world.memory.warm_passes + 1;
  Step step = by_mover(fmt::format("warm copy {}", pass), "copy-warm", options);
  step.arguments = {{"pass", std::to_string(pass)}};
  step.title = fmt::format("copy while the workspace runs, pass {}", pass);
  step.reason =
      fmt::format("until one pass takes at most {}: so long the last one will keep the user waiting",
                  format_elapsed(options.max_downtime));
  return step;
}

Step copy_final(const SwapWorld& world, const Options& options) {
  const int number = world.memory.copies + 1;
  Step step = by_mover(fmt::format("final copy {}", number), "copy-final", options);
  step.title = number == 1 ? "copy everything to the new volume" : "copy what has changed since";
  step.reason = "nobody uses the home now; what changes meanwhile is an error";
  return step;
}

Step compare_home(const SwapWorld& world, const Options& options) {
  Step step = by_mover(fmt::format("compare {}", world.memory.compares + 1), "compare", options);
  step.arguments = {{"number", std::to_string(world.facts.compares + 1)}};
  step.title = "compare both volumes, every file by content, owner, mode and times, in a fresh Pod";
  step.reason = "without this proof the claim is not deleted";
  return step;
}

Step remove_mover(const Options& options, const LeftMover& mover) {
  Step step = on_home("remove mover " + mover.uid, "remove-mover", options);
  step.object = "pod " + options.ns + "/" + mover.name;
  step.arguments = {{"name", mover.name}, {"uid", mover.uid}};
  step.title = fmt::format("remove pod {}, a mover of a run that was killed", mover.name);
  step.reason = "two movers must not write one volume";
  return step;
}

Step stop_workspace(const SwapWorld& world, const Options& options) {
  Step step = through_coder(world, "stop workspace", "stop-workspace", options);
  step.title = "stop the workspace through Coder";
  step.reason = "its downtime begins here";
  step.undo = "it is started again at the end";
  return step;
}

Step pause_autostart(const SwapWorld& world, const Options& options) {
  Step step = through_coder(world, "pause autostart", "set-autostart", options);
  step.title = "take the workspace's autostart schedule off";
  step.reason = "Coder must not start it while its home is moved";
  step.undo = "it is set again at the end";
  return step;
}

Step restore_autostart(const SwapWorld& world, const Options& options) {
  Step step = through_coder(world, "restore autostart", "set-autostart", options);
  step.arguments["schedule"] = world.facts.autostart;
  step.title = "set the workspace's autostart schedule again";
  step.reason = "as it was before";
  return step;
}

Step start_workspace(const SwapWorld& world, const Options& options) {
  Step step = through_coder(world, "start workspace", "start-workspace", options);
  step.arguments["version"] = world.facts.version_id;
  step.title = "start the workspace through Coder";
  step.reason = "it ran before; the same version of its template";
  return step;
}

}  // namespace truenas::workflow
