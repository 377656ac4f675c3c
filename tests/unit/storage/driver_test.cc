// Is the driver ready, who depends on a class, who owns it: read from a fake cluster.

#include "lib/storage/driver.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/kube/gitops.h"
#include "lib/storage/class_users.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/unit/storage/class_text.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

struct Fixture {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  kube::Reader reader{*session};

  Fixture() { fakes::build_classes(cluster); }
  void put(std::string_view text) { cluster.put(yaml(text)); }
};

}  // namespace

TEST_CASE("a driver with controller and nodes is ready; cordoned and tainted nodes do not count") {
  Fixture site;
  site.put("{apiVersion: v1, kind: Node, metadata: {name: a}}");
  site.put(
      "{apiVersion: v1, kind: Node, metadata: {name: b}, spec: {taints: [{key: k, effect: "
      "PreferNoSchedule}]}}");
  site.put("{apiVersion: v1, kind: Node, metadata: {name: cordoned}, spec: {unschedulable: true}}");
  site.put(
      "{apiVersion: v1, kind: Node, metadata: {name: tainted}, spec: {taints: [{key: k, effect: "
      "NoSchedule}]}}");
  site.put(
      "{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: a}, spec: {drivers: [{name: "
      "csi.truenas.io}]}}");
  site.put(
      "{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: b}, spec: {drivers: [{name: "
      "truenas-nfs}]}}");
  site.put(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: ctl, namespace: coder, labels: {app: "
      "truenas-csi-controller}}, spec: {replicas: 2}, status: {readyReplicas: 1}}");
  site.cluster.meddle(kube::k_csi_driver, "", "csi.truenas.io",
                      [](json::Value& object) { object.set_at("/spec/fsGroupPolicy", "File"); });
  const auto state = read_driver(site.reader, "csi.truenas.io");
  REQUIRE(state.ok());
  CHECK(state->installed);
  CHECK(state->fs_group_policy == "File");
  CHECK(join(state->nodes, ",") == "a,b,node1");
  CHECK(join(state->nodes_without, ",") == "b,node1");
  REQUIRE(state->controllers.size() == 1);
  CHECK(state->controllers[0].name == "ctl");
  CHECK(state->controllers[0].ready == 1);
  CHECK(state->unknown.empty());

  const auto old = read_driver(site.reader, "truenas-nfs");
  REQUIRE(old.ok());
  CHECK(old->fs_group_policy == "ReadWriteOnceWithFSType");
  CHECK(old->controllers.empty());
  const auto absent = read_driver(site.reader, "nobody.example");
  REQUIRE(absent.ok());
  CHECK_FALSE(absent->installed);
  CHECK(join(absent->nodes_without, ",") == "a,b,node1");
}

TEST_CASE("what may not be read is unknown, not absent") {
  Fixture site;
  site.cluster.api.denied = {{"list", "", "nodes", "", ""}, {"list", "apps", "deployments", "", ""}};
  const auto state = read_driver(site.reader, "csi.truenas.io");
  REQUIRE(state.ok());
  CHECK_FALSE(state->knows_nodes);
  CHECK(state->unknown.size() == 2);
  site.cluster.api.denied = {{"list", "", "persistentvolumes", "", ""}};
  const auto users = read_class_users(site.reader, "truenas-csi-nfs", "truenas-nfs");
  REQUIRE_FALSE(users.ok());
  CHECK(users.error().kind == Kind::auth);
}

TEST_CASE("a provisioner is known by its label, or by its container and the driver's name") {
  CHECK(runs_provisioner(yaml("{metadata: {labels: {app: truenas-csi-controller}}}"), "csi.truenas.io"));
  CHECK_FALSE(runs_provisioner(yaml("{metadata: {labels: {app: truenas-csi-controller}}}"), "truenas-nfs"));
  const json::Value democratic = yaml(
      "{spec: {template: {spec: {containers: [{name: external-provisioner}, {name: csi-driver, args: "
      "['--csi-name=truenas-nfs']}]}}}}");
  CHECK(runs_provisioner(democratic, "truenas-nfs"));
  CHECK_FALSE(runs_provisioner(democratic, "csi.truenas.io"));
}

TEST_CASE("everybody who names the class depends on it, also by the legacy annotation") {
  Fixture site;
  site.put(
      "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: b, namespace: coder}, spec: "
      "{storageClassName: truenas-csi-nfs}}");
  site.put(
      "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: coder, annotations: "
      "{volume.beta.kubernetes.io/storage-class: truenas-csi-nfs}}, spec: {}}");
  site.put(
      "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c, namespace: coder}, spec: "
      "{storageClassName: truenas-csi-nfs-2}}");
  site.put(
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-2, annotations: "
      "{volume.beta.kubernetes.io/storage-class: truenas-csi-nfs}}, spec: {claimRef: {namespace: coder, "
      "name: gone}}, "
      "status: {phase: Released}}");
  site.put(
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-1}, spec: {storageClassName: "
      "truenas-csi-nfs}, status: {phase: Available}}");
  site.put(
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-old}, spec: {storageClassName: "
      "truenas-nfs}}");
  const auto users = read_class_users(site.reader, "truenas-csi-nfs", "truenas-nfs");
  REQUIRE(users.ok());
  CHECK(join(describe_users(*users), "; ") ==
        "persistentvolumeclaim coder/a; persistentvolumeclaim coder/b; persistentvolume pv-1 (no claim, "
        "Available); "
        "persistentvolume pv-2 (claim coder/gone, Released)");
  REQUIRE(users->old_volumes.size() == 1);
  CHECK(users->old_volumes[0].name == "pv-old");
}

TEST_CASE("a class's owner is proven by its marks") {
  json::Value object = runbook_class("truenas-csi-nfs");
  CHECK(kube::gitops_owners(object).empty());
  const auto owner = [&](std::string_view metadata) {
    const auto owners = kube::gitops_owners(json::apply_merge_patch(object, yaml(metadata)));
    return owners.size() == 1 ? owners[0].tool + (owners[0].reverts ? "" : ", at its next upgrade") : "none";
  };
  CHECK(owner("{metadata: {annotations: {argocd.argoproj.io/tracking-id: "
              "'storage:storage.k8s.io/StorageClass:kube-system/truenas-csi-nfs'}}}") == "Argo CD");
  CHECK(owner("{metadata: {annotations: {argocd.argoproj.io/tracking-id: "
              "'storage:storage.k8s.io/StorageClass:kube-system/another'}}}") == "none");
  CHECK(owner("{metadata: {labels: {objectset.rio.cattle.io/hash: x}}}") == "Fleet");
  CHECK(owner("{metadata: {labels: {kustomize.toolkit.fluxcd.io/name: x}}}") == "Flux");
  CHECK(owner("{metadata: {annotations: {meta.helm.sh/release-name: csi}}}") == "Helm, at its next upgrade");
  CHECK(owner("{metadata: {managedFields: [{manager: fleetagent, fieldsV1: {'f:parameters': {}}}]}}") ==
        "Fleet");
  CHECK(owner("{metadata: {managedFields: [{manager: fleetagent, fieldsV1: {'f:metadata': {}}}]}}") ==
        "none");
}
