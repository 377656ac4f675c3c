#pragma once
// What a CloudNativePG Cluster and everything it owns look like right now, as values, and when it counts as
// healthy (facts 1.2). Reading is in cluster_reader.h; this header is pure and must not decide what to do
// about it.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"
#include "lib/storage/volume.h"

namespace truenas::cnpg {

// One PersistentVolumeClaim of an instance: PG_DATA, PG_WAL or PG_TABLESPACE (label cnpg.io/pvcRole).
struct InstanceClaim {
  std::string name, uid, instance, role, tablespace;
  std::string storage_class, phase, volume;  // spec.storageClassName, status.phase, spec.volumeName
  std::string pvc_status;                    // annotation cnpg.io/pvcStatus: initializing, ready, detached
  bool terminating = false;
  bool owned = false;  // controller ownerReference to this Cluster's uid
};

// The PersistentVolume behind a claim.
struct InstanceVolume : storage::Volume {
  std::map<std::string, std::string> annotations;
  bool terminating = false;
};

struct InstancePod {
  std::string name, uid, role, phase;  // cnpg.io/instanceRole (or legacy role)
  bool ready = false;
  bool terminating = false;
  bool marked_unrecoverable = false;            // alpha.cnpg.io/unrecoverable=true
  std::string waiting_reason, waiting_message;  // of the first container that waits
};

struct InstanceJob {
  std::string name, uid, instance, role;  // join, initdb, …
  bool failed = false, complete = false, terminating = false;
};

// One row of pg_stat_replication on the primary.
struct Replication {
  std::string state;            // streaming, catchup, …
  std::int64_t lag_bytes = -1;  // pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn); -1 unknown
};

// Where storage is configured in the spec: "/spec/storage", "/spec/walStorage",
// "/spec/tablespaces/0/storage".
struct StorageSetting {
  std::string pointer;
  std::string storage_class;     // the effective class of new claims
  bool in_pvc_template = false;  // the class is set in pvcTemplate.storageClassName only
};

struct ClusterState {
  std::string ns, name, uid, resource_version;
  json::Value object;                      // the whole Cluster as read
  int instances = 0;                       // spec.instances
  int ready_instances = 0;                 // status.readyInstances
  std::string phase, phase_reason, image;  // status
  std::string current_primary, target_primary;
  std::int64_t timeline = 0;
  std::string system_id;
  std::vector<std::string> instance_names;                              // status.instanceNames
  std::vector<std::string> dangling, initializing, unusable, resizing;  // claim names in status
  std::vector<StorageSetting> storage;
  std::vector<InstanceClaim> claims;  // those found by controller ownerReference or label cnpg.io/cluster
  std::map<std::string, InstanceVolume> volumes;  // by name: behind the claims, and Released ones that were
  std::vector<InstancePod> pods;
  std::vector<InstanceJob> jobs;
  // Absent: it could not be asked (no primary, exec failed): unknown, not zero.
  std::optional<std::map<std::string, Replication>> replication;  // by application_name = instance
  std::string replication_unknown_why;
  bool terminating = false;
};

// Why the cluster does not fulfil the health predicate of facts 1.2 right now; empty = healthy: phase
// "Cluster in healthy state", readyInstances == instances == instanceNames, current == target primary,
// nothing dangling/initializing/unusable, no failed Job, no terminating claim or pod, every replica streams.
// Classes are not its business.
std::vector<std::string> unhealthy_because(const ClusterState& cluster);

// True for the phases from which the operator never comes back by itself (facts 1.2, "terminal for a
// waiter").
bool is_terminal_phase(std::string_view phase);

const InstancePod* find_pod(const ClusterState& cluster, std::string_view instance);
std::vector<const InstanceClaim*> claims_of(const ClusterState& cluster, std::string_view instance);

}  // namespace truenas::cnpg
