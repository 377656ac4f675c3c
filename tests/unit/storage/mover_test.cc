// The mover's objects, golden; where it runs; and what its Pod says.

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/storage/mover_end.h"
#include "lib/storage/mover_place.h"
#include "lib/storage/mover_pod.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/unit/storage/class_text.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

json::Value node(std::string_view name, std::string_view architecture = "amd64",
                 std::string_view members = "{}") {
  json::Value object = yaml(
      "{apiVersion: v1, kind: Node, metadata: {}, status: {conditions: [{type: Ready, status: "
      "'True'}], nodeInfo: {}}}");
  object.set_at("/metadata/name", name);
  object.set_at("/status/nodeInfo/architecture", architecture);
  return json::apply_merge_patch(object, yaml(members));
}

constexpr const char* k_pause =
    "{status: {images: [{names: ['registry.k8s.io/pause@sha256:ab', "
    "'registry.k8s.io/pause:3.10']}]}}";

}  // namespace

TEST_CASE("the mover's Pod, golden") {
  MoverPod pod;
  pod.ns = "coder", pod.name = "truenas-migrate-copy-x", pod.run = "x",
  pod.config = "truenas-migrate-mover-amd64-0";
  pod.architecture = "amd64", pod.image = "registry.k8s.io/pause:3.10", pod.image_pull_secret = "pull";
  pod.arguments = {"copy", "/source", "/target"};
  pod.mounts = {{"old", "/source", true}, {"new", "/target", false}};
  pod.nodes = {"a", "b"};
  pod.node_selector = {{"disk", "fast"}};
  pod.tolerations = {*parse_toleration("nas=only:NoSchedule")};
  pod.deadline_seconds = 60;
  CHECK(json::write_yaml(mover_pod(pod)) ==
        R"(apiVersion: v1
kind: Pod
metadata:
  annotations:
    cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
  labels:
    app.kubernetes.io/component: mover
    app.kubernetes.io/managed-by: kubectl-truenas-migrate
    truenas-migrate/mover-config: truenas-migrate-mover-amd64-0
    truenas-migrate/run: x
  name: truenas-migrate-copy-x
  namespace: coder
spec:
  activeDeadlineSeconds: 60
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchFields:
          - key: metadata.name
            operator: In
            values:
            - a
        - matchFields:
          - key: metadata.name
            operator: In
            values:
            - b
  automountServiceAccountToken: false
  containers:
  - args:
    - copy
    - /source
    - /target
    command:
    - /mover/volume-mover
    image: registry.k8s.io/pause:3.10
    imagePullPolicy: IfNotPresent
    name: mover
    resources:
      limits:
        memory: 256Mi
      requests:
        cpu: 100m
        memory: 64Mi
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        add:
        - CHOWN
        - DAC_OVERRIDE
        - FOWNER
        - FSETID
        - SETGID
        - SETUID
        drop:
        - ALL
      readOnlyRootFilesystem: true
    volumeMounts:
    - mountPath: /mover
      name: mover
      readOnly: true
    - mountPath: /source
      name: volume-0
      readOnly: true
    - mountPath: /target
      name: volume-1
  enableServiceLinks: false
  imagePullSecrets:
  - name: pull
  nodeSelector:
    disk: fast
    kubernetes.io/arch: amd64
    kubernetes.io/os: linux
  restartPolicy: Never
  securityContext:
    runAsGroup: 0
    runAsUser: 0
    seccompProfile:
      type: RuntimeDefault
  terminationGracePeriodSeconds: 60
  tolerations:
  - effect: NoSchedule
    key: nas
    operator: Equal
    value: only
  volumes:
  - configMap:
      defaultMode: 365
      name: truenas-migrate-mover-amd64-0
    name: mover
  - name: volume-0
    persistentVolumeClaim:
      claimName: old
      readOnly: true
  - name: volume-1
    persistentVolumeClaim:
      claimName: new
)");
}

