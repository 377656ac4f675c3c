#pragma once
// The kinds of objects that this tool touches and their REST paths. Pure; no I/O.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::kube {

struct ResourceType {
  std::string_view group;    // "" for core
  std::string_view version;  // "v1"
  std::string_view plural;   // "persistentvolumeclaims"
  std::string_view kind;     // "PersistentVolumeClaim"
  bool namespaced = true;
};

inline constexpr ResourceType k_namespace{"", "v1", "namespaces", "Namespace", false};
inline constexpr ResourceType k_node{"", "v1", "nodes", "Node", false};
inline constexpr ResourceType k_pod{"", "v1", "pods", "Pod", true};
inline constexpr ResourceType k_secret{"", "v1", "secrets", "Secret", true};
inline constexpr ResourceType k_service{"", "v1", "services", "Service", true};
inline constexpr ResourceType k_config_map{"", "v1", "configmaps", "ConfigMap", true};
inline constexpr ResourceType k_event{"", "v1", "events", "Event", true};
inline constexpr ResourceType k_claim{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true};
inline constexpr ResourceType k_volume{"", "v1", "persistentvolumes", "PersistentVolume", false};
inline constexpr ResourceType k_storage_class{"storage.k8s.io", "v1", "storageclasses", "StorageClass",
                                              false};
inline constexpr ResourceType k_csi_driver{"storage.k8s.io", "v1", "csidrivers", "CSIDriver", false};
inline constexpr ResourceType k_csi_node{"storage.k8s.io", "v1", "csinodes", "CSINode", false};
inline constexpr ResourceType k_volume_attachment{"storage.k8s.io", "v1", "volumeattachments",
                                                  "VolumeAttachment", false};
// Of the snapshot controller, which a cluster need not have.
inline constexpr ResourceType k_snapshot_content{"snapshot.storage.k8s.io", "v1", "volumesnapshotcontents",
                                                 "VolumeSnapshotContent", false};
inline constexpr ResourceType k_job{"batch", "v1", "jobs", "Job", true};
inline constexpr ResourceType k_deployment{"apps", "v1", "deployments", "Deployment", true};
inline constexpr ResourceType k_stateful_set{"apps", "v1", "statefulsets", "StatefulSet", true};
inline constexpr ResourceType k_lease{"coordination.k8s.io", "v1", "leases", "Lease", true};
inline constexpr ResourceType k_cluster{"postgresql.cnpg.io", "v1", "clusters", "Cluster", true};
inline constexpr ResourceType k_backup{"postgresql.cnpg.io", "v1", "backups", "Backup", true};
inline constexpr ResourceType k_role{"rbac.authorization.k8s.io", "v1", "roles", "Role", true};
inline constexpr ResourceType k_role_binding{"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding",
                                             true};
inline constexpr ResourceType k_access_review{"authorization.k8s.io", "v1", "selfsubjectaccessreviews",
                                              "SelfSubjectAccessReview", false};

// "/api/v1/namespaces/coder/pods/x/status"; ns "" on a namespaced type means all namespaces (lists only),
// name "" the collection. Kind::usage for a name or namespace that is ".", "..", or has "/" or "%" (H7), and
// for a named or created object of a namespaced type without namespace.
Result<std::string> resource_path(const ResourceType& type, std::string_view ns, std::string_view name,
                                  std::string_view subresource = "");
// "persistentvolumeclaim coder/x", "persistentvolume pvc-1": how messages name an object.
std::string describe(const ResourceType& type, std::string_view ns, std::string_view name);
// The same for an object at hand; the type's kind comes from the object.
std::string describe(const json::Value& object);
// "postgresql.cnpg.io/v1", "v1".
std::string api_version(const ResourceType& type);

// The metadata that every decision needs.
struct Identity {
  std::string ns, name, uid, resource_version;
};
Identity identity_of(const json::Value& object);
// metadata.labels[key] / metadata.annotations[key], "" if absent.
const std::string& label_of(const json::Value& object, std::string_view key);
const std::string& annotation_of(const json::Value& object, std::string_view key);
// The claims that a Pod with this spec mounts (volumes[].persistentVolumeClaim.claimName), each once.
std::vector<std::string> mounted_claims(const json::Value& pod_spec);
// Whether this Pod mounts the claim of that name in its namespace.
bool mounts(const json::Value& pod, std::string_view claim);

}  // namespace truenas::kube
