#pragma once
// A PostgresWorld as text: equal texts are equal worlds to the model check, and the text is what a failure
// shows.

#include <fmt/format.h>

#include <set>
#include <string>

#include "lib/base/text.h"
#include "tests/model/postgres_worlds.h"

namespace truenas::workflow {

inline std::string flags(std::initializer_list<bool> bits) {
  std::string text;
  for (const bool bit : bits) text += bit ? '1' : '0';
  return text;
}

inline std::string describe_cluster(const cnpg::ClusterState& cluster) {
  std::string text = fmt::format("{} {} {} {}/{} {}>{}", cluster.uid, flags({cluster.terminating}),
                                 cluster.phase, cluster.ready_instances, cluster.instances,
                                 cluster.current_primary, cluster.target_primary);
  for (const auto& setting : cluster.storage)
    text += fmt::format("\n    {} {}", setting.pointer, setting.storage_class);
  std::set<std::string> lines;  // the order in which objects are listed means nothing
  for (const auto& claim : cluster.claims) {
    lines.insert(fmt::format("claim {} {} {} {} {} {}", claim.name, claim.uid, claim.storage_class,
                             claim.phase, claim.volume, flags({claim.terminating})));
  }
  for (const auto& [name, volume] : cluster.volumes) {
    lines.insert(fmt::format("volume {} {} {} {}", name, volume.reclaim_policy, volume.phase,
                             flags({is_kept(volume)})));
  }
  for (const auto& pod : cluster.pods) {
    lines.insert(fmt::format("pod {} {} {}", pod.name, pod.uid,
                             flags({pod.ready, pod.terminating, pod.marked_unrecoverable})));
  }
  for (const auto& job : cluster.jobs) {
    lines.insert(fmt::format("job {} {} {}", job.name, job.uid, flags({job.failed, job.complete})));
  }
  if (cluster.replication) {
    for (const auto& [name, row] : *cluster.replication) {
      lines.insert(fmt::format("replica {} {} {}", name, row.state, row.lag_bytes));
    }
  } else {
    lines.insert("replication unknown");
  }
  for (const std::string& line : lines) text += "\n    " + line;
  return text;
}

inline std::string describe(const PostgresWorld& world) {
  const MoveFacts& facts = world.facts;
  std::string text = fmt::format(
      "facts {} {} {}>{} {} {} {} '{}' {}", facts.number, facts.cluster_uid, facts.from_class, facts.to_class,
      facts.instances, join(facts.settings, ","), facts.spare ? std::to_string(*facts.spare) : "-",
      facts.proof + join({facts.proof_volumes.begin(), facts.proof_volumes.end()}, ","),
      flags({facts.ended}));
  const CanaryState& canary = world.canary;
  const auto attempt = [](const CanaryAttempt& a) {
    return fmt::format("{} {} {}", a.fingerprint, static_cast<int>(a.trial), flags({a.noted}));
  };
  text += fmt::format("\n    canary {} | {} | {} {} {} {} {} {} {}", attempt(canary.as_is),
                      attempt(canary.without_fs_group), canary.claim_uid, canary.claim_phase, canary.pod_uid,
                      canary.pod_phase, canary.pod_fingerprint, canary.volume_policy,
                      flags({canary.uses_fs_group, canary.claim_terminating, canary.pod_terminating,
                             canary.pod_passed_first_round, canary.first_round_passed}));
  const RunMemory& memory = world.memory;
  text += fmt::format("\n    memory {} {} {}", memory.first_instances,
                      flags({memory.class_was_set, memory.spare_was_there}), memory.proof_failed);
  text += fmt::format("\n    {} {} {} {} {}", world.pods_with_fs_group, world.last_serial,
                      flags({world.found}), running_backups(world).size(), unlogged_relations(world).size());
  return text + "\n    " + describe_cluster(world.cluster);
}

}  // namespace truenas::workflow
