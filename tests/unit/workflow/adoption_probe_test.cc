// The probe of an adoption names a user's live dataset: whatever fails, whoever interferes, wherever it is
// killed, that dataset must live, and the next run must leave nothing of the probe.

#include "lib/workflow/adoption_probe.h"

#include <doctest/doctest.h>

#include <csignal>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

Result<std::string_view> program(const std::string&) {
  return std::string_view("the program");
}

struct ProbeSite {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  kube::Reader reader{*session};
  kube::Writer writer{*session, fakes::any_permit()};
  std::vector<std::string> lines, arguments;
  AdoptionProbeRequest request;
  std::string share;
  // What the driver of the new class says once a Pod mounts the probe's claim; null for no attachment.
  json::Value attachment_status;

  ProbeSite() {
    fakes::build_classes(cluster);
    cluster.meddle(kube::k_node, "", "node1", [](json::Value& node) {
      node.set_at("/status/conditions", yaml("[{type: Ready, status: 'True'}]"));
      node.set_at("/status/nodeInfo/architecture", "amd64");
    });
    cluster.put(yaml(
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: home, namespace: coder, finalizers: "
        "[kubernetes.io/pvc-protection]}, spec: {accessModes: [ReadWriteOnce], storageClassName: "
        "truenas-nfs, "
        "resources: {requests: {storage: 10Gi}}}, status: {phase: Pending}}"));
    cluster.tick(2);
    const std::string name = cluster.find(kube::k_claim, "coder", "home")->text_at("/spec/volumeName");
    request.ns = "coder";
    request.old_volume = *cluster.find(kube::k_volume, "", name);
    request.driver = "csi.truenas.io", request.storage_class = "truenas-csi-nfs";
    share = request.old_volume.text_at("/spec/csi/volumeAttributes/share");
    cluster.nas.find(share)->files["thesis"] = "the only copy";
    cluster.workloads.run_pod = [this](const json::Value& pod) {
      arguments.clear();
      for (const json::Value& word : pod.items_at("/spec/containers/0/args"))
        arguments.push_back(word.text());
      return fakes::PodEnd{
          0, R"({"type":"result","mode":"scan","exit":0,"text":"1 file","facts":{},"counts":{"files":1}})",
          ""};
    };
    cluster.each_tick = [this] { attach(); };
  }

  void attach() {
    const std::string name = adoption_probe_name(request);
    bool mounted = false;
    for (const json::Value* pod : cluster.store.list("", "pods")) {
      for (const json::Value& volume : pod->items_at("/spec/volumes")) {
        mounted = mounted || volume.text_at("/persistentVolumeClaim/claimName") == name;
      }
    }
    const bool there = cluster.find(kube::k_volume_attachment, "", "csi-1") != nullptr;
    if (mounted && !there && !attachment_status.is_null()) {
      json::Value attachment = yaml(
          "{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: csi-1}, spec: {attacher: "
          "csi.truenas.io, nodeName: node1}}");
      attachment.set_at("/spec/source/persistentVolumeName", name);
      attachment.set("status", attachment_status);
      cluster.put(attachment);
    }
    if (!mounted && there) cluster.erase(kube::k_volume_attachment, "", "csi-1");
  }
  void attach_as(const std::string& path) {
    attachment_status = yaml("{attached: true, attachmentMetadata: {protocol: nfs, nfsServer: 127.0.0.1}}");
    attachment_status.set_at("/attachmentMetadata/nfsPath", path);
  }

  AdoptionProbe probe() {
    AdoptionProbe probe(reader, writer, program, clock);
    probe.on_line = [this](const std::string& line) { lines.push_back(line); };
    return probe;
  }
  Result<AdoptionSight> run() { return probe().run(request); }

  // The user's bytes: dataset and contents, claim and volume as they were.
  bool home_lives() {
    const fakes::Dataset* dataset = cluster.nas.find(share);
    const json::Value* volume =
        cluster.find(kube::k_volume, "", request.old_volume.text_at("/metadata/name"));
    const json::Value* claim = cluster.find(kube::k_claim, "coder", "home");
    return cluster.nas.destroyed.empty() && dataset != nullptr &&
           dataset->files == std::map<std::string, std::string>{{"thesis", "the only copy"}} &&
           volume != nullptr && claim != nullptr && claim->text_at("/metadata/deletionTimestamp").empty() &&
           *volume->at("/spec") == *request.old_volume.at("/spec");
  }
  std::size_t left() {
    std::size_t count = 0;
    for (const char* plural :
         {"persistentvolumes", "persistentvolumeclaims", "pods", "configmaps", "volumeattachments"}) {
      count += cluster.store.list("", plural).size();
    }
    return count - 2;  // the home's own claim and volume
  }
  bool said(std::string_view text) const { return contains(join(lines, "\n"), text); }
};

