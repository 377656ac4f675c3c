// What speaks against adopting a volume, and what must be known before (adoption.h).

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/kube/resource.h"
#include "lib/storage/adoption.h"

namespace truenas::storage {
namespace {

using json::Value;
using Findings = std::vector<AdoptionFinding>;
using enum AdoptionSeverity;

constexpr std::int64_t k_smallest = 1LL << 30;  // bytes: what TrueNAS takes as a quota

bool once_only(const Value& volume) {
  const auto& modes = volume.items_at("/spec/accessModes");
  return std::any_of(modes.begin(), modes.end(), [](const Value& mode) {
    return mode.text() == "ReadWriteOnce" || mode.text() == "ReadWriteOncePod";
  });
}

void check_source(const AdoptionLook& look, Findings& findings) {
  if (const auto handle = adopted_handle(look.volume); !handle.ok()) {
    findings.push_back({"adopt-handle", refuse, handle.error().what});
  }
  if (!look.volume.text_at("/metadata/deletionTimestamp").empty()) {
    findings.push_back({"adopt-terminating", refuse, "the old volume is being deleted"});
  }
  const std::string& policy = look.volume.text_at("/spec/persistentVolumeReclaimPolicy");
  if (policy != "Retain" && policy != "Delete") {
    findings.push_back(
        {"adopt-policy", refuse,
         fmt::format("the old volume's reclaim policy is {}", policy.empty() ? "unknown" : policy)});
  }
}

// A stopped workspace has no Pod and often no workload: only its template knows what it will ask for.
void check_unknown_groups(const AdoptionLook& look, Findings& findings) {
  const Value any = Value::object({{"securityContext", Value::object({{"fsGroup", 0}})}});
  if (!fs_group_would_change(any, look.volume, look.old_fs_group_policy, look.new_fs_group_policy)) return;
  findings.push_back(
      {"adopt-fs-group", ask,
       "nothing mounts the claim now: if what mounts it next has an fsGroup (look into the workspace's "
       "template), the new driver changes the group and the mode of every file at the first mount, which the "
       "old one never did to this volume, and no rollback undoes that"});
}

void check_groups(const AdoptionLook& look, Findings& findings) {
  if (look.workloads.empty()) check_unknown_groups(look, findings);
  for (const AdoptionWorkload& workload : look.workloads) {
    if (!fs_group_would_change(workload.pod_spec, look.volume, look.old_fs_group_policy,
                               look.new_fs_group_policy)) {
      continue;
    }
    findings.push_back(
        {"adopt-fs-group", ask,
         fmt::format("{} has fsGroup {}, which the old driver never applied to this volume: the new one "
                     "changes the group and the mode of every file at the first mount (0600 becomes 0660, so "
                     "that ssh refuses its keys and PostgreSQL its directory), and no rollback undoes that",
                     workload.name, workload.pod_spec.integer_at("/securityContext/fsGroup"))});
  }
}

void check_neighbours(const AdoptionLook& look, Findings& findings) {
  for (const DatasetUser& user : look.others) {
    if (user.overlap == Overlap::unknown) continue;
    findings.push_back({"adopt-shared-dataset", ask, describe(user)});
  }
  const auto tell = [&](const char* what, const std::optional<std::vector<std::string>>& found) {
    if (!found) {
      findings.push_back({fmt::format("adopt-{}", what), ask,
                          fmt::format("whether the old volume has {} could not be looked at: the old driver "
                                      "serves them, the new one does not know them",
                                      what)});
      return;
    }
    for (const std::string& one : *found) {
      findings.push_back({fmt::format("adopt-{}", what), ask,
                          fmt::format("{} stays with the old driver, which must be kept for it", one)});
    }
  };
  tell("snapshots", look.snapshots);
  tell("clones", look.clones);
}

void check_size(const AdoptionLook& look, Findings& findings) {
  const auto asked = parse_quantity(look.claim.text_at("/spec/resources/requests/storage"));
  const auto has = parse_quantity(look.volume.text_at("/spec/capacity/storage"));
  if (!asked.ok() || !has.ok()) {
    findings.push_back({"adopt-size", refuse, "the sizes of claim and volume cannot be read"});
    return;
  }
  if (*asked > *has) {
    findings.push_back(
        {"adopt-size", ask,
         fmt::format("the claim asks for {}, its volume has {}: the new driver will set the dataset's quota "
                     "to what the claim asks for",
                     format_bytes(*asked), format_bytes(*has))});
  } else if (*asked < k_smallest) {
    findings.push_back({"adopt-size", note,
                        fmt::format("the claim asks for {}; the new driver cannot resize it below 1Gi",
                                    format_bytes(*asked))});
  }
}

void check_attachments(const AdoptionLook& look, Findings& findings) {
  const std::string name = kube::identity_of(look.volume).name;
  for (const Value& attachment : look.attachments) {
    if (attachment.text_at("/spec/source/persistentVolumeName") != name) continue;
    findings.push_back(
        {"adopt-attached", wait,
         fmt::format("the old volume is attached to node {} (volumeattachment {})",
                     attachment.text_at("/spec/nodeName"), kube::identity_of(attachment).name)});
  }
}

void tell_what_stays(const AdoptionLook& look, Findings& findings) {
  const Seconds downtime = adoption_downtime(look.old_driver_attaches.value_or(true));
  std::string why = "the old driver does not attach its volumes";
  if (!look.old_driver_attaches) why = "whether the old driver attaches its volumes is not known";
  if (look.old_driver_attaches.value_or(false)) why = "the old driver attaches its volumes (attachRequired)";
  findings.push_back({"adopt-downtime", note, fmt::format("at most {} s away: {}", downtime.count(), why)});
  const std::string& share = look.volume.text_at("/spec/csi/volumeAttributes/share");
  findings.push_back(
      {"adopt-stays", note,
       fmt::format(
           "the data stays where it is, {}, with the old share's options; its parent dataset must not "
           "be deleted, nor may a clean-up tool of either driver be run (they destroy datasets that "
           "have no volume of their own driver); the old driver must stay installed until its volume "
           "object is gone",
           share)});
}

}  // namespace

bool fs_group_would_change(const Value& pod_spec, const Value& old_volume, std::string_view old_policy,
                           std::string_view new_policy) {
  if (pod_spec.at("/securityContext/fsGroup") == nullptr) return false;
  // The adopted volume says no fsType, so the API's default policy never applies to it.
  if (new_policy == "None" || new_policy == "ReadWriteOnceWithFSType") return false;
  if (old_policy == "File") return false;
  const bool old_applies = old_policy == "ReadWriteOnceWithFSType" && once_only(old_volume) &&
                           !old_volume.text_at("/spec/csi/fsType").empty();
  return !old_applies;
}

std::vector<std::string> snapshots_of(const Value& volume, const std::vector<Value>& contents) {
  std::vector<std::string> names;
  const std::string& handle = volume.text_at("/spec/csi/volumeHandle");
  for (const Value& content : contents) {
    const std::string& of = content.text_at("/spec/source/volumeHandle");
    const std::string& taken = content.text_at("/status/snapshotHandle");
    // A pre-provisioned one says only the snapshot: "<dataset>@<name>".
    const std::string& given = content.text_at("/spec/source/snapshotHandle");
    const auto is_of = [&](const std::string& snapshot) {
      return !handle.empty() && (contains(snapshot, handle + "@") || contains(snapshot, handle + "/"));
    };
    if (content.text_at("/spec/driver") != volume.text_at("/spec/csi/driver")) continue;
    if (handle.empty() || (of != handle && !is_of(taken) && !is_of(given))) continue;
    names.push_back(
        fmt::format("volumesnapshot {}/{} (content {})", content.text_at("/spec/volumeSnapshotRef/namespace"),
                    content.text_at("/spec/volumeSnapshotRef/name"), kube::identity_of(content).name));
  }
  return names;
}

std::vector<std::string> clones_of(const Value& claim, const std::vector<Value>& claims) {
  std::vector<std::string> names;
  const kube::Identity identity = kube::identity_of(claim);
  for (const Value& other : claims) {
    const kube::Identity theirs = kube::identity_of(other);
    for (const char* source : {"/spec/dataSourceRef", "/spec/dataSource"}) {
      const Value* from = other.at(source);
      if (from == nullptr || from->text_at("/kind") != kube::k_claim.kind) continue;
      const std::string& ns = from->text_at("/namespace");
      if (from->text_at("/name") != identity.name || (ns.empty() ? theirs.ns : ns) != identity.ns) continue;
      names.push_back(kube::describe(kube::k_claim, theirs.ns, theirs.name));
      break;
    }
  }
  return names;
}

Findings adoption_findings(const AdoptionLook& look) {
  Findings findings;
  check_source(look, findings);
  check_size(look, findings);
  check_groups(look, findings);
  check_neighbours(look, findings);
  check_attachments(look, findings);
  tell_what_stays(look, findings);
  std::stable_sort(findings.begin(), findings.end(), [](const AdoptionFinding& a, const AdoptionFinding& b) {
    return a.severity < b.severity;
  });
  return findings;
}

}  // namespace truenas::storage
