#include <doctest/doctest.h>

#include "lib/cnpg/sql.h"
#include "tests/fakes/objects.h"
#include "tests/fakes/site_fixture.h"

using namespace truenas;
using namespace truenas::fakes;
using json::Value;
using kube::PatchKind;

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
