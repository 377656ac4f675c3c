#include "lib/workflow/home_finalize/steps.h"

#include <fmt/format.h>

#include "lib/workflow/home_finalize/decide.h"

namespace truenas::workflow {

using engine::Step;
using engine::Wait;
using Options = FinalizeOptions;

namespace {

Step on_volume(const std::string& verb, const VolumeState& volume) {
  Step step;
  step.id = verb + " " + volume.uid;
  step.verb = verb;
  step.object = "persistentvolume " + volume.name;
  step.arguments = {{"volume", volume.name}, {"uid", volume.uid}};
  return step;
}

}  // namespace

Step restore_policy(const FinalizeWorld& world) {
  Step step = on_volume("restore-policy", world.home);
  step.arguments["policy"] = world.wanted_policy;
  step.title = fmt::format("give persistentvolume {} its reclaim policy {} back", world.home.name,
                           world.wanted_policy);
  step.reason = "it was Retain while the move could be undone";
  step.undo = fmt::format(
      "kubectl patch persistentvolume {} -p "
      "'{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'",
      world.home.name);
  return step;
}

Step unmark(const FinalizeWorld& world) {
  Step step = on_volume("unmark-volume", world.home);
  step.title = fmt::format("take this tool's marks off persistentvolume {}", world.home.name);
  step.reason = "it is an ordinary volume again";
  return step;
}

Step delete_data(const FinalizeWorld& world) {
  Step step = on_volume("delete-data", world.old);
  step.title = fmt::format("let {} delete persistentvolume {} with its dataset {}", world.old.driver,
                           world.old.name, dataset_text(world.old));
  step.reason = "nobody uses it any more";
  step.deletes = true;
  return step;
}

Step delete_object(const FinalizeWorld& world) {
  Step step = on_volume("delete-object", world.old);
  step.title = fmt::format("delete the object of persistentvolume {}; its dataset {} stays on the NAS",
                           world.old.name, dataset_text(world.old));
  step.reason = "nobody uses it any more";
  step.deletes = true;
  return step;
}

Step compare_again(const FinalizeWorld& world, const Options& options) {
  Step step = on_volume("compare-again", world.old);
  step.object = "claim " + options.full_name();
  step.title = fmt::format(
      "compare volume {} with the home once more, every file, in a Pod that mounts both "
      "read-only",
      world.old.name);
  step.reason = "what its user has done since is told from what nobody did by the times of change";
  step.deadline = Seconds(24 * 3600);
  step.leaves_no_trace = true;
  return step;
}

Step remove_check(const FinalizeWorld& world, const Options& options) {
  Step step;
  step.id = step.verb = "remove-check";
  step.object = "claim " + options.full_name();
  step.arguments = {{"uid", world.facts.source.uid}};
  step.title = "remove the read-only volume object, claim and Pod of a comparison that was killed";
  step.reason = "nothing of it is needed any more; the dataset is not touched";
  step.leaves_no_trace = true;
  step.can_be_tried = false;
  return step;
}

Step note_finalized(const FinalizeWorld& world, const Options& options) {
  Step step;
  const std::string key = fmt::format("run-{}.finalized", world.facts.number);
  step.id = "note " + key;
  step.verb = "note";
  step.object = "journal of claim " + options.full_name();
  step.arguments = {{"key", key},
                    {"value", fmt::format("{}{}", world.facts.source.name,
                                          world.adopted         ? ", one dataset"
                                          : options.delete_data ? ", with its data"
                                                                : "") +
                                  (world.checked.empty() ? "" : "; compared before: " + world.checked)}};
  step.title = "write down that the move is finalized";
  step.reason = "it cannot be rolled back any more";
  step.leaves_no_trace = true;
  return step;
}

Wait wait_for_gone(const FinalizeWorld& world) {
  Wait wait;
  wait.id = "removal of volume " + world.old.uid;
  wait.whom = "the volume controller and " + world.old.driver;
  wait.why = fmt::format("persistentvolume {} is removed", world.old.name);
  wait.deadline = Seconds(600);
  wait.object_uid = world.old.uid;
  wait.movement = fmt::format("{} {}", world.old.phase, world.old.terminating);
  return wait;
}

}  // namespace truenas::workflow
