#include "lib/cnpg/proof.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "lib/base/text.h"
#include "lib/cnpg/preflight.h"
#include "lib/cnpg/proof_sql.h"
#include "tests/unit/cnpg/proof_site.h"

using namespace truenas;
using namespace truenas::cnpg;

namespace {

const ProofInstances k_pair{"primary", {"replica"}};

const RelationProof& relation(const ProofReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.relations, name, &RelationProof::name);
  REQUIRE_MESSAGE(found != report.relations.end(), std::string(name));
  return *found;
}

std::string all_verdicts(const ProofReport& report) {
  std::string text;
  for (const RelationProof& proof : report.relations) {
    if (proof.verdict == ProofVerdict::equal) continue;
    text += proof.name + " " + std::string(verdict_name(proof.verdict)) + ": " + proof.why + "\n";
  }
  return text;
}

// Limits that a machine under load keeps: what they do when they are reached has tests of its own.
ProofOptions patient() {
  ProofOptions options;
  options.lock_timeout = Milliseconds{30000};
  options.hold_limit = Milliseconds{120000};
  options.replay_wait = Milliseconds{120000};
  return options;
}

ProofReport proven(const LocalPostgres& postgres, const ProofOptions& options = patient()) {
  auto report = prove(postgres.runner(), k_pair, options);
  REQUIRE_MESSAGE(report.ok(), report.error().what);
  return *report;
}

// Sessions of the proof that are still there: none may be left behind.
std::string sessions_left(const LocalPostgres& postgres) {
  return postgres.look(
      "primary",
      "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kubectl-truenas-migrate%' "
      "AND pid <> pg_backend_pid()")[0][0];
}

}  // namespace

TEST_CASE("every kind of relation is compared on a real primary and its replica") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  std::size_t told = 0;
  auto report = prove(postgres->runner(), k_pair, patient(), [&](const ProofProgress& progress) {
    ++told;
    CHECK(progress.done <= progress.total);
  });
  REQUIRE_MESSAGE(report.ok(), report.error().what);
  CHECK(told == report->relations.size());
  CHECK_MESSAGE(report->holds(), all_verdicts(*report));
  CHECK_MESSAGE(report->count(ProofVerdict::not_compared) == 0, all_verdicts(*report));
  CHECK(join(report->databases, ",") == "coder,postgres");
  const RelationProof& quiet = relation(*report, "public.quiet");
  CHECK(quiet.held.at("primary").rows == 2000);
  CHECK(quiet.held.at("primary") == quiet.held.at("replica"));
  CHECK(quiet.held.at("primary").hash != "0");
  CHECK_FALSE(quiet.locked);
  CHECK(relation(*report, "public.fleeting").verdict == ProofVerdict::not_comparable);
  CHECK(relation(*report, "public.unfilled").verdict == ProofVerdict::not_comparable);
  CHECK(relation(*report, "public.filled").verdict == ProofVerdict::equal);
  CHECK(relation(*report, "public.parts_a").held.at("replica").rows == 50);
  CHECK(relation(*report, "public.parent").held.at("replica").rows == 1);
  CHECK(relation(*report, "public.hidden").held.at("replica").rows == 1);
  CHECK(relation(*report, "public.empty_one").held.at("replica").rows == 0);
  CHECK(relation(*report, "\"Odd Schema\".t").verdict == ProofVerdict::equal);
  CHECK(relation(*report, "public.\"odd \"\"name\"\", with \\ and ' and :colon\nnewline\"")
            .held.at("replica")
            .rows == 1);
  CHECK(relation(*report, "public.counting").held.at("primary").rows == 6);
  CHECK(relation(*report, "public.counting").held.at("replica").rows == 34);
  CHECK(relation(*report, "public.untouched").held.at("replica").rows == 1);
  const RelationProof& large = relation(*report, "pg_catalog.pg_largeobject");
  CHECK(large.type == RelationProof::Type::large_objects);
  CHECK(large.held.at("replica").rows == 3);
  CHECK(sessions_left(*postgres) == "0");
}

TEST_CASE("tables that clients write to are proven equal under a lock, and the writer goes on") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  ProofReport report;
  {
    const ClientWriter writer(*postgres);
    for (int round = 0; round < 3; ++round) {
      const int before = writer.rounds();
      report = proven(*postgres);
      CHECK_MESSAGE(report.holds(), all_verdicts(report));
      const RelationProof& busy = relation(report, "public.busy");
      CHECK_MESSAGE(busy.verdict == ProofVerdict::equal, busy.why);
      if (busy.locked) CHECK(busy.held.at("primary") == busy.held.at("replica"));
      CHECK_MESSAGE(relation(report, "public.busy_id_seq").verdict == ProofVerdict::equal,
                    all_verdicts(report));
      while (writer.rounds() == before) std::this_thread::yield();
    }
  }
  CHECK(sessions_left(*postgres) == "0");
}

