#include "lib/workflow/adoption_look.h"

#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/volume.h"
#include "lib/workflow/adoption_probe.h"

namespace truenas::workflow {
namespace {

using json::Value;
using storage::AdoptionLook;

constexpr std::array k_rows = {
    kube::PermissionRow{"list", "", "persistentvolumes", "", false, "to see who else uses the dataset"},
    kube::PermissionRow{"list", "storage.k8s.io", "volumeattachments", "", false,
                        "to see what is attached where"},
    kube::PermissionRow{"list", "", "persistentvolumeclaims", "", true, "to see clones of the claim"},
    kube::PermissionRow{"list", "", "pods", "", true, "to see who mounts the claim"},
    kube::PermissionRow{"list", "apps", "deployments", "", true, "to see who mounts the claim"},
    kube::PermissionRow{"list", "apps", "statefulsets", "", true, "to see who mounts the claim"},
};
constexpr std::array k_wishes = {
    kube::PermissionRow{"get", "storage.k8s.io", "csidrivers", "", false,
                        "to see how both drivers attach and treat fsGroup"},
    kube::PermissionRow{"list", "snapshot.storage.k8s.io", "volumesnapshotcontents", "", false,
                        "to see snapshots of the volume"},
};

// What the API server fills in where a CSIDriver does not say it.
constexpr std::string_view k_default_policy = "ReadWriteOnceWithFSType";

// An error: could not be looked at. No CSIDriver object means the API's defaults, attachRequired true.
Result<std::optional<Value>> find_driver(const kube::Reader& reader, const std::string& name) {
  if (name.empty()) return make_error(Kind::format, "a volume without a driver");
  return reader.find(kube::k_csi_driver, "", name);
}

std::string policy_of(const Result<std::optional<Value>>& driver) {
  if (!driver.ok()) return "";
  if (!*driver) return std::string(k_default_policy);
  const std::string& policy = (*driver)->text_at("/spec/fsGroupPolicy");
  return policy.empty() ? std::string(k_default_policy) : policy;
}

// Pods that are over count too: what made them may make another.
Result<void> read_workloads(const kube::Reader& reader, const Value& claim, AdoptionLook& look) {
  const kube::Identity identity = kube::identity_of(claim);
  struct Source {
    kube::ResourceType type;
    const char *word, *spec;
  };
  const Source sources[] = {{kube::k_pod, "pod", "/spec"},
                            {kube::k_deployment, "deployment", "/spec/template/spec"},
                            {kube::k_stateful_set, "statefulset", "/spec/template/spec"}};
  for (const Source& source : sources) {
    kube::ListOptions options;
    options.wanted = {"/metadata/name", "/metadata/namespace",
                      "/metadata/labels/app.kubernetes.io~1managed-by",
                      std::string(source.spec) + "/securityContext",
                      std::string(source.spec) + "/volumes/*/persistentVolumeClaim/claimName"};
    TM_TRY_ASSIGN(const std::vector<Value> objects, reader.list(source.type, identity.ns, options));
    for (const Value& object : objects) {
      const Value* spec = object.at(source.spec);
      if (spec == nullptr) continue;
      // Movers have no fsGroup, and are nobody's workload.
      if (kube::label_of(object, storage::k_managed_by_label) == storage::k_managed_by_value) continue;
      for (const std::string& mounted : kube::mounted_claims(*spec)) {
        if (mounted != identity.name) continue;
        look.workloads.push_back({fmt::format("{} {}", source.word, kube::identity_of(object).name), *spec});
      }
    }
  }
  return {};
}

// This tool's own objects on the dataset: what an earlier adoption or a killed probe of this very volume
// left.
bool is_ours(const std::string& name, const std::string& old_uid) {
  return name == storage::adopted_name_of_uid(old_uid) || name == adoption_probe_name(old_uid);
}

Result<void> read_neighbours(const kube::Reader& reader, AdoptionLook& look) {
  kube::ListOptions options;
  options.wanted = storage::volume_fields();
  TM_TRY_ASSIGN(const std::vector<Value> objects, reader.list(kube::k_volume, "", options));
  std::map<std::string, storage::Volume> volumes;
  const std::string uid = kube::identity_of(look.volume).uid;
  for (const Value& object : objects) {
    storage::Volume volume = storage::read_volume(object);
    if (!is_ours(volume.name, uid)) volumes.emplace(volume.name, std::move(volume));
  }
  look.others = storage::users_of_dataset(storage::read_volume(look.volume), volumes);
  TM_TRY_ASSIGN(look.attachments, reader.list(kube::k_volume_attachment, ""));
  return {};
}

Result<void> read_offspring(const kube::Reader& reader, AdoptionLook& look) {
  look.snapshots = read_snapshots(reader, look.volume);
  kube::ListOptions options;
  options.wanted = {"/metadata/name", "/metadata/namespace", "/spec/dataSource", "/spec/dataSourceRef"};
  TM_TRY_ASSIGN(const std::vector<Value> claims,
                reader.list(kube::k_claim, kube::identity_of(look.claim).ns, options));
  look.clones = storage::clones_of(look.claim, claims);
  return {};
}

}  // namespace

std::optional<std::vector<std::string>> read_snapshots(const kube::Reader& reader, const Value& volume) {
  const auto contents = reader.list(kube::k_snapshot_content, "");
  if (contents.ok()) return storage::snapshots_of(volume, *contents);
  // Where the API is not served no CSI driver was ever asked for one.
  if (contents.error().kind == Kind::not_found) return std::vector<std::string>();
  return std::nullopt;
}

Result<AdoptionLook> read_adoption_look(const kube::Reader& reader, const Value& claim, const Value& volume,
                                        const std::string& new_driver) {
  AdoptionLook look;
  look.claim = claim;
  look.volume = volume;
  const auto old_one = find_driver(reader, volume.text_at("/spec/csi/driver"));
  const auto new_one = find_driver(reader, new_driver);
  if (old_one.ok())
    look.old_driver_attaches = !*old_one || (*old_one)->boolean_at("/spec/attachRequired", true);
  look.old_fs_group_policy = policy_of(old_one);
  look.new_fs_group_policy = policy_of(new_one);
  TM_TRY(read_workloads(reader, claim, look));
  TM_TRY(read_neighbours(reader, look));
  TM_TRY(read_offspring(reader, look));
  return look;
}

std::vector<kube::Permission> adoption_look_permissions(std::string_view ns) {
  return kube::permissions(k_rows, ns);
}

std::vector<kube::Permission> adoption_look_wishes(std::string_view ns) {
  return kube::permissions(k_wishes, ns);
}

}  // namespace truenas::workflow
