#include <doctest/doctest.h>

#include "lib/cnpg/cluster_reader.h"
#include "lib/cnpg/sql.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/objects.h"
#include "tests/fakes/site.h"

using namespace truenas;
using namespace truenas::fakes;
using json::Value;
using kube::PatchKind;

namespace {

struct Site {
  FakeCluster cluster;
  FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = make_session(cluster, clock);
  kube::Reader reader{*session};
  kube::Writer writer{*session, any_permit()};
  explicit Site(const SiteOptions& options = {}) { REQUIRE(build_site(cluster, options)); }

  cnpg::ClusterState state() {
    auto read = cnpg::read_cluster(reader, "coder", "coder-postgres");
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().what));
    return std::move(read).value();
  }
  bool healthy_again() {
    return cluster.tick_until([&] { return cnpg::unhealthy_because(state()).empty(); }, 60);
  }
  void patch_cluster(std::string_view pointer, const Value& value, std::string_view subresource = "") {
    Value patch = Value::object();
    patch.set_at(pointer, value);
    REQUIRE(
        writer.patch(kube::k_cluster, "coder", "coder-postgres", PatchKind::merge, patch, subresource).ok());
  }
  void replace_instance(const std::string& name) {
    Value patch = Value::object();
    patch.set_at("/metadata/annotations/alpha.cnpg.io~1unrecoverable", "true");
    REQUIRE(writer.patch(kube::k_pod, "coder", name, PatchKind::merge, patch).ok());
    cluster.tick();
  }
  void retain_all() {
    for (const Key& key : cluster.store.keys("", "persistentvolumes")) {
      cluster.store.update(key,
                           [](Value& copy) { copy.set_at("/spec/persistentVolumeReclaimPolicy", "Retain"); });
    }
  }
  bool nothing_lost() {
    const auto database = cluster.database("coder", "coder-postgres");
    return database.acknowledged > 0 && database.stored == database.acknowledged;
  }
};

}  // namespace

TEST_CASE("the site settles: a healthy database of three and five homes on the old class") {
  Site site;
  const cnpg::ClusterState state = site.state();
  CHECK(cnpg::unhealthy_because(state).empty());
  CHECK(state.instance_names.size() == 3);
  CHECK(state.current_primary == "coder-postgres-1");
  REQUIRE(state.replication.has_value());
  CHECK(state.replication->size() == 2);
  for (const cnpg::InstanceClaim& claim : state.claims) CHECK(claim.storage_class == k_old_class);
  CHECK(site.cluster.database("coder", "coder-postgres").acknowledged == 100);
  CHECK(site.nothing_lost());
  CHECK(workspace_claims().size() == 5);
}

TEST_CASE("replica by replica, a switchover, the old primary: on the new class, with every write") {
  for (const bool monotonic : {false, true}) {
    CAPTURE(monotonic);
    Site site;
    site.cluster.cnpg.options.monotonic_serials = monotonic;
    site.cluster.each_tick = [&] { site.cluster.cnpg.write("coder", "coder-postgres"); };
    site.retain_all();
    site.patch_cluster("/spec/storage/storageClass", k_new_class);
    site.replace_instance("coder-postgres-2");
    CHECK(site.cluster.database("coder", "coder-postgres").phase != "Cluster in healthy state");
    REQUIRE(site.healthy_again());
    site.replace_instance("coder-postgres-3");
    REQUIRE(site.healthy_again());
    const std::string next = site.state().instance_names.back();
    site.patch_cluster("/status/targetPrimary", next, "status");
    site.cluster.tick();
    CHECK(site.cluster.database("coder", "coder-postgres").phase == "Switchover in progress");
    REQUIRE(site.healthy_again());
    CHECK(site.state().current_primary == next);
    CHECK(site.state().timeline == 2);
    site.replace_instance("coder-postgres-1");
    REQUIRE(site.healthy_again());
    const cnpg::ClusterState state = site.state();
    for (const cnpg::InstanceClaim& claim : state.claims) CHECK(claim.storage_class == k_new_class);
    CHECK(state.instance_names.front() == (monotonic ? "coder-postgres-4" : "coder-postgres-1"));
    CHECK(site.cluster.database("coder", "coder-postgres").acknowledged > 110);
    CHECK(site.nothing_lost());
    CHECK(site.cluster.destroyed_data().empty());
  }
}