// The process dies at its k-th write: before it reaches the server, or once it was applied. Nothing of it
// reaches the server afterwards.
void kill_at(ProbeSite& site, std::size_t k, bool applied) {
  auto dead = std::make_shared<bool>(false);
  const std::size_t write = site.cluster.writes() + k;
  const auto dies = [dead, write](const fakes::Seen& seen) {
    if (seen.write == write) *dead = true;
    return seen.write == write;
  };
  fakes::Fault end = applied ? fakes::drop_reply(dies) : fakes::refuse(dies);
  fakes::Fault gone = fakes::refuse([dead](const fakes::Seen&) { return *dead; });
  gone.times = -1;
  if (applied) {
    site.cluster.add_fault(end);
    site.cluster.add_fault(gone);
  } else {
    site.cluster.add_fault(gone);
    site.cluster.add_fault(end);
  }
}

void set_policy(ProbeSite& site, const char* policy) {
  site.cluster.meddle(kube::k_volume, "", adoption_probe_name(site.request), [&](json::Value& volume) {
    volume.set_at("/spec/persistentVolumeReclaimPolicy", policy);
  });
}

}  // namespace

TEST_CASE("the new driver shows the dataset's files, and nothing of the probe stays") {
  ProbeSite site;
  site.attach_as(site.share);
  const auto sight = site.run();
  REQUIRE_MESSAGE(sight.ok(), sight.error().what);
  CHECK(sight->scan.exit == 0);
  CHECK(sight->scan.result.integer_at("/counts/files") == 1);
  CHECK(sight->path == site.share);
  CHECK(sight->server == "127.0.0.1");
  CHECK(join(site.arguments, " ") == "scan --top --expect-source-mount --expect-source-type=nfs /source");
  CHECK(site.left() == 0);
  CHECK(site.home_lives());
}

TEST_CASE("while it is tried, the volume is Retain, read-only and the probe's; verify knows it as such") {
  ProbeSite site;
  json::Value volume, pod;
  site.cluster.workloads.run_pod = [&](const json::Value& seen) {
    volume = *site.cluster.find(kube::k_volume, "", adoption_probe_name(site.request));
    pod = seen;
    return fakes::PodEnd{0, R"({"type":"result","mode":"scan","exit":0,"text":"","facts":{},"counts":{}})",
                         ""};
  };
  const auto sight = site.run();
  REQUIRE_MESSAGE(sight.ok(), sight.error().what);
  CHECK(sight->path == "");
  CHECK(volume.text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
  CHECK(volume.boolean_at("/spec/csi/readOnly"));
  CHECK(storage::read_volume(volume).probe);
  CHECK_FALSE(storage::read_volume(volume).kept);
  CHECK(pod.boolean_at("/spec/volumes/1/persistentVolumeClaim/readOnly"));
  CHECK(pod.boolean_at("/spec/containers/0/volumeMounts/1/readOnly"));
}

TEST_CASE("a trial on the server leaves nothing and says what admission says") {
  ProbeSite site;
  CHECK(site.probe().try_it(site.request).ok());
  CHECK(site.left() == 0);
  site.cluster.add_fault(
      fakes::answer(fakes::request_to("POST", "/persistentvolumeclaims"),
                    fakes::failure(403, "Forbidden", "exceeded quota: claims", "", "", "")));
  const auto refused = site.probe().try_it(site.request);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::refused);
  CHECK(contains(refused.error().what, "exceeded quota"));
  CHECK(site.left() == 0);
}

TEST_CASE("killed at any write, before or after it: the dataset lives, and the next run leaves nothing") {
  std::size_t writes = 0;
  {
    ProbeSite site;
    const std::size_t before = site.cluster.writes();
    REQUIRE(site.run().ok());
    writes = site.cluster.writes() - before;
  }
  CHECK(writes >= 8);  // volume, claim, program, Pod, and each of them away again
  for (std::size_t k = 1; k <= writes; ++k) {
    for (const bool applied : {false, true}) {
      CAPTURE(k);
      CAPTURE(applied);
      ProbeSite site;
      kill_at(site, k, applied);
      const auto killed = site.run();
      CHECK_FALSE(killed.ok());
      CHECK(site.home_lives());
      site.cluster.faults.clear();
      site.cluster.tick(60);
      CHECK(site.home_lives());
      const auto again = site.run();
      CHECK_MESSAGE(again.ok(), again.error().what);
      CHECK(site.left() == 0);
      CHECK(site.home_lives());
    }
  }
}

