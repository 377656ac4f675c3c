#include "lib/cnpg/cluster.h"

#include <doctest/doctest.h>

#include <functional>

#include "lib/base/text.h"
#include "tests/unit/cnpg/fixtures.h"

using namespace truenas;
using namespace truenas::cnpg;

TEST_CASE("a healthy cluster is read whole and counts as healthy") {
  const ClusterState cluster = load_cluster("healthy");
  CHECK(cluster.ns == "coder");
  CHECK(cluster.uid == "uid-cluster");
  CHECK(cluster.resource_version == "4711");
  CHECK(cluster.instances == 3);
  CHECK(cluster.system_id == "7575000000000000001");
  CHECK(cluster.current_primary == "coder-postgres-1");
  CHECK(cluster.claims.size() == 3);
  CHECK(cluster.volumes.size() == 3);
  CHECK(cluster.volumes.count("pv-home") == 0);
  CHECK(cluster.pods.size() == 3);
  CHECK(unhealthy_because(cluster).empty());
  const auto claims = claims_of(cluster, "coder-postgres-2");
  REQUIRE(claims.size() == 1);
  CHECK(claims[0]->owned);
  CHECK(claims[0]->storage_class == "truenas-nfs");
  CHECK(claims[0]->role == "PG_DATA");
  const InstanceVolume& volume = cluster.volumes.at("pv-coder-postgres-2");
  CHECK(volume.driver == "truenas-nfs");
  CHECK(volume.dataset == "/mnt/SAS/RKE2/pv-coder-postgres-2");
  CHECK(volume.claim_name == "coder-postgres-2");
  CHECK(volume.bytes == 1 << 30);
  REQUIRE(find_pod(cluster, "coder-postgres-3") != nullptr);
  CHECK(find_pod(cluster, "coder-postgres-3")->ready);
  CHECK(find_pod(cluster, "coder-postgres-9") == nullptr);
  REQUIRE(cluster.storage.size() == 1);
  CHECK(cluster.storage[0].pointer == "/spec/storage");
}

TEST_CASE("the old volume of a replaced instance is found by its claimRef, and kept apart from the new one") {
  ClusterState cluster = load_cluster("joining");
  REQUIRE(cluster.volumes.count("pv-coder-postgres-2") == 1);
  CHECK(cluster.volumes.at("pv-coder-postgres-2").phase == "Released");
  CHECK(cluster.volumes.at("pv-new-2").driver == "csi.truenas.io");
  CHECK(cluster.volumes.at("pv-new-2").dataset == "/mnt/SAS/pv-new-2");
  CHECK(claims_of(cluster, "coder-postgres-2").at(0)->volume == "pv-new-2");
  REQUIRE(cluster.jobs.size() == 1);
  CHECK(cluster.jobs[0].role == "join");
  CHECK(cluster.jobs[0].instance == "coder-postgres-2");
  // The Job's own Pod is no instance.
  CHECK(cluster.pods.size() == 2);
  CHECK(find_pod(cluster, "coder-postgres-2") == nullptr);
  CHECK_FALSE(unhealthy_because(cluster).empty());
}

TEST_CASE(
    "a claim that lost its labels but is owned, and one that lost its owner but is labelled, both count") {
  ClusterDocuments documents = load_documents("healthy");
  named(documents.claims, "coder-postgres-2").remove_at("/metadata/labels");
  named(documents.claims, "coder-postgres-3").remove_at("/metadata/ownerReferences");
  const ClusterState cluster = parsed(documents);
  REQUIRE(claims_of(cluster, "coder-postgres-2").size() == 1);
  CHECK(claims_of(cluster, "coder-postgres-2")[0]->owned);
  REQUIRE(claims_of(cluster, "coder-postgres-3").size() == 1);
  CHECK_FALSE(claims_of(cluster, "coder-postgres-3")[0]->owned);
}

