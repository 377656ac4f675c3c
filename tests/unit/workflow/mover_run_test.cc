// The mover in a fake cluster: its objects come and go, trouble is told, and no two write one claim; and the
// probe of a class, which leaves nothing behind.

#include "lib/workflow/mover_run.h"

#include <doctest/doctest.h>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/workflow/class_probe.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/workflow/class_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

constexpr const char* k_program = "the program";

Result<std::string_view> program(const std::string& architecture) {
  if (architecture == "amd64") return std::string_view(k_program);
  return make_error(Kind::refused, "no volume-mover for " + architecture);
}

std::string result_line(std::string_view verdict, int exit = 0) {
  return json::write(
      json::Value::object({{"type", "result"},
                           {"mode", "probe"},
                           {"exit", exit},
                           {"text", "seen"},
                           {"facts", json::Value::object({{"verdict", verdict}, {"directory_mode", "0777"}})},
                           {"counts", json::Value::object({{"1000.create_microseconds", 700}})}}));
}

struct MoverSite {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  kube::Reader reader{*session};
  kube::Writer writer{*session, fakes::any_permit()};
  std::vector<std::string> lines;
  MoverRequest request;

  MoverSite() {
    fakes::build_classes(cluster);
    cluster.meddle(kube::k_node, "", "node1", [](json::Value& node) {
      node.set_at("/status/conditions", yaml("[{type: Ready, status: 'True'}]"));
      node.set_at("/status/nodeInfo/architecture", "amd64");
      node.set_at("/status/images", yaml("[{names: ['registry.k8s.io/pause:3.10']}]"));
    });
    add_claim("old"), add_claim("new");
    request.ns = "coder";
    request.run = "r1";
    request.arguments = {"copy", "/source", "/target"};
    request.mounts = {{"old", "/source", true}, {"new", "/target", false}};
    cluster.workloads.run_pod = [](const json::Value&) {
      return fakes::PodEnd{0, result_line("root_squash"), ""};
    };
  }
  void add_claim(const std::string& name) {
    cluster.put(yaml(
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
        ", namespace: coder}, spec: {accessModes: [ReadWriteOnce], storageClassName: truenas-nfs, resources: "
        "{requests: {storage: 1Gi}}}, status: {phase: Pending}}"));
  }
  MoverRun mover() {
    MoverRun run(reader, writer, program, clock);
    run.on_line = [this](const std::string& line) { lines.push_back(line); };
    return run;
  }
  bool said(std::string_view text) const { return contains(join(lines, "\n"), text); }
  std::size_t count(std::string_view plural) { return cluster.store.list("", std::string(plural)).size(); }
};

}  // namespace

TEST_CASE("a mover runs, its result is read, and nothing of it stays") {
  MoverSite site;
  const auto end = site.mover().run(site.request);
  REQUIRE_MESSAGE(end.ok(), end.error().what);
  CHECK(end->exit == 0);
  CHECK(end->result.text_at("/facts/verdict") == "root_squash");
  CHECK(site.count("configmaps") == 0);
  site.cluster.tick(2);
  CHECK(site.count("pods") == 0);
}

TEST_CASE("what the user wishes for the mover's Pod is asked of the server, the rest stays") {
  MoverSite site;
  site.request.wishes.requests = {{"cpu", "50m"}};
  site.request.wishes.limits = {{"cpu", "2"}, {"memory", "1Gi"}};
  json::Value asked;
  site.cluster.workloads.run_pod = [&](const json::Value& pod) {
    asked = pod.items_at("/spec/containers")[0];
    return fakes::PodEnd{0, result_line("root_squash"), ""};
  };
  REQUIRE(site.mover().run(site.request).ok());
  CHECK(asked.text_at("/resources/requests/cpu") == "50m");
  CHECK(asked.text_at("/resources/requests/memory") == "64Mi");
  CHECK(asked.text_at("/resources/limits/cpu") == "2");
  CHECK(asked.text_at("/resources/limits/memory") == "1Gi");
}

