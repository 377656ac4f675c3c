// What stops a move before it begins, and what the user is told to do about it.

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/preflight.h"
#include "tests/model/postgres_worlds.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

std::vector<std::string> ids(const std::vector<Finding>& findings, bool blocking_only) {
  std::vector<std::string> found;
  for (const Finding& finding : findings) {
    if (!blocking_only || blocks(finding)) found.push_back(finding.id);
  }
  return found;
}

const Finding& get(const std::vector<Finding>& findings, const std::string& id) {
  const auto found =
      std::find_if(findings.begin(), findings.end(), [&](const auto& f) { return f.id == id; });
  REQUIRE(found != findings.end());
  return *found;
}

std::vector<std::string> blocking(const PostgresWorld& world) {
  return ids(preflight(world, site_options()), true);
}

}  // namespace

TEST_CASE("a healthy cluster of three has no findings") {
  CHECK(preflight(make_site(), site_options()).empty());
}

TEST_CASE("all findings at once") {
  PostgresWorld world = make_site();
  world.cluster.phase = "Failing over";
  world.site.facts.shape.fenced = true;
  world.site.facts.shape.hibernated = true;
  world.site.facts.backups = {{"nightly", "running", "volumeSnapshot", true, true, {"snap"}}};
  world.site.facts.shape.wal_archiving = true;
  world.site.missing_permissions = {
      "cannot patch persistentvolumes (cluster-wide): so that old volumes are kept"};
  world.to.exists = false;
  CHECK(blocking(world) == std::vector<std::string>{"class-absent", "unhealthy", "backup-running",
                                                    "permission", "hibernated", "fenced",
                                                    "old-class-snapshots"});
  const engine::Next next = next_of_rolling(world, site_options());
  const auto* blocked = std::get_if<engine::Blocked>(&next);
  REQUIRE(blocked != nullptr);
  CHECK(blocked->kind == Kind::refused);
  for (const std::string& id : blocking(world)) CHECK(contains(blocked->why, "[" + id + "]"));
  CHECK(blocked->hints.size() >= 7);
}

TEST_CASE("each state of the cluster that forbids a move") {
  const auto with = [](const std::function<void(PostgresWorld&)>& change) {
    PostgresWorld world = make_site();
    change(world);
    return blocking(world);
  };
  using Ids = std::vector<std::string>;
  CHECK(with([](auto& w) { w.site.facts.shape.maintenance_window = true; }) == Ids{"maintenance-window"});
  CHECK(with([](auto& w) { w.site.facts.shape.replica_cluster = true; }) == Ids{"replica-cluster"});
  CHECK(with([](auto& w) { w.site.facts.shape.reconciliation_disabled = true; }) ==
        Ids{"reconciliation-disabled"});
  CHECK(with([](auto& w) { w.cluster.replication->at("coder-postgres-2").state = "catchup"; }) ==
        Ids{"unhealthy"});
  CHECK(with([](auto& w) { w.cluster.replication.reset(); }) == Ids{"unhealthy"});
  CHECK(with([](auto& w) { w.site.facts.databases.reset(); }) == Ids{"unlogged-unknown"});
  CHECK(with([](auto& w) { w.cluster.claims[1].terminating = true; }) == Ids{"unhealthy"});
  // The status says healthy, but a pod is gone: an old status must not be believed.
  CHECK(with([](auto& w) { w.cluster.pods.pop_back(); }) == Ids{"unhealthy"});
}

TEST_CASE("a class on which PostgreSQL's files would be somebody else's is refused by name") {
  PostgresWorld world = make_site();
  world.to.probed.emplace();
  world.to.probed->time = "2026-11-22T13:28:34.000000Z";
  world.to.probed->verdict = "all_squash(root)";
  const Finding refused = get(preflight(world, site_options()), "class-owners");
  CHECK(blocks(refused));
  CHECK(refused.text ==
        "storage class truenas-csi-nfs gives every file to root (all_squash(root), probed "
        "2026-11-22T13:28:34Z): PostgreSQL refuses a data directory that is not its own, uid 26");
  CHECK(contains(refused.remedy.at(0), "nfs.mapAllUser and nfs.mapAllGroup present and EMPTY"));
  CHECK(contains(refused.remedy.back(), "storageclass --probe"));
  const engine::Next next = next_of_rolling(world, site_options());
  const auto* blocked = std::get_if<engine::Blocked>(&next);
  REQUIRE(blocked != nullptr);
  CHECK(blocked->kind == Kind::refused);
  // Its own uid, or one that the class's volumes belong to, is no hindrance.
  world.site.facts.shape.uid = 1000;
  world.to.probed->verdict = "all_squash(1000:1000)";
  CHECK(blocking(world).empty());
  world.to.probed->verdict = "private to uid 26";
  CHECK(blocking(world) == std::vector<std::string>{"class-owners"});
}