TEST_CASE("the program's ConfigMap is named by its content and carries its bytes") {
  const std::string program("\x7f\0ELF", 5);
  const json::Value object = mover_config_map("coder", "arm64", program);
  CHECK(object.text_at("/metadata/name") ==
        "truenas-migrate-mover-arm64-" + sha256_hex(program).substr(0, 12));
  CHECK(mover_config_name("arm64", program) != mover_config_name("arm64", program + "x"));
  CHECK(base64_decode(object.text_at("/binaryData/volume-mover")) == program);
  CHECK(object.boolean_at("/immutable"));
}

TEST_CASE("a pause image of any registry that the node has") {
  CHECK(pause_image_of(node("a", "amd64", k_pause)) == "registry.k8s.io/pause:3.10");
  const auto with = [](std::string_view name) {
    json::Value object = node("a");
    object.set_at("/status/images",
                  json::Value::array({json::Value::object({{"names", json::Value::array({name})}})}));
    return pause_image_of(object);
  };
  CHECK(with("rancher/mirrored-pause:3.6") == "rancher/mirrored-pause:3.6");
  CHECK(with("localhost:5000/k8s/pause@sha256:ab") == "localhost:5000/k8s/pause@sha256:ab");
  CHECK(with("example.com/pause/app:1") == "");
  CHECK(with("example.com/unpause:1") == "");
  CHECK(pause_image_of(node("a")) == "");
}

TEST_CASE("where a mover runs") {
  MoverWishes wishes;
  const std::optional<std::string> any;
  auto place = choose_place({node("a"), node("b", "amd64", k_pause), node("c", "arm64", k_pause)}, any,
                            wishes, "own:1");
  REQUIRE(place.ok());
  CHECK(place->architecture == "amd64");
  CHECK(place->image == "registry.k8s.io/pause:3.10");
  CHECK(join(place->nodes, ",") == "b");

  place = choose_place({node("a")}, any, wishes, "own:1");
  REQUIRE(place.ok());
  CHECK(place->image == "own:1");
  CHECK(place->nodes.empty());
  CHECK(choose_place({node("a")}, any, wishes, "")->image == "registry.k8s.io/pause:3.10");

  // Where the data is mounted is the only choice, and its architecture counts.
  place = choose_place({node("a", "amd64", k_pause), node("c", "arm64", "{spec: {unschedulable: true}}")},
                       "c", wishes, "own:1");
  REQUIRE(place.ok());
  CHECK(place->architecture == "arm64");
  CHECK(join(place->nodes, ",") == "c");
  CHECK(place->image == "own:1");

  wishes.image = "mine:2";
  place = choose_place({node("a"), node("b", "amd64", k_pause)}, any, wishes, "own:1");
  CHECK(place->image == "mine:2");
  CHECK(place->nodes.empty());

  CHECK(choose_place({node("s", "s390x")}, any, wishes, "").error().what ==
        "there is no volume-mover for s (s390x); it is built for amd64 and arm64");
  CHECK(contains(choose_place({}, "gone", wishes, "").error().what,
                 "node gone, which mounts the volume, is not there"));
}

