#pragma once
// Facts about a Cluster that decide whether its instances may be replaced one after the other (facts 4a.1).
// Gathering only: what a fact means, and how it is worded, is the workflow's business.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/cnpg/cluster.h"
#include "lib/cnpg/sql.h"
#include "lib/kube/gitops.h"
#include "lib/kube/reader.h"

namespace truenas::cnpg {

// A table or sequence that is not replicated (relpersistence 'u'): empty after a switchover.
struct UnloggedRelation {
  std::string database, name;  // name as format('%I.%I') writes it
  bool sequence = false;
  std::int64_t bytes = 0;
};

struct DatabaseSize {
  std::string name;
  std::int64_t bytes = 0;
  bool connectable = true;  // datallowconn: what cannot be connected to was not searched
};

// What the primary was asked. Every database that allows connections was searched.
struct DatabaseFacts {
  std::vector<DatabaseSize> databases;
  std::vector<UnloggedRelation> unlogged;
  std::string server_version;  // "15.18"
};

struct BackupFacts {
  std::string name, phase, method;     // phase "" right after creation
  bool running = false;                // neither completed nor failed
  bool volume_snapshot = false;        // method volumeSnapshot
  std::vector<std::string> snapshots;  // VolumeSnapshot names
};

struct SynchronousFacts {
  int required = 0;           // standbys that must acknowledge a commit; 0: none
  bool blocks = true;         // commits wait when fewer are there; false: dataDurability preferred
  std::string configured_by;  // "spec.minSyncReplicas", "spec.postgresql.synchronous"
};

// Read from the Cluster document alone.
struct ClusterShape {
  bool fenced = false;
  std::string fenced_instances;          // the annotation's value
  bool hibernated = false;               // annotation cnpg.io/hibernation=on, or the condition says so
  bool maintenance_window = false;       // spec.nodeMaintenanceWindow.inProgress
  bool replica_cluster = false;          // spec.replica makes it follow another cluster
  bool supervised = false;               // spec.primaryUpdateStrategy: supervised
  bool reconciliation_disabled = false;  // annotation cnpg.io/reconciliationLoop=disabled
  bool required_anti_affinity = false;   // one instance a node, without exception
  SynchronousFacts synchronous;
  bool has_pod_security_context = false;
  bool has_fs_group = true;  // of the Pods the operator will make (facts 6: nil context means fsGroup 26)
  std::int64_t fs_group = 26;
  std::int64_t uid = 26, gid = 26;
  bool wal_storage = false;
  int tablespaces = 0;
  bool resize_in_use_volumes = true;
  bool snapshot_backups_configured = false;  // spec.backup.volumeSnapshot
  bool wal_archiving = false;                // an object store or an archiving plugin
  std::vector<kube::GitOpsOwner> owners;
};

struct PreflightFacts {
  ClusterShape shape;
  std::optional<DatabaseFacts> databases;  // absent: the primary could not be asked
  std::string databases_unknown_why;
  std::vector<BackupFacts> backups;  // of this Cluster
  // "1.30.0"; absent when no mark says it. Where marks differ (an upgraded operator that has not touched old
  // claims yet) the newest counts.
  std::optional<std::string> operator_version;
  std::string operator_version_source;
};

// Pure: what the document says.
ClusterShape parse_shape(const json::Value& cluster);
// Pure: one Backup object, nullopt if it belongs to another Cluster.
std::optional<BackupFacts> parse_backup(const json::Value& backup, std::string_view cluster);
// Pure: "1.30.0" of "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0@sha256:…"; nullopt without such a tag.
std::optional<std::string> version_of_image(std::string_view image);
// Pure: compares "1.9.2" and "1.30.0" number by number; a missing part is 0, a suffix ("-rc1") is ignored.
bool version_less(std::string_view a, std::string_view b);

// Asks the primary through `runner`, database by database. Kind::unavailable when one does not answer: an
// unlogged table that was not looked for must not count as absent.
Result<DatabaseFacts> read_database_facts(const SqlRunner& runner, std::string_view primary);

// Gathers everything. Errors are those of reads that must succeed (backups, pods); the primary's silence is
// told in databases_unknown_why.
Result<PreflightFacts> read_preflight_facts(const kube::Reader& reader, const ClusterState& cluster);

}  // namespace truenas::cnpg
