#include "tests/fakes/fleet.h"

#include <fmt/format.h>

#include "tests/fakes/site.h"

namespace truenas::fakes {
namespace {

using json::Value;

constexpr std::string_view k_ns = "coder-workspaces", k_coder_ns = "coder";
constexpr std::string_view k_coder_role = "coder-workspace-perms";
constexpr int k_first_stopped = 0x10000000;  // beyond any fleet's numbers

Value named(std::string_view api, std::string_view kind, std::string_view name) {
  Value object = Value::object({{"apiVersion", api}, {"kind", kind}});
  object.set_at("/metadata/name", name);
  return object;
}

// What the API server's own writers leave on every object.
Value managed_fields(std::string_view manager) {
  return Value::array({Value::object(
      {{"manager", manager},
       {"operation", "Update"},
       {"fieldsType", "FieldsV1"},
       {"fieldsV1", Value::object({{"f:metadata", Value::object({{"f:labels", Value::object()}})},
                                   {"f:spec", Value::object({{"f:accessModes", Value::object()}})}})}})});
}

Value put_claim(FakeCluster& cluster, const std::string& name, const std::string& volume,
                const Value& labels) {
  Value claim = named("v1", "PersistentVolumeClaim", name);
  claim.set_at("/metadata/namespace", k_ns);
  claim.set_at("/metadata/labels", labels);
  claim.set_at("/metadata/annotations", Value::object({{"com.coder.user.email", "user@example.com"},
                                                       {"pv.kubernetes.io/bind-completed", "yes"}}));
  claim.set_at("/metadata/finalizers", Value::array({"kubernetes.io/pvc-protection"}));
  claim.set_at("/metadata/managedFields", managed_fields("coder"));
  claim.set_at("/spec/accessModes", Value::array({"ReadWriteOnce"}));
  claim.set_at("/spec/resources/requests/storage", "10Gi");
  claim.set_at("/spec/storageClassName", k_old_class);
  claim.set_at("/spec/volumeMode", "Filesystem");
  claim.set_at("/spec/volumeName", volume);
  claim.set_at("/status/phase", "Bound");
  claim.set_at("/status/capacity/storage", "10Gi");
  return cluster.put(claim);
}

void put_volume(FakeCluster& cluster, const std::string& name, const Value& claim) {
  Value volume = named("v1", "PersistentVolume", name);
  volume.set_at("/metadata/managedFields", managed_fields("csi-provisioner"));
  volume.set_at("/spec/capacity/storage", "10Gi");
  volume.set_at("/spec/storageClassName", k_old_class);
  volume.set_at("/spec/persistentVolumeReclaimPolicy", "Delete");
  volume.set_at("/spec/claimRef", Value::object({{"namespace", k_ns},
                                                 {"name", claim.text_at("/metadata/name")},
                                                 {"uid", claim.text_at("/metadata/uid")}}));
  volume.set_at("/spec/csi/driver", k_old_driver);
  volume.set_at("/spec/csi/volumeHandle", name);
  volume.set_at("/spec/csi/volumeAttributes/share", "/mnt/SAS/RKE2/" + name);
  volume.set_at("/status/phase", "Bound");
  cluster.put(volume);
}

Value pod_spec(const std::string& claim) {
  Value container = Value::object({{"name", "dev"}, {"image", "codercom/enterprise-base:ubuntu"}});
  container.set("env",
                Value::array({Value::object({{"name", "CODER_AGENT_TOKEN"}, {"value", "not-a-token"}})}));
  const Value home =
      Value::object({{"name", "home"}, {"persistentVolumeClaim", Value::object({{"claimName", claim}})}});
  return Value::object(
      {{"nodeName", "node1"}, {"containers", Value::array({container})}, {"volumes", Value::array({home})}});
}

void put_running(FakeCluster& cluster, const std::string& id, const std::string& claim, const Value& labels) {
  Value deployment = named("apps/v1", "Deployment", "coder-" + id);
  deployment.set_at("/metadata/namespace", k_ns);
  deployment.set_at("/metadata/labels", labels);
  deployment.set_at("/spec/replicas", 1);
  deployment.set_at("/spec/template/spec", pod_spec(claim));
  cluster.put(deployment);
  Value pod = named("v1", "Pod", "coder-" + id + "-5d9f8c7b6-x2x4z");
  pod.set_at("/metadata/namespace", k_ns);
  pod.set_at("/metadata/labels", labels);
  pod.set_at("/metadata/managedFields", managed_fields("kubelet"));
  pod.set_at("/metadata/ownerReferences",
             Value::array({Value::object(
                 {{"kind", "ReplicaSet"}, {"name", "coder-" + id + "-5d9f8c7b6"}, {"controller", true}})}));
  pod.set_at("/spec", pod_spec(claim));
  pod.set_at("/status/phase", "Running");
  cluster.put(pod);
}

struct Home {
  std::string id, claim, volume;
  Value labels;
};

Home put_home(FakeCluster& cluster, int number) {
  const std::string id = fmt::format("{:08x}-0000-4000-8000-{:012x}", number, number);
  Home home{id, fmt::format("coder-{}-home", id), "pvc-" + id,
            Value::object({{"app.kubernetes.io/name", "coder-pvc"},
                           {"app.kubernetes.io/instance", "coder-pvc-" + id},
                           {"app.kubernetes.io/part-of", "coder"},
                           {"com.coder.resource", "true"},
                           {"com.coder.workspace.id", id},
                           {"com.coder.workspace.name", fmt::format("workspace-{}", number)},
                           {"com.coder.user.id", id},
                           {"com.coder.user.username", fmt::format("user-{}", number % 500)}})};
  put_volume(cluster, home.volume, put_claim(cluster, home.claim, home.volume, home.labels));
  return home;
}

bool may_delete_claims(const FakeCluster& cluster) {
  const Value* role = cluster.find(kube::k_role, k_ns, k_coder_role);
  if (role == nullptr) return false;
  for (const Value& rule : role->items_at("/rules")) {
    for (const Value& verb : rule.items_at("/verbs")) {
      if (verb.text() == "*" || verb.text() == "delete") return true;
    }
  }
  return false;
}

}  // namespace

void put_fleet(FakeCluster& cluster, int workspaces) {
  for (int i = 0; i < workspaces; ++i) {
    const Home home = put_home(cluster, i);
    if (i % 2 == 0) put_running(cluster, home.id, home.claim, home.labels);
  }
}

void put_stopped_homes(FakeCluster& cluster, int workspaces) {
  for (int i = 0; i < workspaces; ++i) {
    const Home home = put_home(cluster, k_first_stopped + i);
    const std::string path = "/mnt/SAS/RKE2/" + home.volume;
    cluster.nas.datasets[path] = Dataset{path, fmt::format("{}/{}", k_ns, home.claim), 0, {}};
  }
}

void put_coder_rights(FakeCluster& cluster) {
  Value coder = named("apps/v1", "Deployment", "coder");
  coder.set_at("/metadata/namespace", k_coder_ns);
  coder.set_at("/metadata/labels", Value::object({{"app.kubernetes.io/name", "coder"}}));
  coder.set_at("/spec/replicas", 1);
  coder.set_at("/spec/template/metadata/labels", Value::object({{"app.kubernetes.io/name", "coder"}}));
  coder.set_at("/spec/template/spec",
               Value::object({{"serviceAccountName", "coder"},
                              {"containers", Value::array({Value::object({{"name", "coder"}})})}}));
  cluster.put(coder);
  Value role = named("rbac.authorization.k8s.io/v1", "Role", k_coder_role);
  role.set_at("/metadata/namespace", k_ns);
  role.set("rules", Value::array({Value::object({{"apiGroups", Value::array({""})},
                                                 {"resources", Value::array({"persistentvolumeclaims"})},
                                                 {"verbs", Value::array({"*"})}})}));
  cluster.put(role);
  Value binding = named("rbac.authorization.k8s.io/v1", "RoleBinding", "coder");
  binding.set_at("/metadata/namespace", k_ns);
  binding.set("subjects", Value::array({Value::object(
                              {{"kind", "ServiceAccount"}, {"name", "coder"}, {"namespace", k_coder_ns}})}));
  binding.set(
      "roleRef",
      Value::object({{"kind", "Role"}, {"name", k_coder_role}, {"apiGroup", "rbac.authorization.k8s.io"}}));
  cluster.put(binding);
  cluster.api.account_may = [&cluster](const std::string& user, const std::string& verb,
                                       const ApiPath& path) {
    const bool takes = verb == "create" || verb == "delete" || verb == "deletecollection";
    if (user != "system:serviceaccount:coder:coder" || path.plural != "persistentvolumeclaims" || !takes) {
      return true;
    }
    return may_delete_claims(cluster);
  };
}

}  // namespace truenas::fakes
