#pragma once
// A fake cluster with claims, Pods and workloads put as a test wants them, and the review of it.

#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/unit/workflow/workspace_site.h"
#include "tests/unit/yaml.h"

namespace truenas::workflow {

struct WorkspaceCluster {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  kube::Reader reader{*session};
  WorkspaceOptions options;

  WorkspaceCluster() {
    fakes::build_classes(cluster);
    options.namespaces = {"coder-workspaces"};
  }
  void claim(const std::string& name, const std::string& labels = "{}",
             const std::string& ns = "coder-workspaces") {
    const std::string volume = "pv-" + ns + "-" + name;
    const json::Value& made = cluster.put(yaml(
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name + ", namespace: " + ns +
        ", labels: " + labels +
        "}, spec: {accessModes: [ReadWriteOnce], storageClassName: truenas-nfs, volumeMode: Filesystem, "
        "volumeName: " +
        volume +
        ", resources: {requests: {storage: 10Gi}}}, status: {phase: Bound, capacity: {storage: 10Gi}}}"));
    cluster.put(yaml(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: " + volume +
        "}, spec: {storageClassName: truenas-nfs, persistentVolumeReclaimPolicy: Delete, capacity: {storage: "
        "10Gi}, csi: {driver: truenas-nfs, volumeHandle: h, volumeAttributes: {share: /mnt/SAS/" +
        volume + "}}, claimRef: {namespace: " + ns + ", name: " + name +
        ", uid: " + made.text_at("/metadata/uid") + "}}, status: {phase: Bound}}"));
  }
  // An agent's Pod unless `env` says otherwise; metadata beyond the name in `metadata`.
  void pod(const std::string& name, const std::string& claim, const std::string& phase = "Running",
           const std::string& env = "CODER_AGENT_TOKEN", const std::string& metadata = "") {
    cluster.put(yaml("{apiVersion: v1, kind: Pod, metadata: {name: " + name +
                     ", namespace: coder-workspaces" + metadata +
                     "}, spec: {nodeName: node1, containers: [{name: dev, env: [{name: " + env +
                     ", value: x}]}], volumes: [{name: home, persistentVolumeClaim: {claimName: " + claim +
                     "}}]}, status: {phase: '" + phase + "'}}"));
  }
  void workload(const std::string& kind, const std::string& name, const std::string& claim,
                const std::string& spec, const std::string& labels = "{}") {
    cluster.put(yaml(
        "{apiVersion: apps/v1, kind: " + kind + ", metadata: {name: " + name +
        ", namespace: coder-workspaces, labels: " + labels + "}, spec: {" + spec +
        "template: {spec: {containers: [{name: dev, env: [{name: CODER_AGENT_TOKEN, value: x}]}], volumes: "
        "[{name: home, persistentVolumeClaim: {claimName: " +
        claim + "}}]}}}}"));
  }
  Result<WorkspaceSite> observe() { return observe_workspaces(reader, options); }
  WorkspaceReview review() {
    const auto site = observe();
    REQUIRE_MESSAGE(site.ok(), (site.ok() ? "" : site.error().what));
    return judge_workspaces(*site, options);
  }
  std::vector<std::string> found() {
    std::vector<std::string> names;
    for (const auto& row : review().rows) names.push_back(row.claim.live.name);
    return names;
  }
};

}  // namespace truenas::workflow