TEST_CASE("without Retain a replacement destroys a dataset, and that is seen") {
  Site site;
  site.replace_instance("coder-postgres-2");
  REQUIRE(site.healthy_again());
  REQUIRE(site.cluster.destroyed_data().size() == 1);
  CHECK(site.cluster.destroyed_data().front().made_for == "coder/coder-postgres-2");
}

TEST_CASE("promoting a replica that stands still loses writes: what the gate is for") {
  Site site;
  site.cluster.cnpg.lagging.insert("coder-postgres-2");
  for (int i = 0; i < 5; ++i) CHECK(site.cluster.write("coder", "coder-postgres"));
  const cnpg::ClusterState state = site.state();
  REQUIRE(state.replication.has_value());
  CHECK(state.replication->at("coder-postgres-2").lag_bytes == 5 * 16777216);
  CHECK(state.replication->at("coder-postgres-3").lag_bytes == 0);
  site.patch_cluster("/status/targetPrimary", "coder-postgres-2", "status");
  REQUIRE(site.healthy_again());
  CHECK_FALSE(site.nothing_lost());
}

TEST_CASE("a primary whose pod goes away is failed over, and serials are recycled") {
  Site site;
  kube::DeleteOptions options;
  const Value claim = site.reader.get(kube::k_claim, "coder", "coder-postgres-1").value();
  options.uid = claim.text_at("/metadata/uid");
  REQUIRE(site.writer.remove(kube::k_claim, "coder", "coder-postgres-1", options).ok());
  site.cluster.tick(3);
  CHECK(is_being_deleted(*site.cluster.find(kube::k_claim, "coder", "coder-postgres-1")));  // still mounted
  options.uid = uid_of(*site.cluster.find(kube::k_pod, "coder", "coder-postgres-1"));
  REQUIRE(site.writer.remove(kube::k_pod, "coder", "coder-postgres-1", options).ok());
  REQUIRE(site.healthy_again());
  CHECK(site.state().current_primary != "coder-postgres-1");
  CHECK(site.nothing_lost());
  CHECK(site.state().instance_names.size() == 3);
}

TEST_CASE("a forgotten replacement moves on once the Cluster is touched") {
  Site site;
  site.retain_all();
  site.cluster.cnpg.options.forgotten_replacements = 1;
  site.replace_instance("coder-postgres-3");
  CHECK_FALSE(site.healthy_again());
  CHECK(site.state().ready_instances == 2);
  CHECK(site.state().claims.size() == 2);
  site.patch_cluster("/metadata/annotations/touched", "1");
  CHECK(site.healthy_again());
}

TEST_CASE("a join waits for a checkpoint; CHECKPOINT in the primary hurries it") {
  for (const bool hurry : {false, true}) {
    CAPTURE(hurry);
    Site site;
    site.retain_all();
    site.cluster.cnpg.options.spread_checkpoint_ticks = 40;
    site.replace_instance("coder-postgres-2");
    REQUIRE(site.cluster.tick_until([&] { return !site.state().jobs.empty(); }, 10));
    if (hurry) REQUIRE(cnpg::checkpoint(site.writer, {"coder", "coder-postgres-1"}).ok());
    site.cluster.tick(10);
    CHECK(cnpg::unhealthy_because(site.state()).empty() == hurry);
    CHECK(site.healthy_again());
  }
}

TEST_CASE("a provisioner that is down leaves the claim Pending and says so") {
  Site site;
  site.retain_all();
  site.cluster.storage.drivers_down.insert(std::string(k_new_driver));
  site.patch_cluster("/spec/storage/storageClass", k_new_class);
  site.replace_instance("coder-postgres-3");
  CHECK_FALSE(site.healthy_again());
  const Value* claim = site.cluster.find(kube::k_claim, "coder", "coder-postgres-3");
  REQUIRE(claim != nullptr);
  CHECK(claim->text_at("/status/phase") == "Pending");
  const auto events = site.reader.events_of("coder", uid_of(*claim));
  REQUIRE(events.ok());
  REQUIRE(events->size() == 1);
  CHECK(events->front().reason == "ExternalProvisioning");
  site.cluster.storage.drivers_down.clear();
  CHECK(site.healthy_again());
}

