#include "lib/cnpg/proof.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "lib/base/text.h"
#include "lib/cnpg/preflight.h"
#include "lib/cnpg/proof_sql.h"
#include "tests/unit/cnpg/local_postgres.h"

using namespace truenas;
using namespace truenas::cnpg;

namespace {

// One pair of servers for the whole file; nullptr where PostgreSQL is missing: said aloud, and a failure
// where a skip must not happen.
LocalPostgres* servers() {
  static const std::unique_ptr<LocalPostgres> pair = [] {
    const auto missing = LocalPostgres::missing();
    if (!missing) return std::make_unique<LocalPostgres>();
    std::printf("SKIPPED: proof against a real PostgreSQL: %s\n", missing->c_str());
    const char* ci = std::getenv("CI");
    CHECK_MESSAGE((ci == nullptr || std::string(ci) != "true"), *missing);
    return std::unique_ptr<LocalPostgres>();
  }();
  return pair.get();
}

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

ProofReport proven(const LocalPostgres& postgres, const ProofOptions& options = {}) {
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

// Writes into two tables for as long as it lives.
class Writer {
 public:
  explicit Writer(const LocalPostgres& postgres) : postgres_(postgres) {
    thread_ = std::thread([this] {
      while (!stop_) {
        postgres_.change(
            "INSERT INTO busy(value) SELECT 'x' FROM generate_series(1, 5); UPDATE busy SET value = value || "
            "'y' "
            "WHERE id % 7 = 0; DELETE FROM busy WHERE id % 11 = 0");
        ++rounds_;
      }
    });
    while (rounds_ == 0) std::this_thread::yield();
  }
  ~Writer() {
    stop_ = true;
    thread_.join();
  }
  int rounds() const { return rounds_; }

 private:
  const LocalPostgres& postgres_;
  std::atomic<bool> stop_{false};
  std::atomic<int> rounds_{0};
  std::thread thread_;
};

void make_contents(const LocalPostgres& postgres) {
  static bool made = false;
  if (made) return;
  made = true;
  postgres.change(R"sql(
CREATE TABLE quiet(id int PRIMARY KEY, r text, at timestamptz, f float8, span interval, raw bytea, m money);
INSERT INTO quiet SELECT g, NULLIF('v' || g, 'v7'), '2026-01-01'::timestamptz + g * interval '1 h', random(), g * interval '1 min', int4send(g), g::money
  FROM generate_series(1, 2000) g;
CREATE TABLE busy(id bigserial PRIMARY KEY, value text);
CREATE UNLOGGED TABLE fleeting(id int);
INSERT INTO fleeting VALUES (1);
CREATE TABLE empty_one();
CREATE TABLE "odd ""name"", with \ and ' and :colon
newline"(r int, t int, "select" text);
INSERT INTO "odd ""name"", with \ and ' and :colon
newline" VALUES (1, 2, 'x');
CREATE TABLE parts(id int, region text) PARTITION BY LIST (region);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
INSERT INTO parts SELECT g, CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 100) g;
CREATE TABLE parent(id int);
CREATE TABLE child(extra text) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x');
CREATE TABLE hidden(id int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
INSERT INTO hidden VALUES (1);
CREATE MATERIALIZED VIEW filled AS SELECT count(*) FROM quiet;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS x WITH NO DATA;
CREATE SEQUENCE counting; SELECT nextval('counting') FROM generate_series(1, 5);
CREATE SEQUENCE untouched;
CREATE SEQUENCE downward INCREMENT BY -3 MINVALUE -9000; SELECT nextval('downward');
CREATE SEQUENCE cached CACHE 10; SELECT nextval('cached');
CREATE SEQUENCE ended MAXVALUE 9223372036854775807 START 9223372036854775807; SELECT nextval('ended');
SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex'));
CREATE SCHEMA "Odd Schema"; CREATE TABLE "Odd Schema".t AS SELECT 1 AS one;
)sql");
}

// Makes public.quiet differ on the replica when it is first asked, without a lock, so that a lock is wanted;
// afterwards the replica answers truly, or not at all.
void spoil_first_answer(const LocalPostgres& postgres, SqlRunner& runner, bool cut_afterwards = false) {
  const std::string oid = postgres.look("primary", "SELECT 'public.quiet'::regclass::oid")[0][0];
  const auto asked = std::make_shared<std::atomic<int>>(0);
  runner.look = [look = runner.look, oid, asked, cut_afterwards](const SqlCall& call) -> Result<SqlOutcome> {
    const bool ours = call.instance == "replica" && contains(call.sql, "FROM ONLY public.quiet ");
    const bool first = ours && (*asked)++ == 0;
    if (ours && !first && cut_afterwards) return make_error(Kind::unavailable, "the connection was cut");
    auto outcome = look(call);
    if (!first || !outcome) return outcome;
    for (SqlRow& row : outcome->rows) {
      if (row.size() == 3 && row[0] == oid) row[2] += "0";
    }
    return outcome;
  };
}

}  // namespace

TEST_CASE("a sequence may be ahead on a replica, never behind") {
  using V = ProofVerdict;
  CHECK(compare_sequence(7, 7, 7, 1) == V::equal);
  CHECK(compare_sequence(7, 7, 39, 1) == V::equal);
  CHECK(compare_sequence(7, 7, 40, 1) == V::different);
  CHECK(compare_sequence(7, 8, 40, 1) == V::equal);
  CHECK(compare_sequence(7, 9, 6, 1) == V::different);
  CHECK(compare_sequence(-3, -3, -99, -3) == V::equal);
  CHECK(compare_sequence(-3, -3, -102, -3) == V::different);
  CHECK(compare_sequence(-3, -3, 0, -3) == V::different);
  constexpr std::int64_t k_max = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t k_min = std::numeric_limits<std::int64_t>::min();
  CHECK(compare_sequence(k_max, k_max, k_min, 1) == V::different);
  CHECK(compare_sequence(k_min, k_min, k_max, 1) == V::different);
  CHECK(compare_sequence(k_min, k_min, k_min, k_min) == V::equal);
}

TEST_CASE("every kind of relation is compared on a real primary and its replica") {
  LocalPostgres* postgres = servers();
  if (postgres == nullptr) return;
  make_contents(*postgres);
  std::size_t told = 0;
  auto report = prove(postgres->runner(), k_pair, {}, [&](const ProofProgress& progress) {
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
    const Writer writer(*postgres);
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
  ProofOptions options;
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
  std::atomic<bool> holding{false};
  std::thread blocker([&] {
    holding = true;
    postgres->change("BEGIN; UPDATE quiet SET r = r WHERE id = 1; SELECT pg_sleep(3); ROLLBACK");
  });
  while (!holding) std::this_thread::yield();
  while (postgres->look("primary",
                        "SELECT count(*) FROM pg_locks WHERE relation = 'quiet'::regclass AND mode = "
                        "'RowExclusiveLock'")[0][0] == "0") {
  }
  ProofOptions options;
  options.attempts = 1;
  options.lock_timeout = Milliseconds{100};
  auto report = prove(runner, k_pair, options);
  blocker.join();
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
  ProofOptions options;
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
