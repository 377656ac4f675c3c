#include "tests/fakes/site.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "tests/fakes/objects.h"

namespace truenas::fakes {
namespace {

using json::Value;

Value named(std::string_view api, std::string_view kind, std::string_view ns, std::string_view name) {
  Value object = Value::object({{"apiVersion", api}, {"kind", kind}});
  object.set_at("/metadata/name", name);
  if (!ns.empty()) object.set_at("/metadata/namespace", ns);
  return object;
}

void put_class(FakeCluster& cluster, std::string_view name, std::string_view driver,
               const Value& parameters) {
  Value object = named("storage.k8s.io/v1", "StorageClass", "", name);
  object.set("provisioner", driver);
  object.set("parameters", parameters);
  object.set("reclaimPolicy", "Delete");
  object.set("volumeBindingMode", "Immediate");
  object.set("allowVolumeExpansion", true);
  cluster.put(object);
  Value csi = named("storage.k8s.io/v1", "CSIDriver", "", driver);
  csi.set_at("/spec/attachRequired", true);
  csi.set_at("/spec/podInfoOnMount", true);
  cluster.put(csi);
}

struct Workspace {
  std::string claim, id, owner, name;
  bool running = false;
};

// The names of facts/coder.md 1.1: today's, devcontainer's, the ones by owner and name, envbox's.
std::vector<Workspace> workspaces() {
  return {
      {"coder-3f0a1e52-7c1d-4a55-9f2b-0d6a1c7e9a01-home", "3f0a1e52-7c1d-4a55-9f2b-0d6a1c7e9a01", "ada",
       "dev", true},
      {"coder-8a44c0de-11aa-4c1e-8b1e-5f1f0a2b3c02-workspaces", "8a44c0de-11aa-4c1e-8b1e-5f1f0a2b3c02", "bob",
       "container", true},
      {"coder-0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403-home", "0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403", "ada",
       "big", false},
      {"coder-carol-legacy-home", "", "carol", "legacy", false},
      {"coder-dave-envbox-home", "", "dave", "envbox", false},
  };
}

void put_workspace(FakeCluster& cluster, const Workspace& workspace) {
  constexpr std::string_view ns = "coder-workspaces";
  Value claim = named("v1", "PersistentVolumeClaim", ns, workspace.claim);
  Value labels = Value::object();
  if (!workspace.id.empty()) {
    labels = Value::object({{"app.kubernetes.io/name", "coder-pvc"},
                            {"app.kubernetes.io/instance", "coder-pvc-" + workspace.id},
                            {"app.kubernetes.io/part-of", "coder"},
                            {"com.coder.resource", "true"},
                            {"com.coder.workspace.id", workspace.id},
                            {"com.coder.workspace.name", workspace.name},
                            {"com.coder.user.username", workspace.owner}});
    claim.set_at("/metadata/labels", labels);
  }
  claim.set_at("/metadata/finalizers", Value::array({"kubernetes.io/pvc-protection"}));
  claim.set_at("/spec/accessModes", Value::array({"ReadWriteOnce"}));
  claim.set_at("/spec/resources/requests/storage", "10Gi");
  claim.set_at("/spec/storageClassName", k_old_class);
  claim.set_at("/spec/volumeMode", "Filesystem");
  claim.set_at("/status/phase", "Pending");
  cluster.put(claim);
  if (!workspace.running) return;
  Value deployment = named("apps/v1", "Deployment", ns, "coder-" + workspace.id);
  deployment.set_at("/metadata/labels", labels);
  deployment.set_at("/spec/replicas", 1);
  deployment.set_at("/spec/template/metadata/labels",
                    Value::object({{"app.kubernetes.io/name", "coder-workspace"}}));
  deployment.set_at(
      "/spec/template/spec/containers",
      Value::array({Value::object({{"name", "dev"},
                                   {"image", "codercom/enterprise-base:ubuntu"},
                                   {"env", Value::array({Value::object({{"name", "CODER_AGENT_TOKEN"},
                                                                        {"value", "not-a-token"}})})}})}));
  deployment.set_at(
      "/spec/template/spec/volumes",
      Value::array({Value::object(
          {{"name", "home"}, {"persistentVolumeClaim", Value::object({{"claimName", workspace.claim}})}})}));
  cluster.put(deployment);
}

void put_coder(FakeCluster& cluster, const SiteOptions& options) {
  Value secret = named("v1", "Secret", options.ns, "coder-db-url");
  secret.set_at("/data/url", base64_encode("postgres://coder@coder-postgres-rw:5432/coder"));
  cluster.put(secret);
  Value deployment = named("apps/v1", "Deployment", options.ns, "coder");
  deployment.set_at("/metadata/labels/app.kubernetes.io~1name", "coder");
  deployment.set_at("/spec/replicas", 1);
  deployment.set_at("/spec/template/metadata/labels", Value::object({{"app.kubernetes.io/name", "coder"}}));
  deployment.set_at("/spec/template/spec/containers",
                    Value::array({Value::object({{"name", "coder"}, {"image", "ghcr.io/coder/coder:v2"}})}));
  cluster.put(deployment);
}

}  // namespace

void build_classes(FakeCluster& cluster) {
  for (std::string_view name : {"coder", "coder-workspaces"}) {
    cluster.put(named("v1", "Namespace", "", name));
  }
  put_class(cluster, k_old_class, k_old_driver, Value::object({{"fsType", "nfs"}}));
  put_class(cluster, k_new_class, k_new_driver,
            Value::object({{"protocol", "nfs"},
                           {"pool", "SAS"},
                           {"compression", "LZ4"},
                           {"nfs.mapAllUser", ""},
                           {"nfs.mapAllGroup", ""},
                           {"nfs.datasetPermissionsMode", "0777"},
                           {"nfs.datasetPermissionsUser", "0"},
                           {"nfs.datasetPermissionsGroup", "0"}}));
}

Value cluster_manifest(const SiteOptions& options) {
  Value cluster = named("postgresql.cnpg.io/v1", "Cluster", options.ns, options.cluster);
  const Value storage = Value::object({{"storageClass", k_old_class}, {"size", "10Gi"}});
  cluster.set_at("/spec/instances", options.instances);
  cluster.set_at("/spec/imageName", "ghcr.io/cloudnative-pg/postgresql:15.18");
  cluster.set_at("/spec/bootstrap/initdb", Value::object({{"database", "coder"}, {"owner", "coder"}}));
  cluster.set_at("/spec/storage", storage);
  if (options.wal_storage) cluster.set_at("/spec/walStorage", storage);
  if (options.tablespace) {
    cluster.set_at("/spec/tablespaces",
                   Value::array({Value::object({{"name", "fast"}, {"storage", storage}})}));
  }
  return cluster;
}

std::vector<std::string> workspace_claims() {
  std::vector<std::string> names;
  for (const Workspace& workspace : workspaces()) names.push_back(workspace.claim);
  return names;
}

bool build_site(FakeCluster& cluster, const SiteOptions& options) {
  build_classes(cluster);
  cluster.put(cluster_manifest(options));
  if (options.workspaces) {
    for (const Workspace& workspace : workspaces()) put_workspace(cluster, workspace);
  }
  put_coder(cluster, options);
  const CnpgOptions wanted = cluster.cnpg.options;
  cluster.cnpg.options = CnpgOptions{};
  cluster.cnpg.options.monotonic_serials = wanted.monotonic_serials;
  const bool settled = cluster.tick_until([&] {
    const Value* database = cluster.find(kube::k_cluster, options.ns, options.cluster);
    if (database->text_at("/status/phase") != "Cluster in healthy state") return false;
    for (const Value* claim : cluster.store.list("", "persistentvolumeclaims")) {
      if (claim->text_at("/status/phase") != "Bound") return false;
    }
    return true;
  });
  cluster.cnpg.options = wanted;
  for (const std::string& claim : options.workspaces ? workspace_claims() : std::vector<std::string>{}) {
    Dataset* home = cluster.storage.dataset_of("coder-workspaces", claim);
    if (home != nullptr) home->files = {{"work/main.go", "package main"}, {".bash_history", claim}};
  }
  for (int i = 0; i < options.rows; ++i) cluster.cnpg.write(options.ns, options.cluster);
  cluster.tick(2);
  return settled;
}

}  // namespace truenas::fakes
