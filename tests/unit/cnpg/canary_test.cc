#include "lib/cnpg/canary.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/cnpg/fixtures.h"

using namespace truenas;
using namespace truenas::cnpg;
using State = CanaryVerdict::State;

namespace {

kube::EventLine event(std::string reason, std::string message) {
  kube::EventLine line;
  line.type = "Warning";
  line.reason = std::move(reason);
  line.message = std::move(message);
  line.last_seen = "2026-11-22T15:00:00Z";
  return line;
}

json::Value running() {
  return yaml("{status: {phase: Running}}");
}
json::Value pending() {
  return yaml("{status: {phase: Pending}}");
}
json::Value succeeded() {
  return yaml("{status: {phase: Succeeded}}");
}
json::Value failed() {
  return yaml("{status: {phase: Failed}}");
}

}  // namespace

TEST_CASE("canary documents are what CloudNativePG's own Pods are like, and carry none of its marks") {
  const ClusterState cluster = load_cluster("healthy");
  json::Value pod = canary_pod(cluster, "canary-claim", "canary-1", false);
  REQUIRE(pod.at("/spec/containers/0/command/2") != nullptr);
  CHECK(pod.text_at("/spec/containers/0/command/2") == canary_script());
  pod.set_at("/spec/containers", json::Value::array({[&] {
               json::Value container = *pod.at("/spec/containers/0");
               container.set("command", "the script");
               return container;
             }()}));
  CHECK(json::write_yaml(pod) == read_fixture("canary_pod.golden.yaml"));
  CHECK(json::write_yaml(canary_claim(cluster, "truenas-csi-nfs", "canary-claim")) ==
        read_fixture("canary_claim.golden.yaml"));
  CHECK_FALSE(contains(json::write(pod), "cnpg.io/"));
}

TEST_CASE("security contexts: absent, given, and without fsGroup") {
  ClusterState cluster = load_cluster("healthy");
  CHECK(pod_security_context(cluster, false).integer_at("/fsGroup") == 26);
  json::Value bare = pod_security_context(cluster, true);
  CHECK(bare ==
        yaml("{runAsNonRoot: true, runAsUser: 26, runAsGroup: 26, seccompProfile: {type: RuntimeDefault}}"));
  // Given: only user, group and seccomp are filled in; fsGroup and runAsNonRoot are not.
  cluster.object.set_at("/spec/podSecurityContext", yaml("{supplementalGroups: [7]}"));
  CHECK(pod_security_context(cluster, false) == yaml("{supplementalGroups: [7], runAsUser: 26, runAsGroup: "
                                                     "26, seccompProfile: {type: RuntimeDefault}}"));
  cluster.object.set_at("/spec/podSecurityContext",
                        yaml("{fsGroup: 5, fsGroupChangePolicy: Always, runAsUser: 1001}"));
  CHECK(
      pod_security_context(cluster, true) ==
      yaml("{runAsUser: 1001, runAsNonRoot: true, runAsGroup: 26, seccompProfile: {type: RuntimeDefault}}"));
  cluster.object.set_at("/spec/postgresUID", 70);
  cluster.object.remove_at("/spec/podSecurityContext");
  CHECK(pod_security_context(cluster, false).integer_at("/runAsUser") == 70);
}

TEST_CASE("placement, pull secrets and access modes follow the cluster") {
  ClusterState cluster = load_cluster("healthy");
  cluster.object.set_at("/spec/affinity",
                        yaml("{nodeSelector: {pool: SAS}, tolerations: [{key: db, operator: Exists}]}"));
  cluster.object.set_at("/spec/imagePullSecrets", yaml("[{name: pull}]"));
  cluster.object.set_at("/spec/storage/pvcTemplate", yaml("{accessModes: [ReadWriteMany]}"));
  const json::Value pod = canary_pod(cluster, "c", "p", true);
  CHECK(pod.text_at("/spec/nodeSelector/pool") == "SAS");
  CHECK(pod.text_at("/spec/tolerations/0/key") == "db");
  CHECK(pod.text_at("/spec/imagePullSecrets/0/name") == "pull");
  CHECK(canary_claim(cluster, "x", "c").text_at("/spec/accessModes/0") == "ReadWriteMany");
}

TEST_CASE("only the script's own last line is a pass") {
  const char* log =
      "canary: identity 26:26\ncanary: root 0:0 777\ncanary: round 1\ncanary: create ok\ncanary: owner "
      "26:65534\n";
  CanaryVerdict verdict = parse_canary(running(), log, {});
  CHECK(verdict.state == State::waiting);
  CHECK(verdict.stage == "owner");
  CHECK(verdict.root_directory == "0:0 777");
  CHECK(verdict.file_owner == "26:65534");
  CHECK(parse_canary(succeeded(), log, {}).state == State::failed);
  CHECK(contains(parse_canary(succeeded(), log, {}).detail, "log is not complete"));
  verdict = parse_canary(running(), std::string(log) + "canary: verdict passed\n", {});
  CHECK(verdict.state == State::passed);
  CHECK_FALSE(verdict.second_round);
  verdict = parse_canary(succeeded(), "canary: round 2\ncanary: verdict passed\n", {});
  CHECK(verdict.state == State::passed);
  CHECK(verdict.second_round);
}

