#pragma once
// What may happen to a move that is under way: this process dies, a wait turns out otherwise, somebody edits
// the cluster, something in it fails.

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "tests/model/model_check.h"
#include "tests/model/postgres_worlds.h"

namespace truenas::workflow {

using Variations = std::vector<model::Variation<PostgresWorld>>;

// A new process: memory gone, and of the canary only what the journal or its Pod says.
inline PostgresWorld restarted(PostgresWorld world) {
  world.memory = {};
  for (CanaryAttempt* attempt : {&world.canary.as_is, &world.canary.without_fs_group}) {
    const bool on_pod = !world.canary.pod_uid.empty() && world.canary.pod_fingerprint == attempt->fingerprint;
    if (!attempt->noted && !on_pod) attempt->trial = Trial::untried;
  }
  remember(world);
  return world;
}

inline Variations otherwise(const PostgresWorld& world, const engine::Wait& wait) {
  Variations turns;
  PostgresWorld notch = advance_neighbours(world);
  remember(notch);
  turns.push_back({"one notch", std::move(notch)});
  if (!world.cluster.jobs.empty()) {
    PostgresWorld failed = world;
    failed.cluster.jobs.front().failed = true;
    turns.push_back({"the job fails", std::move(failed)});
  }
  if (wait.id.starts_with("canary") && world.canary.claim_phase == "Bound") {
    PostgresWorld failed = world;
    const bool as_is = world.canary.pod_fingerprint == world.canary.as_is.fingerprint;
    (as_is ? failed.canary.as_is : failed.canary.without_fs_group).trial = Trial::failed;
    failed.canary.pod_phase = "Failed";
    turns.push_back({"the canary fails", std::move(failed)});
  }
  return turns;
}

inline void fail_over(PostgresWorld& world, const std::string& to) {
  cnpg::ClusterState& cluster = world.cluster;
  const std::string before = cluster.current_primary;
  cluster.current_primary = cluster.target_primary = to;
  cluster.replication->erase(to);
  for (auto& pod : cluster.pods) {
    if (pod.name == before) pod.ready = false;
  }
  refresh_status(world);
}

inline void add(Variations& changes, const PostgresWorld& world, const std::string& label,
                const std::function<void(PostgresWorld&)>& change) {
  PostgresWorld changed = world;
  change(changed);
  remember(changed);
  changes.push_back({label, std::move(changed)});
}

inline Variations foreign_edits(const PostgresWorld& world) {
  Variations changes;
  add(changes, world, "instances + 1", [](auto& w) { ++w.cluster.instances; });
  if (world.cluster.instances > 1)
    add(changes, world, "instances - 1", [](auto& w) { --w.cluster.instances; });
  for (const char* name : {"another-class", "truenas-nfs", "truenas-csi-nfs"}) {
    add(changes, world, fmt::format("class {}", name),
        [&](auto& w) { w.cluster.storage.front().storage_class = name; });
  }
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (volume.phase == "Released" || volume.reclaim_policy != "Retain") continue;
    add(changes, world, "volume " + name + " to Delete",
        [&](auto& w) { w.cluster.volumes.at(name).reclaim_policy = "Delete"; });
  }
  add(changes, world, "the cluster is made anew", [](auto& w) { w.cluster.uid = "uid-other"; });
  add(changes, world, "the cluster is being deleted", [](auto& w) { w.cluster.terminating = true; });
  add(changes, world, "the class goes", [](auto& w) { w.to.exists = false; });
  add(changes, world, "a backup starts", [](auto& w) {
    w.site.facts.backups = {{"nightly", "started", "barmanObjectStore", true, false, {}}};
  });
  add(changes, world, "an unlogged table", [](auto& w) {
    w.site.facts.databases->unlogged = {{"coder", "t", false, 1}};
  });
  return changes;
}

inline Variations foreign_failures(const PostgresWorld& world) {
  Variations changes;
  for (const auto& pod : world.cluster.pods) {
    if (pod.name == world.cluster.current_primary) continue;
    if (pod.ready && !pod.terminating && is_in_step(world, pod.name) &&
        world.cluster.current_primary == world.cluster.target_primary) {
      add(changes, world, "failover to " + pod.name, [&](auto& w) { fail_over(w, pod.name); });
    }
    if (!is_streaming(world, pod.name)) continue;
    add(changes, world, pod.name + " falls behind", [&](auto& w) {
      w.cluster.replication->at(pod.name) = {"catchup", std::int64_t{1} << 30};
    });
    add(changes, world, pod.name + " lags", [&](auto& w) {
      w.cluster.replication->at(pod.name) = {"streaming", std::int64_t{1} << 30};
    });
    add(changes, world, pod.name + " is deleted", [&](auto& w) {
      for (auto& other : w.cluster.pods) other.ready = other.ready && other.name != pod.name;
      w.cluster.replication->erase(pod.name);
      refresh_status(w);
    });
    add(changes, world, pod.name + " is marked by somebody", [&](auto& w) {
      for (auto& other : w.cluster.pods) other.marked_unrecoverable |= other.name == pod.name;
    });
  }
  return changes;
}

inline Variations foreign(const PostgresWorld& world) {
  Variations changes = foreign_edits(world);
  for (auto& change : foreign_failures(world)) changes.push_back(std::move(change));
  return changes;
}

}  // namespace truenas::workflow