TEST_CASE("a trial on the server leaves nothing, and says what admission says") {
  MoverSite site;
  CHECK(site.mover().try_it(site.request).ok());
  CHECK(site.count("pods") == 0);
  CHECK(site.count("configmaps") == 0);
  site.cluster.add_fault(fakes::answer(
      fakes::request_to("POST", "/pods"),
      fakes::failure(403, "Forbidden", "pods \"m\" is forbidden: violates PodSecurity \"restricted:latest\"",
                     "", "", "")));
  const auto refused = site.mover().try_it(site.request);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::refused);
  CHECK(contains(refused.error().what, "namespace coder does not take the mover's Pod"));
}

TEST_CASE("whichever reply is lost, the mover runs once and is cleaned up") {
  for (std::size_t k = 1; k <= 2; ++k) {
    CAPTURE(k);
    MoverSite site;
    int runs = 0;
    site.cluster.workloads.run_pod = [&](const json::Value&) {
      ++runs;
      return fakes::PodEnd{0, result_line("root_squash"), ""};
    };
    site.cluster.add_fault(fakes::drop_reply(fakes::write_number(k)));
    const auto end = site.mover().run(site.request);
    REQUIRE_MESSAGE(end.ok(), end.error().what);
    CHECK(runs == 1);
    site.cluster.tick(2);
    CHECK(site.count("pods") == 0);
    CHECK(site.count("configmaps") == 0);
  }
}

TEST_CASE("a program that another mover still runs on stays") {
  MoverSite site;
  const std::string name = storage::mover_config_name("amd64", k_program);
  site.cluster.put(
      yaml("{apiVersion: v1, kind: Pod, metadata: {name: theirs, namespace: coder, labels: "
           "{app.kubernetes.io/component: mover, truenas-migrate/mover-config: " +
           name + "}}, spec: {}, status: {phase: Running}}"));
  site.cluster.put(storage::mover_config_map("coder", "amd64", k_program));
  CHECK(site.mover().run(site.request).ok());
  CHECK(site.cluster.find(kube::k_config_map, "coder", name) != nullptr);
}

TEST_CASE("never two movers on one claim") {
  MoverSite site;
  site.cluster.put(
      yaml("{apiVersion: v1, kind: Pod, metadata: {name: theirs, namespace: coder, labels: "
           "{app.kubernetes.io/component: mover, truenas-migrate/run: r0}}, spec: {restartPolicy: Always, "
           "volumes: "
           "[{persistentVolumeClaim: {claimName: new}}]}, status: {phase: Running}}"));
  const auto end = site.mover().run(site.request);
  REQUIRE_FALSE(end.ok());
  CHECK(end.error().kind == Kind::locked);
  CHECK(end.error().what == "claim coder/new is in use by another mover: pod theirs");
  CHECK(site.count("configmaps") == 0);
  // On its way out it still has the phase Running for a while, but nobody who could write.
  site.cluster.meddle(kube::k_pod, "coder", "theirs", [](json::Value& pod) {
    pod.set_at("/status/containerStatuses",
               yaml("[{state: {running: {}}}, {state: {terminated: {exitCode: 0}}}]"));
  });
  CHECK_FALSE(site.mover().run(site.request).ok());
  site.cluster.meddle(kube::k_pod, "coder", "theirs", [](json::Value& pod) {
    pod.set_at("/status/containerStatuses", yaml("[{state: {terminated: {exitCode: 0}}}]"));
  });
  CHECK(site.mover().run(site.request).ok());
}

