#pragma once
// Worlds of a CloudNativePG cluster for the tests of the rolling move: a healthy site as the runbook has it,
// and what may differ.

#include <fmt/format.h>

#include <string>

#include "lib/storage/volume.h"
#include "lib/workflow/postgres_rolling.h"
#include "lib/workflow/postgres_rolling/project.h"
#include "lib/workflow/postgres_rolling/queries.h"

namespace truenas::workflow {

struct SiteShape {
  int instances = 3;
  bool wal = false, tablespace = false;
  std::string operator_version = "1.30.0";
  std::string target_policy = "Delete";
};

inline void add_claim(PostgresWorld& world, const std::string& instance, const std::string& suffix,
                      const std::string& role) {
  cnpg::InstanceClaim claim;
  claim.name = instance + suffix;
  claim.uid = "uid-" + claim.name;
  claim.instance = instance;
  claim.role = role;
  claim.storage_class = world.from.name;
  claim.phase = "Bound";
  claim.volume = "old-" + claim.name;
  claim.pvc_status = "ready";
  claim.owned = true;
  cnpg::InstanceVolume volume;
  volume.name = claim.volume;
  volume.uid = "uid-" + volume.name;
  volume.driver = world.from.provisioner;
  volume.storage_class = world.from.name;
  volume.reclaim_policy = "Delete";
  volume.phase = "Bound";
  volume.claim_ns = world.cluster.ns;
  volume.claim_name = claim.name;
  volume.claim_uid = claim.uid;
  world.cluster.volumes.emplace(volume.name, volume);
  world.cluster.claims.push_back(std::move(claim));
}

inline RollingOptions site_options() {
  RollingOptions options;
  options.ns = "coder";
  options.cluster = "coder-postgres";
  return options;
}

inline PostgresWorld make_site(const SiteShape& shape = {}) {
  PostgresWorld world;
  world.from = {true, "truenas-nfs", "uid-from", "truenas-nfs", "Delete"};
  world.to = {true, "truenas-csi-nfs", "uid-to", "csi.truenas.io", shape.target_policy};
  cnpg::ClusterState& cluster = world.cluster;
  cluster.ns = "coder";
  cluster.name = "coder-postgres";
  cluster.uid = "uid-cluster";
  cluster.resource_version = "100";
  cluster.instances = shape.instances;
  cluster.current_primary = cluster.target_primary = "coder-postgres-1";
  cluster.storage.push_back({"/spec/storage", world.from.name, false});
  if (shape.wal) cluster.storage.push_back({"/spec/walStorage", world.from.name, false});
  if (shape.tablespace) cluster.storage.push_back({"/spec/tablespaces/0/storage", world.from.name, false});
  cluster.replication.emplace();
  for (int i = 1; i <= shape.instances; ++i) {
    const std::string name = fmt::format("coder-postgres-{}", i);
    add_claim(world, name, "", "PG_DATA");
    if (shape.wal) add_claim(world, name, "-wal", "PG_WAL");
    if (shape.tablespace) add_claim(world, name, "-tbs-fast", "PG_TABLESPACE");
    cnpg::InstancePod pod;
    pod.name = name;
    pod.uid = "uid-pod-" + name;
    pod.role = i == 1 ? "primary" : "replica";
    pod.phase = "Running";
    pod.ready = true;
    cluster.pods.push_back(std::move(pod));
    if (i > 1) (*cluster.replication)[name] = {"streaming", 0};
  }
  world.site.facts.databases.emplace();
  if (!shape.operator_version.empty()) world.site.facts.operator_version = shape.operator_version;
  world.canary.as_is.fingerprint = "aaaa";
  world.canary.without_fs_group.fingerprint = "bbbb";
  world.last_serial = shape.instances;
  refresh_status(world);
  remember(world);
  return world;
}

}  // namespace truenas::workflow
