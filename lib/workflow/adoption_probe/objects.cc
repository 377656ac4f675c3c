// The objects of an adoption probe. Pure.

#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "lib/storage/adoption.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/volume.h"
#include "lib/workflow/adoption_probe.h"

namespace truenas::workflow {
namespace {

using json::Value;

constexpr std::array k_rows = {
    kube::PermissionRow{"get list create patch delete", "", "persistentvolumes", "", false,
                        "for the read-only volume that tries the adoption"},
    kube::PermissionRow{"list", "storage.k8s.io", "volumeattachments", "", false,
                        "to see what the new driver mounts"},
    kube::PermissionRow{"get list create patch delete", "", "persistentvolumeclaims", "", true,
                        "for the claim that tries the adoption"},
    kube::PermissionRow{"get list create delete", "", "pods", "", true, "to read the dataset's files"},
    kube::PermissionRow{"get", "", "pods", "log", true, "to read what was found"},
    kube::PermissionRow{"get create delete", "", "configmaps", "", true, "for the mover's program"},
    kube::PermissionRow{"list", "", "events", "", true, "to say why something waits"},
};

const std::string& uid_of(const AdoptionProbeRequest& request) {
  return request.old_volume.text_at("/metadata/uid");
}

}  // namespace

std::string adoption_probe_name(const AdoptionProbeRequest& request) {
  return adoption_probe_name(uid_of(request));
}

std::string adoption_probe_name(std::string_view old_volume_uid) {
  return fmt::format("truenas-migrate-probe-{}", old_volume_uid);
}

std::string adoption_probe_selector(const AdoptionProbeRequest& request) {
  return fmt::format("{}={},{}={},{}={}", storage::k_managed_by_label, storage::k_managed_by_value,
                     storage::k_component_label, storage::k_adoption_probe_value, storage::k_for_uid_label,
                     uid_of(request));
}

Result<Value> adoption_probe_volume(const AdoptionProbeRequest& request) {
  const std::string name = adoption_probe_name(request);
  const storage::AdoptionTarget target = {
      name,
      request.driver,
      request.storage_class,
      request.ns,
      name,
      {{std::string(storage::k_component_label), std::string(storage::k_adoption_probe_value)},
       {std::string(storage::k_for_uid_label), uid_of(request)}},
      {}};
  if (request.own_driver) return storage::read_only_twin(request.old_volume, target);
  return storage::read_only_adopted_volume(request.old_volume, target);
}

Value adoption_probe_claim(const AdoptionProbeRequest& request) {
  const std::string name = adoption_probe_name(request);
  const Value labels =
      Value::object({{std::string(storage::k_managed_by_label), storage::k_managed_by_value},
                     {std::string(storage::k_component_label), storage::k_adoption_probe_value},
                     {std::string(storage::k_for_uid_label), uid_of(request)}});
  const std::string& size = request.old_volume.text_at("/spec/capacity/storage");
  Value claim = Value::object({{"apiVersion", "v1"}, {"kind", kube::k_claim.kind}});
  claim.set("metadata", Value::object({{"name", name}, {"namespace", request.ns}, {"labels", labels}}));
  claim.set("spec", Value::object(
                        {{"accessModes", Value::array({"ReadOnlyMany"})},
                         {"storageClassName", request.storage_class},
                         {"volumeName", name},
                         {"resources", Value::object({{"requests", Value::object({{"storage", size}})}})}}));
  return claim;
}

MoverRequest adoption_probe_mover(const AdoptionProbeRequest& request) {
  MoverRequest mover;
  mover.ns = request.ns;
  mover.run = sha256_hex(uid_of(request)).substr(0, 16);
  mover.arguments = request.arguments;
  if (mover.arguments.empty()) mover.arguments = {"scan", "--top"};
  mover.arguments.emplace_back("--expect-source-mount");
  if (!request.expected_type.empty()) {
    mover.arguments.push_back("--expect-source-type=" + request.expected_type);
  }
  mover.arguments.emplace_back("/source");
  mover.mounts = {{adoption_probe_name(request), "/source", true}};
  for (const storage::MoverMount& mount : request.more) {
    mover.arguments.push_back(mount.path);
    mover.mounts.push_back(mount);
  }
  mover.wishes = request.wishes;
  mover.fallback_image = request.fallback_image;
  return mover;
}

std::vector<kube::Permission> adoption_probe_permissions(std::string_view ns) {
  return kube::permissions(k_rows, ns);
}

}  // namespace truenas::workflow
