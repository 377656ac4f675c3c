#pragma once
// SwapWorld: everything that the move of one workspace's home decides upon, as values: the claim under its
// name, the temporary claim, the volume that the bytes are on (source) and the one that they go to (target),
// who uses them, whether Coder could build, and what the journal and this process remember. Pure; questions
// about it are in queries.h. It must not hold anything that cannot be compared or copied.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/json/value.h"
#include "lib/storage/adoption.h"
#include "lib/workflow/build_freeze.h"
#include "lib/workflow/class_record.h"
#include "lib/workflow/workspace_review/site.h"

namespace truenas::workflow {

// How the bytes come to be on the target.
enum class Carry {
  copy,     // the mover copies and compares them before the swap
  nothing,  // they lie there: the volume that the claim had before (--rollback)
  adopt,    // they are there once: the target is a volume object of the new driver on the source's dataset
};

// The workspace that its user was shown when consent was given: whether it is to be stopped, and with which
// template version; that version's builds were judged beforehand.
struct ForeseenWorkspace {
  bool may_stop = false;
  std::string version_id;
};

struct WorkspaceCopyOptions {
  std::string ns, claim;
  std::string from_class = "truenas-nfs", to_class = "truenas-csi-nfs";
  std::string coder_ns = "coder";                     // where Coder itself runs
  std::string class_journal_ns = k_class_journal_ns;  // where the records of the classes' probes lie
  std::string cluster_uid;
  std::set<std::string> accepted;  // --accept=ID
  Seconds max_downtime{120};       // warm passes until one takes no longer
  int warm_passes = 5;             // … or there were so many
  bool rollback = false;           // back to the volume of before
  Carry carry = Carry::copy;       // … else how: copy or adopt
  // What the mover is told, word for word: "0:0=1000:1000", "lost+found".
  std::vector<std::string> owner_map, leave_out;
  std::optional<ForeseenWorkspace> foreseen;  // without: whatever runs may be stopped

