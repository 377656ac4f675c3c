#include "lib/workflow/postgres_rolling/project.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;

int number_argument(const Step& step, const char* name) {
  return leading_number(step.argument(name));
}

void note(PostgresWorld& world, const Step& step) {
  const std::string key = step.argument("key");
  MoveFacts& facts = world.facts;
  if (key.ends_with(".begin")) {
    MoveFacts before = std::exchange(facts, MoveFacts{});
    if (before.cluster_uid == step.argument("cluster_uid") && before.to_class == step.argument("to_class")) {
      facts.proof = std::move(before.proof);
      facts.proof_volumes = std::move(before.proof_volumes);
    }
    facts.number = number_argument(step, "number");
    facts.cluster_uid = step.argument("cluster_uid");
    facts.from_class = step.argument("from_class");
    facts.to_class = step.argument("to_class");
    facts.instances = number_argument(step, "instances");
    facts.settings = split(step.argument("settings"), ',');
    if (step.arguments.contains("spare")) facts.spare = number_argument(step, "spare");
  } else if (key.ends_with(".spare")) {
    facts.spare = number_argument(step, "value");
  } else if (key.ends_with(".end")) {
    facts.ended = true;
  } else {
    for (CanaryAttempt* attempt : {&world.canary.as_is, &world.canary.without_fs_group}) {
      if (key == "canary-" + attempt->fingerprint) attempt->noted = true;
    }
  }
}

void keep(PostgresWorld& world, const Step& step) {
  const auto found = world.cluster.volumes.find(step.argument("volume"));
  if (found == world.cluster.volumes.end()) return;
  found->second.annotations.try_emplace(std::string(k_original_policy_annotation),
                                        found->second.reclaim_policy);
  found->second.reclaim_policy = "Retain";
  found->second.kept = true;
}

void set_class(PostgresWorld& world) {
  for (auto& setting : world.cluster.storage) {
    if (setting.storage_class == world.from.name) setting.storage_class = world.to.name;
  }
}

void drop_fs_group(PostgresWorld& world) {
  world.canary.uses_fs_group = false;
  world.canary.as_is = world.canary.without_fs_group;
  world.canary.without_fs_group = {};
  world.site.facts.shape.has_fs_group = false;
  world.pods_with_fs_group = static_cast<int>(world.cluster.pods.size());
}

void change_canary(PostgresWorld& world, const Step& step) {
  CanaryState& canary = world.canary;
  if (step.verb == "create-canary-claim") {
    canary.claim_uid = "canary-claim";
    canary.claim_phase = "Pending";
    canary.first_round_passed = false;
  } else if (step.verb == "create-canary-pod") {
    canary.pod_uid = canary.first_round_passed ? "canary-pod-2" : "canary-pod";
    canary.pod_phase = "Pending";
    canary.pod_fingerprint = step.argument("fingerprint");
    canary.pod_passed_first_round = false;
  } else if (step.verb == "release-canary-volume") {
    canary.volume_policy = "Delete";
  } else if (step.verb == "delete-canary-pod") {
    canary.pod_terminating = true;
  } else if (step.verb == "delete-canary-claim") {
    canary.claim_terminating = true;
  }
}

void change_instances(PostgresWorld& world, const Step& step) {
  cnpg::ClusterState& cluster = world.cluster;
  for (auto& pod : cluster.pods) {
    if (pod.name != step.argument("instance") || pod.uid != step.argument("uid")) continue;
    if (step.verb == "mark-unrecoverable") pod.marked_unrecoverable = true;
    if (step.verb == "remove-mark") pod.marked_unrecoverable = false;
    if (step.verb == "delete-pod") pod.terminating = true;
  }
  for (auto& claim : cluster.claims) {
    if (step.verb == "delete-claim" && claim.uid == step.argument("uid")) claim.terminating = true;
  }
  if (step.verb == "delete-job") {
    std::erase_if(cluster.jobs, [&](const auto& job) { return job.uid == step.argument("uid"); });
  }
  if (step.verb == "add-spare" || step.verb == "remove-spare") {
    cluster.instances = number_argument(step, "to");
  }
  if (step.verb == "switch-over") {
    cluster.target_primary = step.argument("to");
    cluster.phase = "Switchover in progress";
  }
}

}  // namespace

void remember(PostgresWorld& world) {
  RunMemory& memory = world.memory;
  if (memory.first_instances == 0) memory.first_instances = world.cluster.instances;
  if (spare_is_there(world)) memory.spare_was_there = true;
  const auto& settings = world.cluster.storage;
  if (std::none_of(settings.begin(), settings.end(),
                   [&](const auto& setting) { return setting.storage_class == world.from.name; })) {
    memory.class_was_set = true;
  }
}

PostgresWorld project_step(PostgresWorld world, const Step& step) {
  if (step.verb == "note") note(world, step);
  if (step.verb == "keep-volume") keep(world, step);
  if (step.verb == "set-class") set_class(world);
  if (step.verb == "drop-fs-group") drop_fs_group(world);
  if (step.verb == "prove") {
    world.facts.proof = "passed";
    ++world.facts.proofs;
    world.facts.proof_volumes.clear();
    for (const auto& claim : world.cluster.claims) world.facts.proof_volumes.insert(claim.volume);
  }
  change_canary(world, step);
  change_instances(world, step);
  remember(world);
  return world;
}

}  // namespace truenas::workflow