TEST_CASE("failures: from the script, from the Pod, from Events") {
  CanaryVerdict verdict = parse_canary(failed(),
                                       "canary: root 0:0 755\ncanary: create failed: touch: Permission "
                                       "denied \ncanary: verdict failed create\n",
                                       {});
  CHECK(verdict.state == State::failed);
  CHECK(verdict.stage == "create");
  CHECK(verdict.detail == "touch: Permission denied");
  verdict =
      parse_canary(yaml("{status: {phase: Failed, reason: DeadlineExceeded, message: too long}}"), "", {});
  CHECK(verdict.state == State::failed);
  CHECK(contains(verdict.detail, "DeadlineExceeded"));
  verdict = parse_canary(
      yaml("{status: {phase: Failed, containerStatuses: [{state: {terminated: {reason: OOMKilled}}}]}}"),
      "canary: start ok\n", {});
  CHECK(contains(verdict.detail, "OOMKilled"));
  verdict = parse_canary(yaml("{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: "
                              "ImagePullBackOff, message: no}}}]}}"),
                         "", {});
  CHECK(verdict.state == State::failed);
  CHECK(verdict.stage == "image");
  verdict = parse_canary(pending(), "",
                         {event("FailedMount",
                                "MountVolume.SetUp failed: applyFSGroup failed for vol x: "
                                "open pgdata: permission denied")});
  CHECK(verdict.state == State::failed);
  CHECK(verdict.stage == "mount");
  CHECK(may_pass_without_fs_group(verdict));
  verdict = parse_canary(pending(), "", {event("FailedMount", "MountVolume.SetUp failed: timed out")});
  CHECK(verdict.state == State::waiting);
  CHECK(contains(verdict.detail, "timed out"));
  verdict = parse_canary(pending(), "", {event("ProvisioningFailed", "storageclass not found")});
  CHECK(verdict.state == State::waiting);
  CHECK(verdict.stage == "provision");
  // An old mount failure says nothing about a Pod that runs.
  verdict =
      parse_canary(running(), "canary: identity 26:26\n", {event("FailedMount", "access denied by server")});
  CHECK(verdict.state == State::waiting);
}

TEST_CASE("each failure says what to change") {
  ClusterState cluster = load_cluster("healthy");
  cluster.object.remove_at("/spec/podSecurityContext");
  const auto explain = [&](std::string stage, std::string detail, std::string owner, std::string root,
                           bool second, bool without) {
    CanaryVerdict verdict;
    verdict.state = State::failed;
    verdict.stage = std::move(stage);
    verdict.detail = std::move(detail);
    verdict.file_owner = std::move(owner);
    verdict.root_directory = std::move(root);
    verdict.second_round = second;
    const Error error = explain_canary_failure(cluster, "truenas-csi-nfs", verdict, without);
    CHECK(error.kind == Kind::refused);
    return error.what + "\n" + join(error.hints, "\n");
  };
  std::string text = explain("owner", "a file made by uid 26 belongs to 0:0", "0:0", "0:0 755", false, false);
  CHECK(contains(text, "uid 0 (mapall)"));
  CHECK(contains(text, "nfs.mapAllUser and nfs.mapAllGroup present and EMPTY"));
  text = explain("mount", "applyFSGroup failed: permission denied", "", "", true, false);
  CHECK(contains(text, "squashes root"));
  CHECK(contains(text, "runAsUser: 26, runAsGroup: 26, runAsNonRoot: true"));
  text = explain("create", "Permission denied", "", "0:0 755", false, false);
  CHECK(contains(text, "root directory (0:0 755) cannot be written by uid 26"));
  CHECK(contains(text, "datasetPermissionsMode \"0777\""));
  CHECK(contains(text, "fsGroup did not make it writable"));
  text = explain("create", "Permission denied", "", "0:0 755", false, true);
  CHECK(contains(text, "there the Cluster needs fsGroup"));
  // The Cluster's own context has none: nothing is blamed on fsGroup.
  cluster.object.set_at("/spec/podSecurityContext", yaml("{runAsUser: 26, runAsGroup: 26}"));
  text = explain("create", "Permission denied", "", "0:0 755", false, false);
  CHECK(contains(text, "there the Cluster needs fsGroup"));
  CHECK_FALSE(contains(text, "fsGroup did not make it writable"));
  text = explain("provision", "no such provisioner", "", "", false, false);
  CHECK(contains(text, "kubectl get storageclass truenas-csi-nfs"));
}
