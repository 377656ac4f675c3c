#pragma once
// PostgresWorld: everything that the rolling move of a PostgreSQL cluster decides upon, as values: the
// cluster itself, the two storage classes, what the journal remembers, how the canary fared and what the
// neighbours are up to. Pure; questions about it are in queries.h. It must not hold anything that cannot be
// compared or copied.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/cnpg/cluster.h"
#include "lib/cnpg/preflight.h"
#include "lib/workflow/class_record.h"

namespace truenas::workflow {

struct RollingOptions {
  std::string ns, cluster;
  std::string from_class = "truenas-nfs", to_class = "truenas-csi-nfs";
  std::string class_journal_ns = k_class_journal_ns;  // where the record of the class's probe lies
  bool skip_canary = false;
  std::set<std::string> accepted;  // --accept=ID
  std::int64_t proof_max_bytes = std::int64_t{1} << 30;
  bool rollback = false;  // the same run, classes exchanged by the caller; only texts differ
};

struct StorageClassState {
  bool exists = false;
  std::string name, uid, provisioner, reclaim_policy;
  std::optional<ClassRecord> probed;  // of the target class; nullopt also where the record cannot be read
};

// What the journal remembers of the newest move of this cluster. Every fact is written once, under "run-N.…".
struct MoveFacts {
  int number = 0;           // N; 0: this cluster was never moved
  std::string cluster_uid;  // metadata.uid of the Cluster that was moved
  std::string from_class, to_class;
  int instances = 0;                  // spec.instances before the first change
  std::vector<std::string> settings;  // pointers of the storage settings that are moved ("/spec/storage")
  std::optional<int> spare;           // spec.instances before a spare instance was added to it
  int proofs = 0;                     // how many there are
  std::string proof;  // the newest one's summary, of a run to this class; "" while there is none
  std::set<std::string> proof_volumes;  // what it was made on
  bool ended = false;
  std::string connections;  // how applications reached the Cluster when it began (cnpg::connection_text)
};

enum class Trial { untried, passed, failed };

// One way to run PostgreSQL on a throw-away claim of the target class.
struct CanaryAttempt {
  std::string
      fingerprint;  // of image, pod security context and class: what a remembered verdict is valid for
  Trial trial = Trial::untried;
  bool noted = false;  // that it passed stands in the journal
  std::string why;     // of a failure
  std::vector<std::string> hints;
};

struct CanaryState {
  CanaryAttempt as_is;                 // as the cluster's Pods run
  CanaryAttempt without_fs_group;      // the same without fsGroup; asked only when as_is fails
  bool uses_fs_group = true;           // the cluster's Pods carry fsGroup
  bool worth_without_fs_group = true;  // what failed as_is may work without fsGroup
  // The objects that exist right now; uid "" where there is none.
  std::string claim_uid, claim_phase, pod_uid, pod_phase, pod_waiting;
  std::string pod_fingerprint;  // which attempt the Pod is
  // An attempt has two rounds on one claim (lib/cnpg/canary.h); only the second one counts.
  bool pod_passed_first_round = false;  // this Pod has, and must make room for the second
  bool first_round_passed = false;      // some Pod on this claim has
  bool claim_terminating = false, pod_terminating = false;
  std::string volume, volume_uid, volume_policy;  // behind the claim
};

// What the neighbours are up to: whatever may forbid the move or must be told before it.
struct Circumstances {
  cnpg::PreflightFacts facts;
  std::vector<std::string> missing_permissions;  // "patch clusters.postgresql.cnpg.io in namespace coder"
  int schedulable_nodes = 0;                     // 0 unknown
};

// What this process has seen since it started; forgotten by a crash.
struct RunMemory {
  int first_instances = 0;       // spec.instances at the first look
  bool class_was_set = false;    // every setting of the move was seen on the target class
  bool spare_was_there = false;  // spec.instances was seen one above the remembered count
  Kind proof_kind = Kind::mismatch;
  std::string proof_failed;  // why the proof of this run failed
  std::vector<std::string> proof_hints;
};

struct PostgresWorld {
  bool found = true;  // the Cluster exists
  cnpg::ClusterState cluster;
  StorageClassState from, to;
  MoveFacts facts;
  CanaryState canary;
  Circumstances site;
  RunMemory memory;
  std::string connections;     // how applications reach it, as this process first saw it; "" unknown
  int pods_with_fs_group = 0;  // Pods that do not yet run as a spec without fsGroup wants it
  int last_serial = 0;         // the highest instance number ever seen (operators before 1.30 go on counting)
};

}  // namespace truenas::workflow