TEST_CASE("whichever reply is lost, or write is in conflict, the dataset lives") {
  for (std::size_t k = 1; k <= 9; ++k) {
    for (const bool lost : {true, false}) {
      CAPTURE(k);
      CAPTURE(lost);
      ProbeSite site;
      const auto when = fakes::write_number(site.cluster.writes() + k);
      site.cluster.add_fault(
          lost ? fakes::drop_reply(when)
               : fakes::answer(when, fakes::failure(409, "Conflict", "modified", "", "", "")));
      (void)site.run();
      CHECK(site.home_lives());
      CHECK(site.probe().remove_remains(site.request));
      CHECK(site.home_lives());
    }
  }
}

TEST_CASE("somebody sets the probe's volume to Delete: it is Retain again before anything is deleted") {
  ProbeSite site;
  site.cluster.workloads.run_pod = [&](const json::Value&) {
    set_policy(site, "Delete");
    return fakes::PodEnd{0, R"({"type":"result","mode":"scan","exit":0,"text":"","facts":{},"counts":{}})",
                         ""};
  };
  CHECK(site.run().ok());
  CHECK(site.left() == 0);
  CHECK(site.home_lives());
}

TEST_CASE("a volume that cannot be made Retain again is left alone, with its claim, and said") {
  ProbeSite site;
  site.cluster.workloads.run_pod = [&](const json::Value&) {
    set_policy(site, "Delete");
    fakes::Fault denied = fakes::answer(fakes::request_to("PATCH", "/persistentvolumes/"),
                                        fakes::failure(403, "Forbidden", "denied by policy", "", "", ""));
    denied.times = -1;
    site.cluster.add_fault(denied);
    return fakes::PodEnd{0, R"({"type":"result","mode":"scan","exit":0,"text":"","facts":{},"counts":{}})",
                         ""};
  };
  const auto sight = site.run();
  REQUIRE_FALSE(sight.ok());
  CHECK(sight.error().kind == Kind::stopped);
  CHECK(site.said("is not Retain (Delete)"));
  site.cluster.tick(30);
  CHECK(site.home_lives());
  CHECK(site.cluster.find(kube::k_claim, "coder", adoption_probe_name(site.request)) != nullptr);
  CHECK(site.cluster.find(kube::k_volume, "", adoption_probe_name(site.request)) != nullptr);
}

TEST_CASE("a volume that a webhook has changed is not used") {
  for (const char* change : {"{spec: {csi: {volumeHandle: SAS/other}}}", "{spec: {csi: {readOnly: false}}}",
                             "{spec: {accessModes: [ReadWriteMany]}}"}) {
    CAPTURE(change);
    ProbeSite site;
    site.cluster.add_fault(fakes::after(fakes::request_to("POST", "/persistentvolumes"), [&] {
      site.cluster.meddle(kube::k_volume, "", adoption_probe_name(site.request), [&](json::Value& volume) {
        volume = json::apply_merge_patch(volume, yaml(change));
      });
    }));
    const auto sight = site.run();
    REQUIRE_FALSE(sight.ok());
    CHECK(sight.error().kind == Kind::refused);
    CHECK(contains(sight.error().what, "is not as it was created"));
    CHECK(site.left() == 0);
    CHECK(site.home_lives());
  }
}

TEST_CASE("a driver that mounts another path, or none, is found out") {
  ProbeSite site;
  site.attach_as("/mnt/SAS/another");
  auto sight = site.run();
  REQUIRE_FALSE(sight.ok());
  CHECK(sight.error().kind == Kind::mismatch);
  CHECK(contains(sight.error().what, "the new driver mounts /mnt/SAS/another"));
  CHECK(site.left() == 0);

  ProbeSite stuck;
  stuck.attachment_status = yaml("{attached: false, attachError: {message: 'volume not found: dataset X'}}");
  stuck.cluster.workloads.run_pod = [](const json::Value&) -> std::optional<fakes::PodEnd> {
    return std::nullopt;
  };
  // The Pod ends by somebody's hand, as it never would by itself.
  stuck.cluster.each_tick = [&] {
    stuck.attach();
    if (stuck.clock.steady() < Milliseconds(20000)) return;
    for (const auto& key : stuck.cluster.store.keys("", "pods")) stuck.cluster.store.erase(key);
  };
  sight = stuck.run();
  REQUIRE_FALSE(sight.ok());
  CHECK(sight.error().kind == Kind::refused);
  CHECK(contains(sight.error().what, "volume not found: dataset X"));
  CHECK(stuck.home_lives());
}