TEST_CASE("where root is squashed Pods with fsGroup are told what the canary would tell") {
  PostgresWorld world = make_site();
  world.to.probed.emplace();
  world.to.probed->time = "2026-11-22T13:28:34.000000Z";
  for (const char* verdict : {"root_squash", "private to uid 26"}) {
    world.to.probed->verdict = verdict;
    world.site.facts.shape.has_fs_group = true;
    const Finding told = get(preflight(world, site_options()), "class-fs-group");
    CHECK_FALSE(blocks(told));
    CHECK(contains(told.text, "set spec.podSecurityContext of cluster coder/coder-postgres to"));
    CHECK(std::holds_alternative<engine::Step>(next_of_rolling(world, site_options())));
    world.site.facts.shape.has_fs_group = false;
    CHECK(preflight(world, site_options()).empty());
  }
  world.site.facts.shape.has_fs_group = true;
  for (const char* verdict : {"no_root_squash", "local file system", "unknown", "read-only"}) {
    world.to.probed->verdict = verdict;
    CHECK(preflight(world, site_options()).empty());
  }
}

TEST_CASE("unlogged tables are given up only by name") {
  PostgresWorld world = make_site();
  world.site.facts.databases->unlogged = {{"coder", "public.sessions_cache", false, 8192},
                                          {"coder", "public.s", true, 8192}};
  RollingOptions options = site_options();
  const Finding refused = get(preflight(world, options), "unlogged-tables");
  CHECK(blocks(refused));
  CHECK(refused.text ==
        "2 unlogged relations are not replicated and will be EMPTY after the switchover: coder: "
        "public.sessions_cache; coder: public.s");
  CHECK(std::holds_alternative<engine::Blocked>(next_of_rolling(world, options)));
  options.accepted = {"something-else"};
  CHECK(blocks(get(preflight(world, options), "unlogged-tables")));
  options.accepted = {"unlogged-tables"};
  CHECK_FALSE(blocks(get(preflight(world, options), "unlogged-tables")));
  CHECK(std::holds_alternative<engine::Step>(next_of_rolling(world, options)));
}

TEST_CASE("a synchronous quorum that one replica less cannot give needs consent") {
  PostgresWorld world = make_site();
  world.site.facts.shape.synchronous = {1, true, "spec.minSyncReplicas"};
  CHECK(blocking(world).empty());
  world.site.facts.shape.synchronous.required = 2;
  CHECK(blocking(world) == std::vector<std::string>{"synchronous-quorum"});
  world.site.facts.shape.synchronous.blocks = false;
  CHECK(blocking(world).empty());
}

TEST_CASE("two instances: the spare is announced, and needs a node") {
  PostgresWorld world = make_site({2});
  CHECK(ids(preflight(world, site_options()), false) == std::vector<std::string>{"spare-instance"});
  world.site.facts.shape.required_anti_affinity = true;
  world.site.schedulable_nodes = 2;
  CHECK(blocking(world) == std::vector<std::string>{"anti-affinity"});
  world.site.schedulable_nodes = 3;
  CHECK(blocking(world).empty());
}

TEST_CASE(
    "somebody else keeps the manifest: refused with the exact lines, until the spec says the new class") {
  PostgresWorld world = make_site();
  world.site.facts.shape.owners = {
      {"Argo CD", "database", "annotation argocd.argoproj.io/tracking-id", true, ""}};
  const Finding owner = get(preflight(world, site_options()), "manifest-owner");
  CHECK(blocks(owner));
  CHECK(owner.text ==
        "Argo CD \"database\" keeps the manifest of cluster coder/coder-postgres and would take a patch back "
        "(annotation argocd.argoproj.io/tracking-id)");
  CHECK(owner.remedy == std::vector<std::string>{"set in the manifest that Argo CD applies:", "spec:",
                                                 "  storage:", "    storageClass: truenas-csi-nfs",
                                                 "once it is applied, run the same command again"});
  world.cluster.storage.front().storage_class = "truenas-csi-nfs";
  CHECK(blocking(world).empty());
  world.site.facts.shape.owners.front().reverts = false;
  world.cluster.storage.front().storage_class = "truenas-nfs";
  CHECK(blocking(world).empty());  // plain Helm puts nothing back by itself: told, not refused
}

TEST_CASE("somebody else keeps the manifest, and the class wants no fsGroup: those lines too") {
  PostgresWorld world = make_site();
  world.site.facts.shape.owners = {{"Fleet", "bundle", "label", true, ""}};
  world.canary.without_fs_group.trial = Trial::passed;
  const std::string lines = join(get(preflight(world, site_options()), "manifest-owner").remedy, "\n");
  CHECK(contains(lines, "storageClass: truenas-csi-nfs"));
  CHECK(contains(lines, "podSecurityContext:"));
  CHECK(contains(lines, "runAsUser: 26"));
}

TEST_CASE("somebody else keeps the manifest of a single instance: what it is told to commit is enough") {
  PostgresWorld world = make_site({1});
  world.site.facts.shape.owners = {{"Flux", "database", "label", true, ""}};
  const std::string lines = join(get(preflight(world, site_options()), "manifest-owner").remedy, "\n");
  CHECK(contains(lines, "  instances: 3   # 1 again once the move is complete"));
  PostgresWorld committed = make_site({3});
  committed.site.facts.shape.owners = world.site.facts.shape.owners;
  committed.cluster.storage.front().storage_class = "truenas-csi-nfs";
  CHECK(blocking(committed).empty());
}