TEST_CASE("objects of another namespace or another Cluster of the same name do not count") {
  ClusterDocuments documents = load_documents("healthy");
  json::Value& foreign = named(documents.claims, "coder-postgres-2");
  foreign.set_at("/metadata/namespace", "other");
  const ClusterState cluster = parsed(documents);
  CHECK(claims_of(cluster, "coder-postgres-2").empty());
  // An earlier Cluster of this name: its uid is not ours.
  json::Value& other = named(documents.claims, "coder-postgres-3");
  other.set_at("/metadata/ownerReferences",
               yaml("[{kind: Cluster, name: coder-postgres, uid: old, controller: true}]"));
  CHECK_FALSE(claims_of(parsed(documents), "coder-postgres-3").at(0)->owned);
}

TEST_CASE("an old operator's serials and role labels are read, never assumed") {
  const ClusterState cluster = load_cluster("old_operator");
  CHECK(cluster.current_primary == "coder-postgres-5");
  CHECK(find_pod(cluster, "coder-postgres-5")->role == "primary");
  CHECK(find_pod(cluster, "coder-postgres-4")->role == "replica");
  CHECK(unhealthy_because(cluster).empty());
}

TEST_CASE("WAL and tablespace claims belong to their instance, each with its own place in the spec") {
  const ClusterState cluster = load_cluster("wal_tablespaces");
  const auto claims = claims_of(cluster, "coder-postgres-1");
  REQUIRE(claims.size() == 3);
  CHECK(cluster.volumes.size() == 6);
  REQUIRE(cluster.storage.size() == 3);
  CHECK(cluster.storage[1].pointer == "/spec/walStorage");
  CHECK(cluster.storage[1].in_pvc_template);
  CHECK(cluster.storage[1].storage_class == "truenas-nfs");
  CHECK(cluster.storage[2].pointer == "/spec/tablespaces/0/storage");
  CHECK_FALSE(cluster.storage[2].in_pvc_template);
}

TEST_CASE("names of claims") {
  CHECK(is_claim_name("coder-postgres", "coder-postgres-1"));
  CHECK(is_claim_name("coder-postgres", "coder-postgres-12-wal"));
  CHECK(is_claim_name("coder-postgres", "coder-postgres-1-tbs-archive"));
  CHECK_FALSE(is_claim_name("coder-postgres", "coder-postgres-1-1"));  // cluster coder-postgres-1
  CHECK_FALSE(is_claim_name("coder-postgres", "coder-postgres-"));
  CHECK_FALSE(is_claim_name("coder-postgres", "coder-postgres"));
  CHECK_FALSE(is_claim_name("coder-postgres", "coder-postgres-1-tbs-"));
  CHECK_FALSE(is_claim_name("coder-postgres", "coder-postgres-x"));
  CHECK_FALSE(is_claim_name("coder-postgres", "other-1"));
}

