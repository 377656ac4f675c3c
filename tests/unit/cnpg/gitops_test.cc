#include "lib/kube/gitops.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/cnpg/manifest.h"
#include "tests/unit/cnpg/fixtures.h"

using namespace truenas;
using namespace truenas::cnpg;
using kube::gitops_owners;

namespace {

json::Value marked(std::string_view labels, std::string_view annotations = "{}") {
  json::Value cluster = load_documents("healthy").cluster;
  cluster.set_at("/metadata/labels", yaml(labels));
  cluster.set_at("/metadata/annotations", yaml(annotations));
  return cluster;
}

}  // namespace

TEST_CASE("marks that prove an owner, and marks that do not") {
  struct Row {
    const char *labels, *annotations, *tool, *name;
    bool reverts;
  };
  const Row rows[] = {
      {"{}", "{argocd.argoproj.io/tracking-id: 'site:postgresql.cnpg.io/Cluster:coder/coder-postgres'}",
       "Argo CD", "site", true},
      {"{argocd.argoproj.io/instance: site}", "{}", "Argo CD", "site", true},
      {"{kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}", "{}",
       "Flux", "kustomization flux-system/apps", true},
      {"{helm.toolkit.fluxcd.io/name: coder, helm.toolkit.fluxcd.io/namespace: coder}",
       "{meta.helm.sh/release-name: coder}", "Flux", "helmrelease coder/coder", true},
      {"{objectset.rio.cattle.io/hash: abc}", "{objectset.rio.cattle.io/id: default-site-coder}", "Fleet",
       "default-site-coder", true},
      {"{fleet.cattle.io/bundle-id: site-coder}", "{}", "Fleet", "site-coder", true},
      {"{objectset.rio.cattle.io/hash: abc}",
       "{objectset.rio.cattle.io/owner-gvk: 'k3s.cattle.io/v1, Kind=Addon', "
       "objectset.rio.cattle.io/owner-name: pg}",
       "k3s", "pg", true},
      {"{app.kubernetes.io/managed-by: Helm}",
       "{meta.helm.sh/release-name: pg, meta.helm.sh/release-namespace: coder}", "Helm", "coder/pg", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.labels);
    CAPTURE(row.annotations);
    const auto owners = gitops_owners(marked(row.labels, row.annotations));
    REQUIRE(owners.size() == 1);
    CHECK(owners[0].tool == row.tool);
    CHECK(owners[0].name == row.name);
    CHECK(owners[0].reverts == row.reverts);
    CHECK_FALSE(owners[0].evidence.empty());
    CHECK_FALSE(owners[0].pause.empty());
  }
}

TEST_CASE("labels that charts and people set prove nothing") {
  CHECK(gitops_owners(marked("{app.kubernetes.io/instance: site, app.kubernetes.io/managed-by: Helm}"))
            .empty());
  // Copied from another object: Argo CD itself ignores it.
  CHECK(gitops_owners(
            marked("{}", "{argocd.argoproj.io/tracking-id: 'site:postgresql.cnpg.io/Cluster:coder/other'}"))
            .empty());
  CHECK(gitops_owners(load_documents("healthy").cluster).empty());
}

TEST_CASE("a field manager of the spec is proof where labels are absent") {
  json::Value cluster = marked("{}");
  cluster.set_at("/metadata/managedFields", yaml("[{manager: argocd-controller, fieldsV1: {'f:status': {}}}, "
                                                 "{manager: kubectl, fieldsV1: {'f:spec': {}}}]"));
  CHECK(gitops_owners(cluster).empty());
  cluster.set_at("/metadata/managedFields", yaml("[{manager: fleetagent, fieldsV1: {'f:spec': {}}}]"));
  REQUIRE(gitops_owners(cluster).size() == 1);
  CHECK(gitops_owners(cluster)[0].tool == "Fleet");
}

TEST_CASE("the manifest lines an owner's repository must have") {
  const ClusterState plain = load_cluster("healthy");
  CHECK(join(manifest_lines(plain, "truenas-csi-nfs"), "\n") ==
        "spec:\n"
        "  storage:\n"
        "    storageClass: truenas-csi-nfs");
  const ClusterState full = load_cluster("wal_tablespaces");
  const std::string text = join(manifest_lines(full, "truenas-csi-nfs"), "\n");
  CHECK(text ==
        "spec:\n"
        "  storage:\n"
        "    storageClass: truenas-csi-nfs\n"
        "  walStorage:\n"
        "    pvcTemplate:\n"
        "      storageClassName: truenas-csi-nfs\n"
        "  tablespaces:\n"
        "    - name: archive\n"
        "      storage:\n"
        "        storageClass: truenas-csi-nfs");
  // What a person pastes must be YAML that says just that.
  CHECK(yaml(text).text_at("/spec/tablespaces/0/storage/storageClass") == "truenas-csi-nfs");
  CHECK(yaml(join(manifest_lines(plain, "123"), "\n")).text_at("/spec/storage/storageClass") == "123");
  CHECK(yaml(join(manifest_lines_without_fs_group(plain), "\n"))
            .integer_at("/spec/podSecurityContext/runAsUser") == 26);
}