TEST_CASE(
    "somebody else keeps the manifest, known only after the trial: its verdict is noted and nothing of it "
    "stays") {
  const RollingOptions options = site_options();
  PostgresWorld world = make_site();
  world.site.facts.shape.owners = {{"Flux", "database", "label", true, ""}};
  world.cluster.storage.front().storage_class = "truenas-csi-nfs";
  world.canary.uses_fs_group = true;
  world = project_rolling(std::move(world), options, next_of_rolling(world, options));
  REQUIRE(move_is_open(world, options));
  world.canary.as_is.trial = Trial::failed;
  world.canary.without_fs_group.trial = Trial::passed;
  world.canary.claim_uid = "claim";
  world.canary.pod_uid = "pod";
  world.canary.pod_fingerprint = world.canary.without_fs_group.fingerprint;
  std::vector<std::string> verbs;
  for (int round = 0; round < 40; ++round) {
    const engine::Next next = next_of_rolling(world, options);
    if (std::holds_alternative<engine::Blocked>(next)) break;
    if (const auto* step = std::get_if<engine::Step>(&next)) verbs.push_back(step->verb);
    world = project_rolling(std::move(world), options, next);
  }
  const engine::Next next = next_of_rolling(world, options);
  const auto* blocked = std::get_if<engine::Blocked>(&next);
  REQUIRE(blocked != nullptr);
  CHECK(contains(blocked->why, "[manifest-owner]"));
  CHECK(world.canary.claim_uid.empty());
  CHECK(world.canary.pod_uid.empty());
  CHECK(world.canary.without_fs_group.noted);
  for (const char* unwanted : {"drop-fs-group", "set-class"})
    CHECK(std::find(verbs.begin(), verbs.end(), unwanted) == verbs.end());
}

TEST_CASE(
    "supervised updates: refused before a restart that would wait for a human, after the canary is gone") {
  const RollingOptions options = site_options();
  PostgresWorld world = make_site();
  world.site.facts.shape.supervised = true;
  CHECK(blocking(world).empty());
  world = project_rolling(std::move(world), options, next_of_rolling(world, options));
  REQUIRE(move_is_open(world, options));
  world.canary.as_is.trial = Trial::failed;
  world.canary.without_fs_group.trial = Trial::passed;
  std::vector<std::string> verbs;
  engine::Next next = next_of_rolling(world, options);
  while (const auto* step = std::get_if<engine::Step>(&next)) {
    verbs.push_back(step->verb);
    REQUIRE(verbs.size() < 20);
    world = project_rolling(std::move(world), options, next);
    next = next_of_rolling(world, options);
  }
  const auto* blocked = std::get_if<engine::Blocked>(&next);
  REQUIRE(blocked != nullptr);
  CHECK(contains(blocked->why, "[supervised-updates] primaryUpdateStrategy is supervised: the restart"));
  CHECK(blocked->kind == Kind::refused);
  for (const char* unwanted : {"drop-fs-group", "set-class"})
    CHECK(std::find(verbs.begin(), verbs.end(), unwanted) == verbs.end());
  world.site.facts.shape.supervised = false;
  CHECK(std::get<engine::Step>(next_of_rolling(world, options)).verb == "drop-fs-group");
}

TEST_CASE("a spec that somebody sets back midway stops the run, and names what to do") {
  const RollingOptions options = site_options();
  PostgresWorld world = make_site();
  while (true) {
    const engine::Next next = next_of_rolling(world, options);
    const auto* step = std::get_if<engine::Step>(&next);
    if (step != nullptr && step->verb == "mark-unrecoverable") break;
    REQUIRE_FALSE(std::holds_alternative<engine::Blocked>(next));
    world = project_rolling(std::move(world), options, next);
  }
  for (const char* other : {"truenas-nfs", "third-class"}) {
    PostgresWorld edited = world;
    edited.cluster.storage.front().storage_class = other;
    const engine::Next next = next_of_rolling(edited, options);
    const auto* blocked = std::get_if<engine::Blocked>(&next);
    REQUIRE(blocked != nullptr);
    CHECK(blocked->kind == Kind::stopped);
    CHECK(contains(blocked->why, "somebody else changed the class of /spec/storage"));
  }
}

TEST_CASE("a cluster made anew under the same name is never taken for the one that was moved") {
  PostgresWorld world = make_site();
  world.facts.number = 1;
  world.facts.cluster_uid = "uid-before";
  const engine::Next next = next_of_rolling(world, site_options());
  const auto* blocked = std::get_if<engine::Blocked>(&next);
  REQUIRE(blocked != nullptr);
  CHECK(contains(blocked->why, "uid-before"));
  CHECK(contains(blocked->why, "uid-cluster"));
}