TEST_CASE("an image that cannot be pulled is said, and ends the run soon") {
  MoverSite site;
  site.cluster.workloads.run_pod = [](const json::Value&) -> std::optional<fakes::PodEnd> {
    return std::nullopt;
  };
  site.cluster.each_tick = [&] {
    for (const auto& key : site.cluster.store.keys("", "pods")) {
      site.cluster.store.update(key, [](json::Value& pod) {
        pod.set_at("/status/phase", "Pending");
        pod.set_at("/status/containerStatuses",
                   yaml("[{state: {waiting: {reason: ImagePullBackOff, message: no such host}}}]"));
      });
    }
  };
  // Nothing is Bound, so that the model leaves the Pod Pending.
  site.request.mounts[0].claim = "new";
  site.cluster.storage.drivers_down = {"truenas-nfs", "csi.truenas.io"};
  const auto before = site.clock.steady();
  const auto end = site.mover().run(site.request);
  REQUIRE_FALSE(end.ok());
  CHECK(end.error().kind == Kind::stopped);
  CHECK((contains(end.error().what, "no node takes it") || contains(end.error().what, "cannot pull image")));
  CHECK(site.clock.steady() - before <= Milliseconds(200000));
  site.cluster.each_tick = {};
  site.cluster.tick(2);
  CHECK(site.count("pods") == 0);
}

TEST_CASE("a mover that was killed is an error with its last words") {
  MoverSite site;
  site.cluster.workloads.run_pod = [](const json::Value&) { return fakes::PodEnd{137, "", "last words\n"}; };
  const auto end = site.mover().run(site.request);
  REQUIRE_FALSE(end.ok());
  CHECK(end.error().kind == Kind::stopped);
  CHECK(contains(end.error().what, "left no result (exit 137, Error): last words"));
}

TEST_CASE("Ctrl-C ends the mover and removes it") {
  MoverSite site;
  site.cluster.workloads.run_pod = [](const json::Value&) -> std::optional<fakes::PodEnd> {
    return std::nullopt;
  };
  site.clock.on_sleep = [&]() -> Result<void> {
    if (site.clock.steady() > Milliseconds(10000)) return make_error(Kind::interrupted, "interrupted");
    return {};
  };
  const auto end = site.mover().run(site.request);
  REQUIRE_FALSE(end.ok());
  CHECK(end.error().kind == Kind::interrupted);
  site.cluster.tick(2);
  CHECK(site.count("pods") == 0);
  CHECK(site.count("configmaps") == 0);
}

TEST_CASE("the claim's Lease keeps a second mover away") {
  MoverSite site;
  auto first = ClaimLocks::acquire(*site.session, "coder", {"new"}, system_clock());
  REQUIRE(first.ok());
  const kube::Permit permit = first->permit(fakes::any_permit());
  CHECK(permit.still_granted().ok());
  CHECK(site.cluster.find(kube::k_lease, "coder", "truenas-migrate-claim-new") != nullptr);
}

// --- the probe of a class
// ------------------------------------------------------------------------------------------

namespace {

ProbeRequest probe_request() {
  ProbeRequest request;
  request.ns = "coder";
  request.classes = {"truenas-csi-nfs", "truenas-nfs"};
  request.run = "p1";
  return request;
}

}  // namespace

TEST_CASE("both classes are probed, and nothing is left but what was found") {
  MoverSite site;
  std::vector<std::string> arguments;
  site.cluster.workloads.run_pod = [&](const json::Value& pod) {
    std::vector<std::string> words;
    for (const json::Value& word : pod.items_at("/spec/containers/0/args")) words.push_back(word.text());
    arguments.push_back(join(words, " "));
    const bool old_class = arguments.size() == 1;
    return fakes::PodEnd{0, result_line(old_class ? "no_root_squash" : "root_squash"), ""};
  };
  const std::size_t claims = site.count("persistentvolumeclaims");
  ClassProbe probe(site.reader, site.writer, program, site.clock);
  const auto findings = probe.run(probe_request());
  REQUIRE_MESSAGE(findings.ok(), findings.error().what);
  REQUIRE(findings->size() == 2);
  CHECK_MESSAGE((*findings)[0].failed.empty(), (*findings)[0].failed);
  CHECK((*findings)[0].storage_class == "truenas-csi-nfs");
  CHECK((*findings)[0].verdict == "root_squash");
  CHECK((*findings)[0].counts.at("1000.create_microseconds") == 700);
  CHECK((*findings)[1].verdict == "no_root_squash");
  REQUIRE(arguments.size() == 2);
  CHECK(arguments[0] ==
        "probe --uid=26 --uid=1000 --expect-target-mount --copy-from=/target --copy-from-writable /target");
  CHECK(arguments[1] ==
        "probe --uid=26 --uid=1000 --expect-target-mount --expect-source-mount --copy-from=/source "
        "--copy-from-writable /target");
  site.cluster.tick(5);
  CHECK(site.count("persistentvolumeclaims") == claims);
  CHECK(site.count("pods") == 0);
  CHECK(site.count("configmaps") == 0);
}