TEST_CASE("every broken promise of the health predicate is noticed on its own") {
  struct Row {
    const char* why;
    std::function<void(ClusterState&)> spoil;
  };
  const Row rows[] = {
      {"phase is \"Creating a new replica\"", [](ClusterState& c) { c.phase = "Creating a new replica"; }},
      {"2 of 3 instances are ready", [](ClusterState& c) { c.ready_instances = 2; }},
      {"2 instances exist, 3 are wanted", [](ClusterState& c) { c.instance_names.pop_back(); }},
      {"there is no primary", [](ClusterState& c) { c.current_primary.clear(); }},
      {"the primary moves from coder-postgres-1 to coder-postgres-2",
       [](ClusterState& c) { c.target_primary = "coder-postgres-2"; }},
      {"the primary moves from coder-postgres-1 to pending",
       [](ClusterState& c) { c.target_primary = "pending"; }},
      {"claims are dangling: x", [](ClusterState& c) { c.dangling = {"x"}; }},
      {"claims are initializing: x", [](ClusterState& c) { c.initializing = {"x"}; }},
      {"claims are unusable: x", [](ClusterState& c) { c.unusable = {"x"}; }},
      {"job j failed", [](ClusterState& c) { c.jobs.push_back({.name = "j", .failed = true}); }},
      {"job j is running", [](ClusterState& c) { c.jobs.push_back({.name = "j"}); }},
      {"claim coder-postgres-1 is being deleted", [](ClusterState& c) { c.claims[0].terminating = true; }},
      {"pod coder-postgres-1 is being deleted", [](ClusterState& c) { c.pods[0].terminating = true; }},
      {"pod coder-postgres-1 is not ready", [](ClusterState& c) { c.pods[0].ready = false; }},
      {"pod coder-postgres-1 is marked unrecoverable",
       [](ClusterState& c) { c.pods[0].marked_unrecoverable = true; }},
      {"instance coder-postgres-3 has no pod", [](ClusterState& c) { c.pods.pop_back(); }},
      {"replication is unknown: no answer",
       [](ClusterState& c) {
         c.replication.reset();
         c.replication_unknown_why = "no answer";
       }},
      {"replica coder-postgres-2 is not connected to the primary",
       [](ClusterState& c) { c.replication->erase("coder-postgres-2"); }},
      {"replica coder-postgres-2 does not stream (state \"catchup\")",
       [](ClusterState& c) { (*c.replication)["coder-postgres-2"].state = "catchup"; }},
      {"replica coder-postgres-2 has not said how far it has replayed",
       [](ClusterState& c) { (*c.replication)["coder-postgres-2"].lag_bytes = -1; }},
      {"the Cluster is being deleted", [](ClusterState& c) { c.terminating = true; }},
  };
  for (const Row& row : rows) {
    ClusterState cluster = load_cluster("healthy");
    row.spoil(cluster);
    const std::vector<std::string> why = unhealthy_because(cluster);
    CAPTURE(row.why);
    REQUIRE(why.size() == 1);
    CHECK(why[0] == row.why);
  }
}

TEST_CASE("a single instance needs no replication") {
  ClusterState cluster = load_cluster("healthy");
  cluster.instances = cluster.ready_instances = 1;
  cluster.instance_names = {"coder-postgres-1"};
  cluster.replication.reset();
  CHECK(unhealthy_because(cluster).empty());
}

TEST_CASE("a completed job is history") {
  ClusterState cluster = load_cluster("healthy");
  cluster.jobs.push_back({.name = "coder-postgres-2-join", .complete = true});
  CHECK(unhealthy_because(cluster).empty());
}

TEST_CASE("terminal phases") {
  CHECK(is_terminal_phase("Cluster is unrecoverable and needs manual intervention"));
  CHECK(is_terminal_phase("Waiting for user action"));
  CHECK_FALSE(is_terminal_phase("Creating a new replica"));
  CHECK_FALSE(is_terminal_phase("Switchover in progress"));
  CHECK_FALSE(is_terminal_phase(""));
}

TEST_CASE("two connections of one name: the worse one counts") {
  const auto rows = parse_replication({{"a", "streaming", "0"},
                                       {"a", "backup", ""},
                                       {"b", "streaming", ""},
                                       {"b", "streaming", "12"},
                                       {"c", "streaming", "7"},
                                       {"c", "streaming", "9000"},
                                       {"d", "streaming", "-16"},
                                       {"short"}});
  CHECK(rows.at("a").state == "backup");
  CHECK(rows.at("b").lag_bytes == -1);
  CHECK(rows.at("c").lag_bytes == 9000);
  CHECK(rows.at("d").lag_bytes == 0);
  CHECK(rows.count("short") == 0);
}

TEST_CASE("a document that is no Cluster is an error, not a cluster of zero instances") {
  ClusterDocuments documents;
  CHECK(parse_cluster(documents).error().kind == Kind::format);
  documents = load_documents("healthy");
  documents.cluster.set_at("/spec/instances", "three");
  CHECK(contains(parse_cluster(documents).error().what, "/spec/instances"));
  documents.cluster.set_at("/spec/instances", -1);
  CHECK_FALSE(parse_cluster(documents).ok());
}