TEST_CASE("which nodes can carry a mover") {
  MoverWishes wishes;
  CHECK(can_carry_mover(node("a"), wishes));
  CHECK_FALSE(can_carry_mover(node("a", "amd64", "{spec: {unschedulable: true}}"), wishes));
  CHECK_FALSE(can_carry_mover(node("a", "amd64", "{status: {conditions: [{type: Ready, status: 'False'}]}}"),
                              wishes));
  const json::Value tainted =
      node("a", "amd64", "{spec: {taints: [{key: nas, value: only, effect: NoSchedule}]}}");
  CHECK_FALSE(can_carry_mover(tainted, wishes));
  for (const char* toleration : {"nas", "nas:NoSchedule", "nas=only", "nas=only:NoSchedule"}) {
    CAPTURE(toleration);
    wishes.tolerations = {*parse_toleration(toleration)};
    CHECK(can_carry_mover(tainted, wishes));
  }
  for (const char* toleration : {"other", "nas=else:NoSchedule", "nas:NoExecute"}) {
    CAPTURE(toleration);
    wishes.tolerations = {*parse_toleration(toleration)};
    CHECK_FALSE(can_carry_mover(tainted, wishes));
  }
  wishes = {};
  wishes.node_selector = {{"disk", "fast"}};
  CHECK_FALSE(can_carry_mover(node("a"), wishes));
  CHECK(can_carry_mover(node("a", "amd64", "{metadata: {labels: {disk: fast}}}"), wishes));
  for (const char* bad : {"", ":NoSchedule", "k:", "k:Never", "=v"}) {
    CAPTURE(bad);
    CHECK(parse_toleration(bad).error().kind == Kind::usage);
  }
}

TEST_CASE("resources are named once each, with quantities") {
  const Resources two = *parse_resources("--mover-requests", "cpu=50m,memory=1.5Gi");
  CHECK(two == Resources{{"cpu", "50m"}, {"memory", "1.5Gi"}});
  for (const char* bad : {"", "cpu", "cpu=", "cpu=much", "memory=-1Gi", "gpu=1", "cpu=1,cpu=2", "cpu=1,"}) {
    CAPTURE(bad);
    const auto refused = parse_resources("--mover-limits", bad);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().kind == Kind::usage);
    CHECK(contains(refused.error().what, "--mover-limits wants"));
  }
}

TEST_CASE("a claim that one node uses decides where its mover runs") {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock(cluster);
  const auto session = fakes::make_session(cluster, clock);
  const kube::Reader reader(*session);
  fakes::build_classes(cluster);
  const auto claim = [&](const std::string& name, const std::string& mode) {
    cluster.put(yaml("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
                     ", namespace: coder}, spec: {accessModes: [" + mode + "], volumeName: x}}"));
  };
  const auto pod = [&](const std::string& name, const std::string& claim_name, const std::string& where,
                       const std::string& phase) {
    cluster.put(yaml("{apiVersion: v1, kind: Pod, metadata: {name: " + name +
                     ", namespace: coder}, spec: {nodeName: " + where +
                     ", volumes: [{persistentVolumeClaim: {claimName: " + claim_name +
                     "}}]}, status: {phase: " + phase + "}}"));
  };
  claim("once", "ReadWriteOnce"), claim("many", "ReadWriteMany"), claim("single", "ReadWriteOncePod"),
      claim("else", "ReadWriteOnce");
  CHECK(*read_required_node(reader, "coder", {"once", "many"}) == std::nullopt);
  pod("done", "once", "a", "Succeeded"), pod("shared", "many", "b", "Running");
  CHECK(*read_required_node(reader, "coder", {"once", "many"}) == std::nullopt);
  pod("user", "once", "c", "Running");
  CHECK(*read_required_node(reader, "coder", {"once", "many"}) == "c");
  pod("other", "else", "d", "Running");
  CHECK(
      read_required_node(reader, "coder", {"once", "else"}).error().what ==
      "no node can mount both: claim coder/else is in use on node d (pod other), claim coder/once on node c");
  CHECK(*read_required_node(reader, "coder", {"single"}) == std::nullopt);
  pod("owner", "single", "a", "Running");
  CHECK(read_required_node(reader, "coder", {"single"}).error().kind == Kind::refused);
}