TEST_CASE("the scan's own end is handed on") {
  ProbeSite site;
  site.cluster.workloads.run_pod = [](const json::Value&) {
    return fakes::PodEnd{
        4, R"({"type":"result","mode":"scan","exit":4,"text":"nothing is mounted at /source"})", ""};
  };
  const auto sight = site.run();
  REQUIRE_MESSAGE(sight.ok(), sight.error().what);
  CHECK(sight->scan.exit == 4);
  CHECK(sight->scan.text == "nothing is mounted at /source");
  CHECK(site.left() == 0);
}

TEST_CASE("a claim that is not ours is never touched, whatever it is called or labelled") {
  ProbeSite site;
  const std::string name = adoption_probe_name(site.request);
  // Somebody's claim has the name.
  site.cluster.put(
      yaml("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
           ", namespace: coder}, spec: {accessModes: [ReadWriteOnce], storageClassName: truenas-nfs, "
           "resources: {requests: {storage: 1Gi}}}, status: {phase: Pending}}"));
  CHECK_FALSE(site.run().ok());
  CHECK(site.cluster.find(kube::k_claim, "coder", name) != nullptr);
  CHECK(site.home_lives());

  // A claim with our labels has the user's own volume, which is Delete.
  ProbeSite dressed;
  dressed.cluster.meddle(kube::k_claim, "coder", "home", [&](json::Value& claim) {
    claim.set_at("/metadata/labels", *adoption_probe_claim(dressed.request).at("/metadata/labels"));
  });
  CHECK_FALSE(dressed.run().ok());
  CHECK(dressed.said("which is not the probe's"));
  dressed.cluster.tick(10);
  CHECK(dressed.home_lives());
}

TEST_CASE("a stop asked for at any moment removes what was made") {
  for (const int at : {0, 1, 2, 3, 5, 8}) {
    CAPTURE(at);
    ProbeSite site;
    site.cluster.workloads.run_pod = [](const json::Value&) -> std::optional<fakes::PodEnd> {
      return std::nullopt;
    };
    int sleeps = 0;
    if (at == 0) request_interrupt(SIGINT);
    site.clock.on_sleep = [&]() -> Result<void> {
      if (++sleeps < at) return {};
      request_interrupt(SIGINT);
      return make_error(Kind::interrupted, "interrupted");
    };
    const auto sight = site.run();
    clear_interrupt();
    REQUIRE_FALSE(sight.ok());
    CHECK(sight.error().kind == Kind::interrupted);
    REQUIRE(sight.error().hints.size() == 1);
    CHECK(sight.error().hints[0] == "what the probe has made is removed");
    site.clock.on_sleep = {};
    site.cluster.tick(10);
    CHECK(site.left() == 0);
    CHECK(site.home_lives());
  }
}

TEST_CASE("a claim that is not bound is nudged, and given up after its deadline") {
  ProbeSite site;
  // The binder sleeps: the volume waits for somebody else.
  site.cluster.each_tick = [&] {
    if (site.cluster.find(kube::k_volume, "", adoption_probe_name(site.request)) == nullptr) return;
    site.cluster.meddle(kube::k_volume, "", adoption_probe_name(site.request),
                        [](json::Value& volume) { volume.set_at("/spec/claimRef/uid", "somebody-else"); });
  };
  int nudges = 0;
  site.cluster.on_request = [&](const fakes::Seen& seen, bool applied) {
    if (applied && seen.what.method == "PATCH" && contains(seen.what.body, "truenas-migrate/nudge")) ++nudges;
  };
  const auto sight = site.run();
  REQUIRE_FALSE(sight.ok());
  CHECK(sight.error().kind == Kind::stopped);
  CHECK(contains(sight.error().what, "is Pending after 1m00s"));
  CHECK(nudges >= 2);
  CHECK(nudges <= 13);
  CHECK(site.home_lives());
}

TEST_CASE("what cannot be adopted is not tried") {
  ProbeSite site;
  site.request.old_volume.set_at("/spec/csi/volumeAttributes/share", "/export/x");
  const std::size_t writes = site.cluster.writes();
  CHECK(site.run().error().kind == Kind::refused);
  CHECK(site.probe().try_it(site.request).error().kind == Kind::refused);
  site.request.old_volume.remove_at("/metadata/uid");
  CHECK(site.run().error().kind == Kind::bug);
  CHECK(site.cluster.writes() == writes);
}
