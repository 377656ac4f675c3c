// What the user is shown and asked to consent to: the whole plan, word by word, of the standard cases.

#include <doctest/doctest.h>

#include "tests/model/postgres_worlds.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

// One line an item, "+ " before a step and ". " before a wait.
std::string plan_text(PostgresWorld world, const RollingOptions& options) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    const engine::Next next = next_of_rolling(world, options);
    if (const auto* step = std::get_if<engine::Step>(&next)) text += "+ " + step->title + "\n";
    if (const auto* wait = std::get_if<engine::Wait>(&next)) text += ". " + wait->why + "\n";
    if (const auto* done = std::get_if<engine::Done>(&next)) return text + "= " + done->summary + "\n";
    if (const auto* blocked = std::get_if<engine::Blocked>(&next)) return text + "! " + blocked->why + "\n";
    world = project_rolling(std::move(world), options, next);
  }
  return text + "no end\n";
}

}  // namespace

TEST_CASE("the plan of the standard case: three instances") {
  CHECK(plan_text(make_site(), site_options()) ==
        R"(+ write down how things are: 3 instances, classes, settings
+ create the throw-away claim coder-postgres-class-canary on truenas-csi-nfs
+ run initdb, start and stop PostgreSQL on it: pod coder-postgres-class-canary
. the canary's claim gets a volume of class truenas-csi-nfs
+ delete the canary's pod coder-postgres-class-canary
. the canary's pod is removed
+ mount the claim again and start PostgreSQL once more: pod coder-postgres-class-canary
. the canary runs PostgreSQL on truenas-csi-nfs
+ write down that the canary passed
+ delete the canary's claim coder-postgres-class-canary
+ delete the canary's pod coder-postgres-class-canary
. the canary's pod is removed
. the canary's claim is removed
+ set persistentvolume old-coder-postgres-1 (claim coder-postgres-1) to Retain
+ set persistentvolume old-coder-postgres-2 (claim coder-postgres-2) to Retain
+ set persistentvolume old-coder-postgres-3 (claim coder-postgres-3) to Retain
+ set spec.storage.storageClass to truenas-csi-nfs
+ replace replica coder-postgres-3: mark its pod unrecoverable
. instance coder-postgres-3 stops and is removed
. claim coder-postgres-3 is removed
. 2 of 3 instances exist, a new one is made
. claim coder-postgres-3 gets a volume of class truenas-csi-nfs
+ set the new volume of claim coder-postgres-3 to Retain
. instance coder-postgres-3 copies the database from the primary (join)
. pod coder-postgres-3 becomes ready
+ replace replica coder-postgres-2: mark its pod unrecoverable
. instance coder-postgres-2 stops and is removed
. claim coder-postgres-2 is removed
. 2 of 3 instances exist, a new one is made
. claim coder-postgres-2 gets a volume of class truenas-csi-nfs
+ set the new volume of claim coder-postgres-2 to Retain
. instance coder-postgres-2 copies the database from the primary (join)
. pod coder-postgres-2 becomes ready
+ switch over from coder-postgres-1 to coder-postgres-2
. the primary moves from coder-postgres-1 to coder-postgres-2
+ replace replica coder-postgres-1: mark its pod unrecoverable
. instance coder-postgres-1 stops and is removed
. claim coder-postgres-1 is removed
. 2 of 3 instances exist, a new one is made
. claim coder-postgres-1 gets a volume of class truenas-csi-nfs
+ set the new volume of claim coder-postgres-1 to Retain
. instance coder-postgres-1 copies the database from the primary (join)
. pod coder-postgres-1 becomes ready
+ compare every table on the primary and its replicas, by count and content
+ write down that the move is complete
= every instance of cluster coder/coder-postgres runs on truenas-csi-nfs; 3 volumes on truenas-nfs kept until --finalize
)");
}

TEST_CASE("a single instance moves by way of a temporary replica, and the plan says so") {
  RollingOptions options = site_options();
  options.skip_canary = true;
  options.accepted = {"skip-canary"};
  CHECK(plan_text(make_site({1}), options) == R"(+ write down how things are: 1 instance, classes, settings
+ set persistentvolume old-coder-postgres-1 (claim coder-postgres-1) to Retain
+ set spec.storage.storageClass to truenas-csi-nfs
+ write down that spec.instances was 1
+ add a temporary replica: spec.instances 1 -> 2
. 1 of 2 instances exist, a new one is made
. claim coder-postgres-2 gets a volume of class truenas-csi-nfs
+ set the new volume of claim coder-postgres-2 to Retain
. instance coder-postgres-2 copies the database from the primary (join)
. pod coder-postgres-2 becomes ready
+ switch over from coder-postgres-1 to coder-postgres-2
. the primary moves from coder-postgres-1 to coder-postgres-2
+ compare every table on the primary and its replicas, by count and content
+ remove the spare instance: spec.instances 2 -> 1
. 2 instances exist, 1 are wanted
. instance coder-postgres-1 stops and is removed
. claim coder-postgres-1 is removed
+ write down that the move is complete
= every instance of cluster coder/coder-postgres runs on truenas-csi-nfs; 1 volume on truenas-nfs kept until --finalize
)");
}

TEST_CASE("running it again at the end: nothing to do") {
  PostgresWorld world = make_site();
  const RollingOptions options = site_options();
  for (int i = 0; i < 200; ++i) {
    const engine::Next next = next_of_rolling(world, options);
    if (std::holds_alternative<engine::Done>(next)) break;
    world = project_rolling(std::move(world), options, next);
  }
  CHECK(world.facts.ended);
  CHECK(std::holds_alternative<engine::Done>(next_of_rolling(world, options)));
  // Also without a journal, and not undone by looking at it from the other side's options alone.
  world.facts = {};
  CHECK(std::holds_alternative<engine::Done>(next_of_rolling(world, options)));
}

TEST_CASE("an instance comes back under another name before 1.30: names are read, not assumed") {
  const std::string text = plan_text(make_site({3, false, false, "1.29.2"}), site_options());
  CHECK(text.find("set the new volume of claim coder-postgres-4 to Retain") != std::string::npos);
  CHECK(text.find("switch over from coder-postgres-1 to coder-postgres-4") != std::string::npos);
  CHECK(text.find("set the new volume of claim coder-postgres-6 to Retain") != std::string::npos);
}

TEST_CASE("operators that know no mark: claim first, then pod") {
  const std::string text = plan_text(make_site({3, true, false, "1.27.1"}), site_options());
  const auto claim = text.find("delete claim coder-postgres-3\n"),
             wal = text.find("delete claim coder-postgres-3-wal\n"),
             pod = text.find("delete pod coder-postgres-3\n");
  CHECK(claim < wal);
  CHECK(wal < pod);
  CHECK(text.find("unrecoverable") == std::string::npos);
  CHECK(text.find("set spec.storage.storageClass, spec.walStorage.storageClass to truenas-csi-nfs") !=
        std::string::npos);
}
