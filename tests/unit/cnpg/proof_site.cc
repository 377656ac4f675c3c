#include "tests/unit/cnpg/proof_site.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "lib/base/text.h"

namespace truenas::cnpg {

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

void spoil_first_answer(const LocalPostgres& postgres, SqlRunner& runner, bool cut_afterwards) {
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

}  // namespace truenas::cnpg
