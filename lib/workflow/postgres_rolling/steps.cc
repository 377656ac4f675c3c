#include "lib/workflow/postgres_rolling/steps.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/queries.h"

namespace truenas::workflow {
namespace {

using engine::Step;

std::string cluster_object(const PostgresWorld& world) {
  return "cluster " + full_name(world);
}

Step note(const PostgresWorld& world, std::string key, std::string title, std::string reason) {
  Step step;
  step.id = "note " + key;
  step.verb = "note";
  step.leaves_no_trace = true;
  step.object = "journal of cluster " + full_name(world);
  step.can_be_tried = key.ends_with(".begin");
  step.arguments = {{"key", std::move(key)}};
  step.title = std::move(title);
  step.reason = std::move(reason);
  return step;
}

// What it was before this tool first touched the volume.
std::string original_policy(const cnpg::InstanceVolume& volume) {
  const auto noted = volume.annotations.find(std::string(k_original_policy_annotation));
  return noted == volume.annotations.end() ? volume.reclaim_policy : noted->second;
}

std::vector<std::string> moved_settings(const PostgresWorld& world) {
  std::vector<std::string> pointers;
  for (const auto& setting : world.cluster.storage) {
    if (setting.storage_class == world.from.name || setting.storage_class == world.to.name) {
      pointers.push_back(setting.pointer);
    }
  }
  return pointers;
}

}  // namespace

Step begin_move(const PostgresWorld& world, const RollingOptions& options) {
  const MoveFacts& before = world.facts;
  const int number = before.number + 1;
  Step step = note(world, fmt::format("run-{}.begin", number),
                   fmt::format("write down how things are: {}, classes, settings",
                               count_of(static_cast<std::size_t>(world.cluster.instances), "instance")),
                   "what cannot be observed later is written down before the first change");
  step.arguments["number"] = std::to_string(number);
  step.arguments["cluster_uid"] = world.cluster.uid;
  step.arguments["from_class"] = options.from_class;
  step.arguments["to_class"] = options.to_class;
  step.arguments["settings"] = join(moved_settings(world), ",");
  step.arguments["instances"] = std::to_string(world.cluster.instances);
  if (!world.connections.empty()) step.arguments["connections"] = world.connections;
  // A spare that an unfinished move in the other direction has added is still to be removed at the end.
  if (!before.ended && spare_is_there(world)) {
    step.arguments["instances"] = std::to_string(before.instances);
    step.arguments["spare"] = std::to_string(*before.spare);
  }
  return step;
}

Step note_spare(const PostgresWorld& world) {
  Step step = note(world, fmt::format("run-{}.spare", world.facts.number),
                   fmt::format("write down that spec.instances was {}", world.cluster.instances),
                   "the spare instance added next is removed at the end, also by another run");
  step.arguments["value"] = std::to_string(world.cluster.instances);
  return step;
}

Step note_canary_passed(const PostgresWorld& world, const CanaryAttempt& attempt, bool without_fs_group) {
  Step step = note(world, "canary-" + attempt.fingerprint, "write down that the canary passed",
                   "the same image and security context on the same class need not be tried again");
  step.arguments["value"] = without_fs_group ? "passed without fsGroup" : "passed";
  return step;
}

Step note_end(const PostgresWorld& world) {
  Step step = note(world, fmt::format("run-{}.end", world.facts.number),
                   "write down that the move is complete", "a later run has nothing to do");
  step.arguments["value"] = "complete";
  return step;
}

Step drop_fs_group(const PostgresWorld& world) {
  Step step;
  step.id = "drop fsGroup of " + cluster_object(world);
  step.verb = "drop-fs-group";
  step.object = cluster_object(world);
  step.arguments = {{"resource_version", world.cluster.resource_version}, {"uid", world.cluster.uid}};
  step.title =
      "set spec.podSecurityContext without fsGroup; the operator restarts every pod on its old volume";
  step.reason =
      fmt::format("on storage class {} PostgreSQL starts only in a pod without fsGroup", world.to.name);
  step.undo = "remove spec.podSecurityContext";
  step.settle_polls = 2;
  return step;
}

Step keep_volume(const PostgresWorld& world, const cnpg::InstanceVolume& volume, const std::string& claim) {
  Step step;
  step.id = "keep persistentvolume/" + volume.name;
  step.verb = "keep-volume";
  step.object = "persistentvolume " + volume.name;
  step.arguments = {{"volume", volume.name},
                    {"uid", volume.uid},
                    {"original_policy", original_policy(volume)},
                    {"cluster", full_name(world)}};
  // A volume that exists only in a plan has no name yet.
  step.title = volume.uid.empty()
                   ? fmt::format("set the new volume of claim {} to Retain", claim)
                   : fmt::format("set persistentvolume {} (claim {}) to Retain", volume.name, claim);
  step.can_be_tried = !volume.uid.empty();
  step.reason = "nothing may delete these bytes until --finalize";
  step.undo = "--finalize gives the volume its class's policy back";
  return step;
}

Step set_class(const PostgresWorld& world) {
  Step step;
  std::vector<std::string> names, pointers;
  for (const auto& setting : world.cluster.storage) {
    if (setting.storage_class != world.from.name) continue;
    const std::string field =
        setting.pointer + (setting.in_pvc_template ? "/pvcTemplate/storageClassName" : "/storageClass");
    pointers.push_back(field);
    std::string dotted = field.substr(1);
    for (char& c : dotted) {
      if (c == '/') c = '.';
    }
    names.push_back(std::move(dotted));
  }
  step.id = "set storage class of " + cluster_object(world);
  step.verb = "set-class";
  step.object = cluster_object(world);
  step.arguments = {{"fields", join(pointers, ",")},
                    {"from", world.from.name},
                    {"to", world.to.name},
                    {"resource_version", world.cluster.resource_version},
                    {"uid", world.cluster.uid}};
  step.title = fmt::format("set {} to {}", join(names, ", "), world.to.name);
  step.reason = "claims made from now on get the new class; those that exist stay as they are";
  step.undo = fmt::format("set it back to {}", world.from.name);
  return step;
}

}  // namespace truenas::workflow