TEST_CASE("a table above the limit is counted and said to be so") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  ProofOptions options = patient();
  options.max_bytes = 50000;
  const ProofReport report = proven(*postgres, options);
  const RelationProof& quiet = relation(report, "public.quiet");
  CHECK(quiet.verdict == ProofVerdict::only_counted);
  CHECK(quiet.held.at("replica").rows == 2000);
  CHECK(quiet.held.at("replica").hash.empty());
  CHECK_FALSE(quiet.why.empty());
}

TEST_CASE("a table that is locked by somebody else is said to be busy, and nobody is kept waiting for it") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  SqlRunner runner = postgres->runner();
  spoil_first_answer(*postgres, runner);
  const Blocker blocker(*postgres);
  ProofOptions options = patient();
  options.attempts = 1;
  options.lock_timeout = Milliseconds{100};
  auto report = prove(runner, k_pair, options);
  REQUIRE_MESSAGE(report.ok(), report.error().what);
  const RelationProof& quiet = relation(*report, "public.quiet");
  CHECK(quiet.verdict == ProofVerdict::not_compared);
  CHECK(contains(quiet.why, "busy"));
  CHECK(report->holds());
  CHECK(sessions_left(*postgres) == "0");
}

TEST_CASE("the holder ends although its replicas never answer, and its answer proves nothing") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  SqlRunner runner = postgres->runner();
  spoil_first_answer(*postgres, runner, true);
  ProofOptions options = patient();
  options.attempts = 1;
  auto report = prove(runner, k_pair, options);
  REQUIRE_MESSAGE(report.ok(), report.error().what);
  CHECK(relation(*report, "public.quiet").verdict == ProofVerdict::not_compared);
  CHECK(contains(relation(*report, "public.quiet").why, "the connection was cut"));
  CHECK(sessions_left(*postgres) == "0");
}

TEST_CASE("one changed byte on the replica's disk is found") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  postgres->change(
      "CREATE TABLE damaged AS SELECT g AS id, 'sentinel-' || g AS value FROM generate_series(1, 100) g");
  const std::string path =
      postgres->replica_file(postgres->look("primary", "SELECT pg_relation_filepath('damaged')")[0][0]);
  // The replica's own checkpoint writes the page that is then damaged.
  postgres->change("CHECKPOINT");
  CHECK(relation(proven(*postgres), "public.damaged").verdict == ProofVerdict::equal);
  postgres->look("replica", "CHECKPOINT");
  postgres->stop_replica();
  {
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t at = bytes.find("sentinel-57");
    REQUIRE(at != std::string::npos);
    bytes[at] = 'S';
    std::ofstream(path, std::ios::binary) << bytes;
  }
  postgres->start_replica();
  const ProofReport report = proven(*postgres);
  const RelationProof& damaged = relation(report, "public.damaged");
  CHECK(damaged.verdict == ProofVerdict::different);
  CHECK(damaged.locked);
  CHECK(damaged.held.at("primary").rows == 100);
  CHECK(damaged.held.at("primary").hash != damaged.held.at("replica").hash);
  CHECK_FALSE(report.holds());
  CHECK(report.count(ProofVerdict::different) == 1);
  CHECK(sessions_left(*postgres) == "0");
  postgres->change("DROP TABLE damaged");
}

TEST_CASE("hostile database names reach their database, and unlogged tables are found in every one") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  postgres->change("CREATE DATABASE \"a=b host='evil' \\ \"\"x\"\"\"", "postgres");
  const std::string name = "a=b host='evil' \\ \"x\"";
  CHECK(postgres->look("primary", "SELECT current_database()", name)[0][0] == name);
  postgres->change("CREATE UNLOGGED TABLE \"un,logged\nhere\"(id serial)", name);
  const auto facts = read_database_facts(postgres->runner(), "primary");
  REQUIRE_MESSAGE(facts.ok(), facts.error().what);
  std::vector<std::string> found;
  for (const UnloggedRelation& unlogged : facts->unlogged)
    found.push_back(unlogged.database + "/" + unlogged.name);
  CHECK(std::ranges::count(found, "coder/public.fleeting") == 1);
  CHECK(std::ranges::count(found, name + "/public.\"un,logged\nhere\"") == 1);
  const ProofReport report = proven(*postgres);
  CHECK(std::ranges::count(report.databases, name) == 1);
  postgres->change("DROP DATABASE \"a=b host='evil' \\ \"\"x\"\"\"", "postgres");
}

TEST_CASE("a look cannot write, even if it is told to") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  SqlCall call;
  call.instance = "primary";
  call.database = "coder";
  call.sql = "CREATE TABLE never(id int)";
  const auto outcome = postgres->run(call);
  REQUIRE(outcome.ok());
  CHECK(outcome->failed);
  CHECK(outcome->sqlstate == "25006");
}

// Last: it takes the replica away.
TEST_CASE("a promoted copy is no replica") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  postgres->promote_replica();
  const auto report = prove(postgres->runner(), k_pair, {});
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().kind == Kind::mismatch);
  CHECK(contains(report.error().what, "does not follow the primary"));
}
