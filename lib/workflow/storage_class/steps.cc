#include "lib/workflow/storage_class/steps.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/storage_class/facts.h"
#include "lib/workflow/storage_class/queries.h"

namespace truenas::workflow {
namespace {

using engine::Step;

std::string object_of(const ClassOptions& options) {
  return "storageclass " + options.name;
}

Step note(const ClassOptions& options, const std::string& key) {
  Step step;
  step.id = "note " + key;
  step.object = "journal of " + object_of(options);
  step.arguments = {{"key", key}};
  step.leaves_no_trace = true;
  return step;
}

std::string rollback_command(const ClassOptions& options) {
  return fmt::format("kubectl truenas-migrate storageclass --class={} --rollback", options.name);
}

}  // namespace

Step note_class_begin(const ClassOptions& options, const ClassRun& run) {
  Step step = note(options, begin_key(run.number));
  step.verb = "note-begin";
  step.title = run.original.is_null()
                   ? fmt::format("write down that there is no storageclass {}", options.name)
                   : fmt::format("write the whole of storageclass {} into the journal", options.name);
  step.reason = "what cannot be observed later is written down before the first change; --rollback reads it";
  return step;
}

Step note_class_end(const ClassOptions& options, const ClassRun& run) {
  Step step = note(options, end_key(run.number));
  step.verb = "note-end";
  step.can_be_tried = false;
  const bool abandoned = (run.way == ClassRun::Way::restore) != options.rollback;
  step.arguments["value"] = abandoned ? k_run_abandoned : k_run_complete;
  step.title = abandoned ? "write down that the unfinished run the other way changed nothing"
                         : "write down that the change is complete";
  step.reason = "a later run has nothing to finish";
  return step;
}

Step delete_class(const StorageClassWorld& world, const ClassOptions& options, bool for_ever) {
  Step step;
  step.id = "delete " + object_of(options) + " " + world.live->uid;
  step.verb = "delete-class";
  step.object = object_of(options);
  step.arguments = {{"uid", world.live->uid}, {"resource_version", world.live->resource_version}};
  step.title = fmt::format("delete storageclass {}, if still no claim and no volume names it", options.name);
  step.reason = for_ever ? "a run of this tool has made it, and nothing was there before"
                         : "its provisioner, parameters and policies cannot be changed in place";
  step.undo = for_ever ? "--apply makes it again" : rollback_command(options);
  step.deletes = true;
  return step;
}

Step create_class(const ClassOptions& options, bool again) {
  Step step;
  step.id = "create " + object_of(options);
  step.verb = "create-class";
  step.object = object_of(options);
  // While the old one is there, a trial would be one of changing it.
  step.can_be_tried = !again;
  step.title = options.rollback ? fmt::format("create storageclass {} as it was", options.name)
               : again          ? fmt::format(
                                      "create storageclass {} as wanted, with its old labels, annotations and mount "
                                               "options",
                                      options.name)
                       : fmt::format("create storageclass {}", options.name);
  step.reason = again ? "claims made meanwhile wait for it and lose nothing" : "there is none";
  step.undo = rollback_command(options);
  return step;
}

Step apply_class(const StorageClassWorld& world, const ClassOptions& options,
                 const std::vector<storage::Difference>& differences) {
  Step step;
  std::vector<std::string> fields;
  for (const storage::Difference& difference : differences) fields.push_back(difference.field);
  step.id = "apply " + object_of(options);
  step.verb = "apply-class";
  step.object = object_of(options);
  step.arguments = {{"uid", world.live->uid}};
  step.title =
      fmt::format("set {} of storageclass {} by server-side apply", join(fields, ", "), options.name);
  step.reason = "these can be changed in place; existing volumes stay as they are";
  step.undo = rollback_command(options);
  return step;
}

engine::Wait wait_for_deletion(const StorageClassWorld& world, const ClassOptions& options) {
  engine::Wait wait;
  wait.id = "deletion of " + object_of(options);
  wait.whom = "whoever holds a finalizer of it";
  wait.why = fmt::format("storageclass {} is being deleted", options.name);
  wait.deadline = Seconds(120);
  wait.object_uid = world.live->uid;
  wait.movement = world.live->resource_version;
  return wait;
}

}  // namespace truenas::workflow
