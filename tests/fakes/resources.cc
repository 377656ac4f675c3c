#include "tests/fakes/resources.h"

#include <algorithm>

#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

void add_finalizer(json::Value& object, std::string_view finalizer) {
  for (const json::Value& present : object.items_at("/metadata/finalizers")) {
    if (present.text() == finalizer) return;
  }
  json::Value* finalizers = object.at("/metadata/finalizers");
  if (finalizers == nullptr) finalizers = &object.set_at("/metadata/finalizers", json::Value::array());
  finalizers->push_back(finalizer);
}

bool same_at(const json::Value& a, const json::Value& b, std::string_view pointer) {
  const json::Value* left = a.at(pointer);
  const json::Value* right = b.at(pointer);
  if (left == nullptr || right == nullptr) return left == right;
  return *left == *right;
}

// A claim's spec without what may change: the requested size, and volumeName while it is not set.
json::Value fixed_claim_spec(const json::Value& claim, bool unbound) {
  json::Value spec = claim.find("spec") != nullptr ? *claim.find("spec") : json::Value::object();
  spec.remove_at("/resources/requests");
  spec.remove_at("/volumeAttributesClassName");
  if (unbound) spec.remove("volumeName");
  return spec;
}

}  // namespace

std::vector<KnownResource> default_resources() {
  return {
      {"", "v1", "namespaces", "Namespace", false, true},
      {"", "v1", "nodes", "Node", false, true},
      {"", "v1", "pods", "Pod", true, true},
      {"", "v1", "secrets", "Secret", true, false},
      {"", "v1", "services", "Service", true, true},
      {"", "v1", "configmaps", "ConfigMap", true, false},
      {"", "v1", "events", "Event", true, false},
      {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true, true},
      {"", "v1", "persistentvolumes", "PersistentVolume", false, true},
      {"", "v1", "resourcequotas", "ResourceQuota", true, true},
      {"", "v1", "limitranges", "LimitRange", true, false},
      {"", "v1", "serviceaccounts", "ServiceAccount", true, false},
      {"storage.k8s.io", "v1", "storageclasses", "StorageClass", false, false},
      {"storage.k8s.io", "v1", "csidrivers", "CSIDriver", false, false},
      {"storage.k8s.io", "v1", "csinodes", "CSINode", false, false},
      {"storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", false, true},
      {"rbac.authorization.k8s.io", "v1", "roles", "Role", true, false},
      {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true, false},
      {"batch", "v1", "jobs", "Job", true, true},
      {"apps", "v1", "deployments", "Deployment", true, true},
      {"apps", "v1", "replicasets", "ReplicaSet", true, true},
      {"apps", "v1", "statefulsets", "StatefulSet", true, true},
      {"coordination.k8s.io", "v1", "leases", "Lease", true, false},
      {"postgresql.cnpg.io", "v1", "clusters", "Cluster", true, true},
      {"postgresql.cnpg.io", "v1", "backups", "Backup", true, true},
      {"postgresql.cnpg.io", "v1", "scheduledbackups", "ScheduledBackup", true, true},
  };
}

json::Value with_defaults(const KnownResource& resource, json::Value object) {
  if (resource.has_status) object.remove("status");
  if (resource.plural == "persistentvolumeclaims") {
    add_finalizer(object, "kubernetes.io/pvc-protection");
    if (object.text_at("/spec/volumeMode").empty()) object.set_at("/spec/volumeMode", "Filesystem");
    object.set_at("/status/phase", "Pending");
  } else if (resource.plural == "persistentvolumes") {
    add_finalizer(object, "kubernetes.io/pv-protection");
    if (object.text_at("/spec/volumeMode").empty()) object.set_at("/spec/volumeMode", "Filesystem");
    if (object.text_at("/spec/persistentVolumeReclaimPolicy").empty()) {
      object.set_at("/spec/persistentVolumeReclaimPolicy", "Retain");
    }
    object.set_at("/status/phase", "Pending");
  } else if (resource.plural == "pods") {
    object.set_at("/status/phase", "Pending");
  } else if (resource.plural == "namespaces") {
    object.set_at("/status/phase", "Active");
  } else if (resource.plural == "storageclasses") {
    if (object.text_at("/reclaimPolicy").empty()) object.set("reclaimPolicy", "Delete");
    if (object.text_at("/volumeBindingMode").empty()) object.set("volumeBindingMode", "Immediate");
  }
  return object;
}

std::optional<http::Response> forbidden_change(const KnownResource& resource, const json::Value& before,
                                               const json::Value& after) {
  const std::string& name = before.text_at("/metadata/name");
  const auto refuse = [&](std::string_view field, std::string_view why) {
    return invalid(resource.group, resource.kind, name, field, why);
  };
  if (resource.plural == "persistentvolumeclaims") {
    const bool unbound = before.text_at("/spec/volumeName").empty();
    if (fixed_claim_spec(before, unbound) != fixed_claim_spec(after, unbound)) {
      return refuse("spec",
                    "Forbidden: spec is immutable after creation except resources.requests and "
                    "volumeAttributesClassName for bound claims");
    }
  } else if (resource.plural == "persistentvolumes") {
    for (std::string_view source : {"/spec/csi", "/spec/nfs", "/spec/hostPath"}) {
      if (!same_at(before, after, source)) {
        return refuse("spec.persistentvolumesource",
                      "Forbidden: spec.persistentvolumesource is immutable after creation");
      }
    }
  } else if (resource.plural == "storageclasses") {
    for (std::string_view field : {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"}) {
      if (!same_at(before, after, "/" + std::string(field))) {
        return refuse(field, "Forbidden: updates to " + std::string(field) + " are forbidden.");
      }
    }
  }
  return std::nullopt;
}

bool is_object_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return edge(name.front()) && edge(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return edge(c) || c == '-' || c == '.'; });
}

}  // namespace truenas::fakes