TEST_CASE("why a Pod does not start is said") {
  struct Row {
    const char *pod, *event, *text;
    bool hopeless;
  };
  const Row rows[] = {
      {"{status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', message: '0/1 nodes are "
       "available'}]}}",
       "", "no node takes it: 0/1 nodes are available", false},
      {"{spec: {containers: [{image: x:1}]}, status: {phase: Pending, containerStatuses: [{state: {waiting: "
       "{reason: "
       "ImagePullBackOff, message: no such host}}}]}}",
       "", "cannot pull image x:1 (ImagePullBackOff): no such host", true},
      {"{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: CreateContainerConfigError, "
       "message: bad}}}]}}",
       "", "its container cannot be made (CreateContainerConfigError): bad", true},
      {"{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ContainerCreating}}}]}}",
       "configmap \"m\" not found", "FailedMount: configmap \"m\" not found", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    std::vector<kube::EventLine> events;
    if (row.event[0] != '\0')
      events = {{"Warning", "FailedMount", row.event, "", 1}, {"Normal", "Scheduled", "", "", 1}};
    const auto trouble = why_not_started(yaml(row.pod), events);
    REQUIRE(trouble);
    CHECK(trouble->text == row.text);
    CHECK(trouble->hopeless == row.hopeless);
  }
  CHECK_FALSE(why_not_started(yaml("{status: {phase: Pending}}"), {}));
  CHECK_FALSE(why_not_started(yaml("{status: {phase: Running}}"), {{"Warning", "x", "y", "", 1}}));
}

TEST_CASE("how a mover ended is read from its termination message, else from its log") {
  const std::string result =
      R"({"type":"result","mode":"probe","exit":3,"text":"differs","facts":{"verdict":"root_squash"}})";
  json::Value pod = yaml(
      "{metadata: {name: m}, status: {phase: Failed, containerStatuses: [{state: {terminated: {exitCode: "
      "3}}}]}}");
  pod.set_at("/status/containerStatuses/0/state/terminated/message", result);
  auto end = read_end(pod, "");
  REQUIRE(end.ok());
  REQUIRE(*end);
  CHECK((*end)->exit == 3);
  CHECK((*end)->text == "differs");
  CHECK((*end)->result.text_at("/facts/verdict") == "root_squash");
  pod.set_at("/status/containerStatuses/0/state/terminated/message", "");
  end = read_end(pod, "half a line}\n{\"type\":\"progress\"}\n" + result + "\n");
  REQUIRE(end.ok());
  CHECK((*end)->text == "differs");

  pod.set_at("/status/reason", "Evicted");
  CHECK(contains(read_end(pod, "oh\n").error().what, "left no result (exit 3, Evicted): oh"));
  CHECK_FALSE(*read_end(yaml("{status: {phase: Running}}"), result));
  CHECK(
      read_end(
          yaml("{metadata: {name: m}, status: {phase: Failed, reason: Evicted, message: disk pressure}}"), "")
          .error()
          .what == "pod m ended before volume-mover ran: Evicted: disk pressure");
}

TEST_CASE("the newest progress of a log whose first line is cut") {
  const auto progress = newest_progress(
      "ies\":1}\n{\"type\":\"progress\",\"phase\":\"copy\",\"entries\":7,\"bytes\":9}\n"
      "{\"type\":\"finding\"}\nnoise\n");
  REQUIRE(progress);
  CHECK(progress->phase == "copy");
  CHECK(progress->entries == 7);
  CHECK_FALSE(newest_progress("\n\n"));
  CHECK_FALSE(newest_progress(""));
}

TEST_CASE("what bounds the mover's Pod is answered with the flags that do") {
  for (const char* text : {"maximum memory usage per Container is 128Mi, but limit is 256Mi",
                           "failed quota: q: must specify limits.cpu for: mover"}) {
    const Error error = admission_error(make_error(Kind::auth, text), "coder");
    CHECK(error.kind == Kind::refused);
    CHECK(contains(join(error.hints, "\n"), "--mover-limits"));
  }
}

TEST_CASE("a refusal at admission is put plainly") {
  const Error error = admission_error(
      make_error(Kind::auth,
                 "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true"),
      "coder");
  CHECK(error.kind == Kind::refused);
  CHECK(error.what.starts_with("namespace coder does not take the mover's Pod: "));
  CHECK(contains(join(error.hints, "\n"), "level baseline takes it, restricted does not"));
}