TEST_CASE("WAL and tablespace claims, and scaling") {
  SiteOptions options;
  options.wal_storage = options.tablespace = true;
  options.instances = 1;
  Site site(options);
  CHECK(site.state().claims.size() == 3);
  site.patch_cluster("/spec/instances", 2);
  site.cluster.tick();
  REQUIRE(site.healthy_again());
  CHECK(site.state().claims.size() == 6);
  site.patch_cluster("/spec/instances", 1);
  site.cluster.tick();
  REQUIRE(site.healthy_again());
  CHECK(site.state().instance_names == std::vector<std::string>{"coder-postgres-1"});
  CHECK(site.nothing_lost());
}

TEST_CASE("faults strike the write they name") {
  Site site;
  site.cluster.faults.add(refuse(write_number(1)));
  site.cluster.faults.add(drop_reply(write_number(2)));
  Value patch = Value::object();
  patch.set_at("/metadata/annotations/x", "1");
  const auto again = [&] {
    return site.writer.patch(kube::k_cluster, "coder", "coder-postgres", PatchKind::merge, patch);
  };
  const auto annotation = [&] { return kube::annotation_of(site.state().object, "x"); };
  CHECK(again().error().kind == Kind::unavailable);
  CHECK(annotation().empty());
  CHECK(again().error().kind == Kind::outcome_unknown);
  CHECK(annotation() == "1");
  CHECK(again().ok());
  CHECK(site.cluster.writes() == 3);
  site.cluster.faults.add(answer(request_to("PATCH", "clusters"), too_many_requests(7)));
  const auto before_retry = site.clock.steady();
  CHECK(again().ok());  // Y1: waited as told, then done
  CHECK(site.clock.steady() - before_retry >= Seconds(7));
  site.cluster.faults.add(answer(request_to("GET", "/persistentvolumes"), internal_error()));
  CHECK_FALSE(site.reader.list(kube::k_volume, "").ok());
  CHECK(site.reader.list(kube::k_volume, "").ok());
}

TEST_CASE("a page that expired restarts the list") {
  Site site;
  bool expired_once = false;
  site.cluster.faults.add(before(request_to("GET", "continue="), [&] {
    site.cluster.store.compact();
    site.cluster.put(
        Value::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Value::object({{"name", "late"}, {"namespace", "coder"}})}}));
    expired_once = true;
  }));
  kube::ListOptions options;
  options.limit = 2;
  const auto claims = site.reader.list(kube::k_claim, "", options);
  REQUIRE(claims.ok());
  CHECK(expired_once);
  CHECK(claims->size() == 8);
}

TEST_CASE("exec: output, exit codes, stdin, and a connection without a status") {
  Site site;
  site.cluster.exec = [](const ExecCommand& command) -> ExecOutcome {
    if (command.argv.front() == "cat") return {0, command.stdin_text, ""};
    if (command.argv.front() == "big") return {0, std::string(100000, 'x'), ""};
    return {3, "", "no such thing\n"};
  };
  kube::ExecRequest request;
  request.ns = "coder";
  request.pod = "coder-postgres-1";
  request.container = "postgres";
  request.argv = {"cat"};
  request.stdin_text = std::string(70000, 'y') + "z";
  CHECK(site.reader.inspect(request).value().out == request.stdin_text);
  request.stdin_text.clear();
  request.argv = {"false"};
  CHECK(site.reader.inspect(request).value().exit_code == 3);
  CHECK(site.reader.inspect(request).value().err == "no such thing\n");
  request.argv = {"big"};
  CHECK(site.reader.inspect(request).value().out.size() == 100000);
  site.cluster.exec_fault = ExecFault::cut_output;
  CHECK_FALSE(site.reader.inspect(request).ok());
  site.cluster.exec_fault = ExecFault::no_status;
  CHECK_FALSE(site.reader.inspect(request).ok());
}

TEST_CASE("what the user may not do is forbidden, and the review says so beforehand") {
  Site site;
  site.cluster.api.denied.push_back({"patch", "", "persistentvolumes", "", ""});
  CHECK_FALSE(site.reader.can_i({"patch", "", "persistentvolumes", "", "", ""}).value());
  CHECK(site.reader.can_i({"get", "", "persistentvolumes", "", "", ""}).value());
  const auto refused = site.writer.patch(kube::k_volume, "", "x", PatchKind::merge, Value::object());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::auth);
}