  std::string full_name() const { return ns + "/" + claim; }
};

// The user's consent to swap without proof that Coder cannot build meanwhile.
inline constexpr const char* k_no_build_freeze = "no-build-freeze";
// … to take a home for empty that had files when they were counted.
inline constexpr const char* k_empty_home = "empty-home";
// … to give Coder its rights back without a look at how the home is, and to do nothing else.
inline constexpr const char* k_thaw = "thaw";
// … to end with the workspace as it is by now, though it ran or had a schedule before.
inline constexpr const char* k_left_stopped = "left-stopped";
// … to go on where the new driver does not say from which server it mounts, or names another one.
inline constexpr const char* k_adopt_server = "adopt-server";
// … to take other names at the root of an adopted home for its user's work since it was looked at.
inline constexpr const char* k_adopt_files = "adopt-files";
// … and to leave behind, on the volume that is kept, what was written since the move.
inline constexpr const char* k_newer_writes = "newer-writes";

struct ClaimState {
  bool exists = false, terminating = false;
  bool ours = false;  // of the temporary claim: made by this tool for this very claim
  std::string name, uid, resource_version, phase, volume, storage_class;
  bool changed = false;  // of the claim on the source: it is not what the journal would create again
  // Of the claim on the target: in what it is not the claim that was to be created.
  std::vector<std::string> differences;
  json::Value document;
};

struct VolumeState {
  bool exists = false, terminating = false;
  std::string name, uid, resource_version;
  std::string policy, original_policy, phase, storage_class, driver, dataset;
  std::int64_t bytes = 0;
  bool reserved = false;  // spec.claimRef is there
  std::string claim_ns, claim_name, claim_uid;
  bool kept = false;     // carries our label
  std::string kept_for;  // whose bytes it holds, as its mark says: "coder-workspaces/x"
  // The swap that its record speaks of: uid of the claim and name of the volume before; "" for none.
  std::string recorded_claim_uid, recorded_from;
};

// What was seen at the root of the home's dataset, through both drivers, before anything was exchanged.
struct DatasetSight {
  std::string path;        // that the new driver mounts; "" where it does not say
  std::string top, names;  // volume-mover's facts of the root: with sizes and times, and without
  std::string stamp;       // SwapWorld::stamp of then
};

// The target as the new driver has it attached.
struct TargetAttachment {
  std::string node, path, error;
  bool attached = false;
};

struct RememberedVolume {
  std::string name, uid, policy, storage_class;
  std::string claim_uid;  // spec.claimRef.uid when it was written down
};

// How both volumes were compared when they were equal, so that it can be done again once the home is in use.
struct EqualVolumes {
  std::vector<std::string> flags;  // what the mover was told of owners and of what is left out
  std::int64_t entries = 0;        // with the root
  // The newest change of any inode on either side, by the NAS's clock ("1700000000.123456789").
  std::string source_change, target_change;
};

// What the journal remembers of the newest run for this claim. Written once each, under "run-N.…".
struct SwapFacts {
  int number = 0;  // N; 0: this claim was never moved
  int newest = 0;  // number, unless newer ones were given up without having moved anything
  Carry carry = Carry::copy;
  bool rollback = false;
  bool same_dataset = false;  // both volumes are objects for one dataset: an adoption, or its way back
  std::string from_class, to_class;
  std::string claim_uid;
  json::Value first_claim;  // the whole document; the temporary claim is named after it
  json::Value claim;        // the same as written down last
  int claims = 0;           // how often it was written down again because somebody changed it
  RememberedVolume source;
  RememberedVolume target;
  int targets = 0;  // how many targets were written down; the newest one counts
  // Of the workspace, written down before it was stopped or its schedule taken off; the newest note counts.
  int workspaces = 0;
  bool ran = false;        // this run had it stopped, so that it is to be started again
  std::string version_id;  // … with this template version
  std::string autostart;   // the schedule that this run took off; "" for none
  std::string workspace_id;
  int compares = 0;
  std::string compare;                  // the newest one's summary
  int equals = 0;                       // how often they were equal
  std::optional<EqualVolumes> equal;    // the newest time
  std::string newer;                    // of a way back: what was written since the move, for people
  int sights = 0;                       // how often the new driver was tried
  DatasetSight sight;                   // the newest one's
  bool proved = false;                  // through the claim on the target the same files were read
  int cutovers = 0, cutovers_over = 0;  // exchanges that were begun; that were given up with the claim there
  bool cutover = false;                 // one is open: the claim may be absent because of us
  std::set<std::string> roles;          // keys under which rules of Roles were written down
  bool moved = false;                   // the claim was seen on the target
  bool ended = false;
  bool finalized = false;  // the volume of before was given up
  // Paths that are on the old volume only, by the comparison that left them out.
  std::map<int, std::string> left_out;
};

struct TargetClass {
  std::string name, uid, provisioner;
  bool exists = false, waits_for_pod = false;
};

// A mover's Pod of a run that was killed.
struct LeftMover {
  std::string name, uid;
  bool terminating = false;
};

// What Coder says of the workspace; absent without a token.
struct CoderState {
  std::string workspace_id, build_id, version_id, version_name;
  bool found = true;
  bool stopped = false, building = false;
  bool started = false;  // latest build: start, succeeded
  bool agents_connected = false;
  std::string trouble;    // why its latest build did not work
  std::string autostart;  // its schedule; "" for none
  std::string unknown;    // why Coder could not be asked just now; then only the ids hold
};

// What this process has seen or done since it started; forgotten by a crash, and that is the point: whatever
// was not watched without a gap proves nothing.
struct SwapMemory {
  std::optional<std::int64_t> used_bytes;
  std::int64_t entries = 0;       // of the home, when they were counted last
  std::string way, single_owner;  // how owners are set on the target; way "" until it was tried
  std::string unfit;              // what the target cannot represent
  std::vector<std::string> unfit_hints;
  bool replacement_tried = false;
  int warm_passes = 0;
  Milliseconds last_pass{0};
  int copies = 0, compares = 0;  // final ones, for the steps' names
  std::string newer;      // before a way back: what was written since the move; "" until it was counted
  bool copied = false;    // everything that was there when it was last used
  bool verified = false;  // … and compared
  bool sighted = false;   // of an adoption: the new driver has shown the home as it is
  std::string target_uid, stamp;  // of what: VolumeState::uid and SwapWorld::stamp
  bool freeze_overdue = false;    // rights were taken long enough ago, and somebody still has them
};

struct SwapWorld {
  std::string cluster_uid;
  ClaimState claim, temporary;
  VolumeState source, target;
  bool target_noted = false;  // the target is the one that the journal names
  SwapFacts facts;
  TargetClass to;
  std::vector<ClaimUse> uses;         // live ones of the claim, without movers
  std::vector<std::string> attached;  // nodes to which the source is attached
  std::vector<TargetAttachment> target_attached;
  std::vector<storage::AdoptionFinding> adoption;  // what speaks against it, and what is to be known
  std::string target_unfit;  // why what has the adopted volume's name is not what is to be created
  bool probe_left = false;   // a killed run's probe of the dataset, or of --finalize's
  std::vector<LeftMover> movers;
  std::string stamp;  // changes whenever a workload that mounts the claim was scaled or built
  BuildFreeze freeze;
  std::optional<CoderState> coder;
  std::vector<std::string> cannot_swap;  // what a re-creation of the claim would lose
  std::vector<std::string> missing_permissions;
  SwapMemory memory;
};

}  // namespace truenas::workflow