TEST_CASE("a class that keeps its volumes keeps none of the probe's, and left-overs of killed probes go") {
  MoverSite site;
  site.cluster.meddle(kube::k_storage_class, "", "truenas-nfs",
                      [](json::Value& object) { object.set("reclaimPolicy", "Retain"); });
  ProbeRequest killed = probe_request();
  killed.run = "p0";
  json::Value left_over = probe_claim(killed, 0);
  left_over.set_at("/status/phase", "Pending");
  site.cluster.put(left_over);
  site.cluster.tick(3);
  const std::size_t volumes = site.count("persistentvolumes");
  ClassProbe probe(site.reader, site.writer, program, site.clock);
  REQUIRE(probe.run(probe_request()).ok());
  site.cluster.tick(5);
  CHECK(site.cluster.find(kube::k_claim, "coder", probe_claim_name(killed, 0)) == nullptr);
  CHECK(site.count("persistentvolumes") == volumes - 1);
}

TEST_CASE("a class whose driver makes no volume is a finding, not the end of the other") {
  MoverSite site;
  site.cluster.storage.drivers_down = {"csi.truenas.io"};
  ClassProbe probe(site.reader, site.writer, program, site.clock);
  const auto findings = probe.run(probe_request());
  REQUIRE(findings.ok());
  CHECK(contains((*findings)[0].failed, "got no volume within 2m00s"));
  CHECK((*findings)[1].failed.empty());
}

TEST_CASE("what a finding means") {
  struct Row {
    const char *verdict, *mode, *policy, *parameters, *advice;
  };
  const char* runbook = "{nfs.mapAllUser: '', nfs.mapAllGroup: ''}";
  const Row rows[] = {
      {"root_squash", "0777", "File", runbook,
       "the fork build of the driver runs: root_squash is what it makes of the parameters; Pods with fsGroup "
       "will fail to "
       "mount as soon as a directory is private to its owner: leave fsGroup out"},
      {"all_squash(root)", "0755", "File", runbook,
       "an upstream build of the driver runs, which ignores some of the parameters without a word: "
       "all_squash to "
       "root:wheel; fsGroup changes nothing for good: every file belongs to the one that everybody is mapped "
       "to"},
      {"private to uid 26", "0700", "None", runbook,
       "the fork build of the driver runs: root_squash is what it makes of the parameters; fsGroup has no "
       "effect: the "
       "driver's fsGroupPolicy is None"},
      {"no_root_squash", "0755", "File", "{nfs.rootSquash: 'false'}",
       "as the class's parameters promise: no_root_squash; fsGroup is required for Pods that are not root: "
       "the root "
       "directory is 0755 and only its owner may write"},
      {"no_root_squash", "0777", "File", runbook,
       "not what the class's parameters promise (root_squash from the fork build, all_squash to root:wheel "
       "from an upstream "
       "one): the share has other options, or the class was changed since; fsGroup is applied as on a local "
       "disk; it is "
       "not needed to write"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.verdict);
    ClassFinding finding;
    finding.verdict = row.verdict;
    finding.facts["directory_mode"] = row.mode;
    json::Value object = storage::runbook_class("x");
    object.set("parameters", yaml(row.parameters));
    const auto promise = storage::promised_share(storage::read_storage_class(object, "test")->parameters);
    CHECK(join(probe_advice(finding, row.policy, promise), "; ") == row.advice);
  }
}
