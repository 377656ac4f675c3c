#pragma once
// Verification: what of the migration is done and what is left, decided from observed objects. Reading is
// observe_site(); judging is pure. It changes nothing, and "could not look" is an error, never an empty
// answer.

#include <map>
#include <string>
#include <vector>

#include "lib/cnpg/cluster.h"
#include "lib/kube/reader.h"
#include "lib/storage/claim.h"
#include "lib/storage/volume.h"
#include "lib/workflow/class_record.h"

namespace truenas::workflow {

struct VerificationOptions {
  std::vector<std::string> namespaces;  // empty: all
  std::string from_class = "truenas-nfs";
  std::string to_class = "truenas-csi-nfs";
  std::string class_journal_ns = k_class_journal_ns;  // where the record of the class's probe lies
};

// moved: on the new class and on a volume that the new driver made. left: still on the old class or the old
// driver's volume, or in between (not bound, class and driver disagree). other: has nothing to do with either
// class.
enum class ClaimVerdict { moved, left, other };

struct ClaimFinding {
  storage::Claim claim;
  std::string driver, reclaim_policy;  // of its volume; "" when not bound
  ClaimVerdict verdict = ClaimVerdict::other;
  std::string why;  // for left: one clause
};

struct ClusterFinding {
  std::string ns, name;
  int instances = 0, ready = 0;
  std::string phase, primary;
  std::vector<std::string> classes;  // in the spec
  bool moved = false;                // spec and every claim are on the new class
  bool healthy = false;
  std::vector<std::string> problems;  // why it is not healthy, or not moved
};

// A volume of the old driver that no claim uses any more.
struct OldVolumeFinding {
  storage::Volume volume;
  bool alarm = false;
  std::string why;  // "kept", or what is alarming
};

// A volume with a policy that destroys its dataset as soon as its claim, or the volume object, is deleted,
// while another volume's data lies on that dataset (facts/truenas.md §8.7). Always an alarm.
struct SharedDatasetFinding {
  storage::Volume volume;      // the one that would destroy it
  storage::DatasetUser other;  // the one that is in use, or kept
};

struct Verification {
  std::string from_class, to_class, old_driver, new_driver;  // drivers "" when unknown
  std::vector<std::string> namespaces;
  std::vector<ClaimFinding> claims;
  std::vector<ClusterFinding> clusters;
  std::vector<OldVolumeFinding> old_volumes;
  std::vector<SharedDatasetFinding> shared_datasets;
  // Roles whose rights no run is about to give back: "role a/b: its rights …; kubectl patch role …".
  std::vector<std::string> frozen_roles;
  RecordedProbe probe;             // of the new class
  std::vector<std::string> notes;  // "storageclass truenas-csi-nfs does not exist"
  std::size_t alarms() const;      // volumes, each counted once, and frozen Roles
  std::size_t left() const;        // claims, clusters and volumes that make the exit code 3
};

// What observe_site read.
struct Site {
  std::string old_driver, new_driver;
  bool from_class_exists = false, to_class_exists = false;
  RecordedProbe probe;  // of the new class, where it exists
  std::vector<storage::Claim> claims;
  std::map<std::string, storage::Volume> volumes;  // by name: every volume of the cluster
  std::vector<cnpg::ClusterState> clusters;
  std::vector<std::string> frozen_roles;
  std::string frozen_unknown;  // why frozen Roles could not be looked for; "" when they could
};

// Lists claims, volumes, classes and Clusters. Any list that cannot be read is an error (403: Kind::auth). A
// cluster without the CNPG resource type has no Clusters. Frozen Roles are no condition: many who look may
// not see Roles.
Result<Site> observe_site(const kube::Reader& reader, const VerificationOptions& options);
Verification judge(const Site& site, const VerificationOptions& options);

}  // namespace truenas::workflow
