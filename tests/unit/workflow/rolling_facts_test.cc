// The journal's facts of a move, written and read back.

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/facts.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"
#include "tests/model/postgres_worlds.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("what a move writes down is what the next run reads") {
  PostgresWorld world = make_site({2, true, false});
  world.connections = R"({"secret":{"name":"a"}})";
  std::map<std::string, std::string> facts;
  const auto write = [&](const engine::Step& step) { facts[step.arguments.at("key")] = fact_value(step); };
  write(begin_move(world, site_options()));
  auto read = read_facts(facts);
  REQUIRE(read.ok());
  CHECK(read->number == 1);
  CHECK(read->cluster_uid == "uid-cluster");
  CHECK(read->from_class == "truenas-nfs");
  CHECK(read->to_class == "truenas-csi-nfs");
  CHECK(read->instances == 2);
  CHECK(read->settings == std::vector<std::string>{"/spec/storage", "/spec/walStorage"});
  CHECK_FALSE(read->spare);
  CHECK(read->connections == world.connections);
  world.facts = *read;
  write(note_spare(world));
  facts["run-1.proof-1"] = proof_value("12 equal", world);
  write(note_end(world));
  read = read_facts(facts);
  REQUIRE(read.ok());
  CHECK(read->spare == 2);
  CHECK(read->proof == "12 equal");
  CHECK(read->proof_volumes.contains("old-coder-postgres-2-wal"));
  CHECK(read->ended);
}

TEST_CASE("a proof of the same volumes holds for a later run to the same class, and for no other") {
  const PostgresWorld world = make_site({1});
  const auto begin = [&](int before, RollingOptions options) {
    PostgresWorld ended = world;
    ended.facts.number = before;
    ended.facts.ended = true;
    return fact_value(begin_move(ended, options));
  };
  std::map<std::string, std::string> facts = {{"run-1.begin", begin(0, site_options())},
                                              {"run-1.proof-1", proof_value("12 equal", world)},
                                              {"run-1.end", "complete"},
                                              {"run-2.begin", begin(1, site_options())}};
  auto read = read_facts(facts);
  REQUIRE(read.ok());
  CHECK(read->number == 2);
  CHECK(read->proofs == 0);
  CHECK(read->proof == "12 equal");
  PostgresWorld moved = world;
  moved.facts = *read;
  CHECK(proof_holds(moved));
  moved.cluster.claims.front().volume = "another";
  CHECK_FALSE(proof_holds(moved));

  RollingOptions back = site_options();
  std::swap(back.from_class, back.to_class);
  facts["run-2.begin"] = begin(1, back);
  CHECK(read_facts(facts)->proof.empty());
  PostgresWorld other = world;
  other.cluster.uid = "uid-other";
  other.facts.number = 1;
  other.facts.ended = true;
  facts["run-2.begin"] = fact_value(begin_move(other, site_options()));
  CHECK(read_facts(facts)->proof.empty());
}

TEST_CASE("a move in the other direction takes over the spare of one that was not finished") {
  PostgresWorld world = make_site({2});
  world.facts.number = 3;
  world.facts.cluster_uid = world.cluster.uid;
  world.facts.instances = 2;
  world.facts.spare = 2;
  world.cluster.instances = 3;
  const engine::Step step = begin_move(world, site_options());
  CHECK(step.arguments.at("key") == "run-4.begin");
  const auto read = read_facts({{"run-4.begin", fact_value(step)}});
  REQUIRE(read.ok());
  CHECK(read->spare == 2);
  CHECK(read->instances == 2);
}

TEST_CASE("no journal is no move; a damaged one is an error that names the fact") {
  CHECK(read_facts({})->number == 0);
  for (const char* damaged :
       {"", "{", "[]", "{\"clusterUid\": 5}", "{\"clusterUid\": \"u\", \"fromClass\": \"a\"}"}) {
    const auto read = read_facts({{"run-2.begin", damaged}});
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == Kind::format);
    CHECK(contains(read.error().what, "run-2.begin"));
  }
}

TEST_CASE("canaries are remembered by what they tried") {
  CHECK(canary_is_noted({{"canary-abc", "passed"}}, "abc"));
  CHECK_FALSE(canary_is_noted({{"canary-abc", "passed"}}, "abd"));
}
