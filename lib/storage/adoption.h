#pragma once
// Adoption: a PersistentVolume of the new driver on the very dataset of an old volume (facts/truenas.md §3 A,
// §8). No byte is copied, so no byte is there twice: both volume objects must stay Retain, for either of them
// with Delete destroys the data (§8.7). Pure; nothing made here ever says another policy.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/json/value.h"
#include "lib/storage/dataset.h"

namespace truenas::storage {

inline constexpr std::string_view k_adopted_volume_value = "adopted-volume";  // k_component_label

struct AdoptionTarget {
  std::string volume;  // the new volume's name
  std::string driver;  // the new class's provisioner
  std::string storage_class;
  std::string ns, claim;                                   // whom it is reserved for
  std::map<std::string, std::string> labels, annotations;  // beside our own label and component
};

// The new volume (§8.4 "Adopted, as created"): capacity, modes and mount options of the old one, Retain,
// reserved for the claim by name. Kind::refused when the handle cannot be derived.
Result<json::Value> adopted_volume(const json::Value& old_volume, const AdoptionTarget& target);
// The same, but nobody can write through it: ReadOnlyMany and read-only at the node, for a probe.
Result<json::Value> read_only_adopted_volume(const json::Value& old_volume, const AdoptionTarget& target);
// A read-only second object for a volume, through the driver that it has: with its own handle and attributes.
// Only while nobody else mounts the volume: a node knows both by one handle. Kind::refused: neither CSI nor
// NFS, or no capacity.
Result<json::Value> read_only_twin(const json::Value& volume, const AdoptionTarget& target);
// The volumeHandle that the new driver needs: the old `share` without /mnt/ ("SAS/RKE2/pvc-1").
// Kind::refused: not a volume of Democratic CSI's NFS drivers, no share or server, or a mount point that is
// not the dataset's own name.
Result<std::string> adopted_handle(const json::Value& old_volume);

// A name that a second look at the same old volume makes again: "truenas-migrate-adopted-1115063c-…".
std::string adopted_volume_name(const json::Value& old_volume);
std::string adopted_name_of_uid(std::string_view old_volume_uid);

// How long a home is away, from its last Pod's end to the new one's start, whatever its size (§8.2): 10 s,
// or 20 s where the old driver attaches (its VolumeAttachment takes the kubelet's next round to go).
Seconds adoption_downtime(bool old_driver_attaches);

enum class AdoptionSeverity {
  refuse,  // adoption is not possible, or would lose something
  ask,     // possible once the user accepts it by id
  wait,    // not now; it passes by itself once the workload is stopped
  note,    // to be known
};

struct AdoptionFinding {
  std::string id;  // "adopt-fs-group": for --accept=ID, the same in every run
  AdoptionSeverity severity = AdoptionSeverity::note;
  std::string what;
};

// Who mounts the claim, or would when started: a Pod's spec or a workload's template's.
struct AdoptionWorkload {
  std::string name;  // "deployment coder-x"
  json::Value pod_spec;
};

// What was observed of one claim and its old volume. nullopt is "could not be looked at", never "none".
struct AdoptionLook {
  json::Value claim, volume;
  std::optional<bool> old_driver_attaches;
  // CSIDriver.spec.fsGroupPolicy with the API's default filled in; "" unknown.
  std::string old_fs_group_policy, new_fs_group_policy;
  std::vector<AdoptionWorkload> workloads;            // none: whoever mounts it next is not known
  std::vector<json::Value> attachments;               // VolumeAttachments of any volume
  std::vector<DatasetUser> others;                    // users_of_dataset()
  std::optional<std::vector<std::string>> snapshots;  // snapshots_of()
  std::optional<std::vector<std::string>> clones;     // clones_of()
};

// Everything that speaks against adopting it, or must be known before, worst first.
std::vector<AdoptionFinding> adoption_findings(const AdoptionLook& look);

// Whether the new driver would change groups and modes of all files (§8.8) where the old one never did: the
// Pod has fsGroup, the new policy applies it and the old one did not. An unknown policy counts as the worse.
bool fs_group_would_change(const json::Value& pod_spec, const json::Value& old_volume,
                           std::string_view old_policy, std::string_view new_policy);
// Names of the VolumeSnapshotContents that were taken of this volume: "volumesnapshot coder/before (content
// snapcontent-1)".
std::vector<std::string> snapshots_of(const json::Value& volume, const std::vector<json::Value>& contents);
// Claims that were made as clones of this claim. Clones made on the NAS itself cannot be seen.
std::vector<std::string> clones_of(const json::Value& claim, const std::vector<json::Value>& claims);

// What the new driver's VolumeAttachment says it mounts, once a Pod of the claim starts: Bound proves nothing
// (§8.5). Ok: attached, and the path is the old volume's share. Kind::mismatch: another path. Kind::refused:
// the driver could not attach. Kind::unavailable: not attached yet, or it does not say.
Result<void> check_attachment(const json::Value& attachment, const json::Value& old_volume);

}  // namespace truenas::storage
