// Two databases are compared object by object, in a real PostgreSQL: what a dump does not carry is named,
// every change is seen, and nothing else.

#include "lib/cnpg/fingerprint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "lib/base/text.h"
#include "tests/unit/cnpg/local_postgres.h"

using namespace truenas;
using namespace truenas::cnpg;

namespace {

class TrapSite {
 public:
  TrapSite() {
    REQUIRE_MESSAGE(!LocalPostgres::missing(), *LocalPostgres::missing());
    server_.emplace();
    std::ifstream file(TM_CNPG_FIXTURES "/traps.sql");
    const std::string traps{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(!traps.empty());
    sql(traps, "coder");
  }
  void sql(const std::string& text, const std::string& database = "coder") const {
    const Finished done = psql("SET client_min_messages = error;\n\\set ON_ERROR_STOP 1\n" + text, database);
    REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  }
  Finished psql(const std::string& text, const std::string& database) const {
    return server_->tool({"psql", "-X", "-q", "-d", database}, text);
  }
  std::string raw(const std::string& script, const std::string& database = "coder") const {
    const Finished done = psql(script, database);
    REQUIRE_MESSAGE(done.exit_code == 0, done.err);
    return done.out;
  }
  Fingerprint take(const std::string& database = "coder") const {
    return parsed(raw(database_fingerprint_sql(), database));
  }
  Fingerprint take_server() const { return parsed(raw(server_fingerprint_sql())); }
  const LocalPostgres& server() const { return *server_; }

 private:
  static Fingerprint parsed(const std::string& text) {
    auto fingerprint = parse_fingerprint(text, "test");
    REQUIRE_MESSAGE(fingerprint.ok(), (fingerprint.ok() ? "" : fingerprint.error().what));
    return std::move(fingerprint).value();
  }
  std::optional<LocalPostgres> server_;
};

std::vector<std::string> described(const std::vector<FingerprintDifference>& differences) {
  std::vector<std::string> lines;
  for (const FingerprintDifference& one : differences) lines.push_back(describe(one));
  return lines;
}

// Each line begins with its counterpart, in any order.
void check_lines(std::vector<std::string> lines, std::vector<std::string> wanted) {
  std::sort(lines.begin(), lines.end());
  std::sort(wanted.begin(), wanted.end());
  INFO(join(lines, "\n"));
  REQUIRE(lines.size() == wanted.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    CHECK(lines[i].starts_with(wanted[i]));
  }
}

}  // namespace

TEST_CASE("what a dump and its restore lose, with owners kept and roles there, is named, and nothing else") {
  const TrapSite site;
  const Fingerprint before = site.take();
  CHECK(compare_fingerprints(before, site.take()).empty());
  const Finished dump = site.server().tool({"pg_dump", "-Fc", "coder"});
  REQUIRE_MESSAGE(dump.exit_code == 0, dump.err);
  site.sql("CREATE DATABASE restored OWNER coder", "postgres");
  const Finished restore = site.server().tool({"pg_restore", "-d", "restored"}, dump.out);
  CHECK(restore.exit_code == 1);
  CHECK(contains(restore.err, "errors ignored on restore: 2"));
  const auto differences = compare_fingerprints(before, site.take("restored"));
  check_lines(described(differences),
              {"changed: rows app.check_unqualified: hash ", "changed: rows app.checked: hash ",
               "changed: rows app.generated_stale: hash ", "changed: matview rows app.stale: hash ",
               "changed: extension pg_trgm: extversion 1.3 -> 1.6, and 10 parts of it",
               "lost: class app.idx_invalid, and 2 parts of it",
               "changed: trigger of child_u_fkey on app.child on app.child calling \"RI_FKey_check_ins\": "
               "tgenabled D -> O",
               "changed: trigger of child_u_fkey on app.child on app.child calling \"RI_FKey_check_upd\": "
               "tgenabled D -> O"});
  // Users' rows first.
  CHECK(
      std::is_partitioned(differences.begin(), differences.end(), [](const auto& one) { return one.data; }));
}

TEST_CASE("the way that CloudNativePG's import goes loses owners and rights, and each is named") {
  const TrapSite site;
  const Finished dump = site.server().tool({"pg_dump", "-Fc", "coder"});
  site.sql("CREATE DATABASE imported OWNER coder", "postgres");
  site.server().tool({"pg_restore", "--no-owner", "--no-privileges", "--role=coder", "-d", "imported"},
                     dump.out);
  const std::string text = join(described(compare_fingerprints(site.take(), site.take("imported"))), "\n");
  INFO(text);
  // A function that was closed is open to everybody again; a policy is for everybody where its role is
  // missing.
  CHECK(contains(text, "changed: proc app.closed(): proacl"));
  CHECK(contains(text, "changed: class app.users: relacl"));
  CHECK(contains(text, "changed: class app.dup: "));
  CHECK(contains(text, "lost: default_acl "));
}

TEST_CASE("every change is one difference") {
  const TrapSite site;
  const struct {
    const char *sql, *line;
  } changes[] = {
      {"UPDATE app.rate SET n = 6", "changed: rows app.rate: hash "},
      {"DELETE FROM app.rate", "changed: rows app.rate: hash "},
      {"INSERT INTO app.part VALUES (1, NULL)", "changed: partition rows app.part_1: "},
      {"SELECT nextval('app.seq')", "changed: sequence value app.seq: last_value 11 -> 12"},
      {"SELECT lo_put(4242, 4000, 'x')", "changed: large object data 4242: hash "},
      {"GRANT SELECT ON LARGE OBJECT 4242 TO reader", "changed: largeobject_metadata 4242: lomacl "},
      {"REFRESH MATERIALIZED VIEW app.stale", "changed: matview rows app.stale: hash "},
      {"ALTER TABLE app.rate OWNER TO coder", "changed: class app.rate: relacl "},
      {"GRANT UPDATE (n) ON app.rate TO reader",
       "changed: attribute app.rate.n: attacl nothing -> [\"reader=w"},
      {"ALTER TABLE app.rate ALTER n SET DEFAULT 3", "changed: attribute app.rate.n: atthasdef "},
      {"COMMENT ON COLUMN app.rate.n IS 'how many'", "gained: comment table column app.rate.n"},
      {"ALTER POLICY own ON app.users USING (true)", "changed: policy own on app.users: using "},
      {"ALTER TABLE app.users FORCE ROW LEVEL SECURITY", "changed: class app.users: relforcerowsecurity "},
      {"ALTER TABLE app.dup ENABLE TRIGGER noted", "changed: trigger noted on app.dup: tgenabled D -> O"},
      {"CREATE OR REPLACE FUNCTION app.limit_of() RETURNS int LANGUAGE sql STABLE AS 'SELECT 11'",
       "changed: proc app.limit_of(): prosrc SELECT 10 -> SELECT 11"},
      {"GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO auditor",
       "changed: proc pg_catalog.pg_ls_dir(pg_catalog.text): proacl "},
      {"ALTER TYPE app.mood RENAME VALUE 'sad' TO 'low'", "gained: enum app.mood 'low'"},
      {"ALTER SEQUENCE app.seq INCREMENT 5", "changed: sequence app.seq: seqincrement 1 -> 5"},
      {"ALTER TABLE app.users ALTER name SET STATISTICS 7",
       "changed: attribute app.users.name: attstattarget 500 -> 7"},
      {"ALTER TABLE app.rate SET (fillfactor = 70)", "changed: class app.rate: reloptions nothing -> "},
      {"ALTER PUBLICATION pub SET TABLE app.users (id)",
       "changed: publication_rel app.users in publication pub: columns "},
      {"ALTER USER MAPPING FOR coder SERVER elsewhere OPTIONS (SET password 'other')",
       "changed: user_mapping coder on server elsewhere: umoptions differs"},
      {"CREATE TABLE app.late (n int PRIMARY KEY)", "gained: rows app.late"},
      {"ALTER TABLE app.late REPLICA IDENTITY FULL", "changed: class app.late: relreplident d -> f"},
      {"DROP TABLE app.late", "lost: rows app.late: hash "},
  };
  Fingerprint before = site.take();
  for (const auto& change : changes) {
    CAPTURE(change.sql);
    site.sql(change.sql);
    Fingerprint after = site.take();
    const std::vector<std::string> lines = described(compare_fingerprints(before, after));
    INFO(join(lines, "\n"));
    REQUIRE_FALSE(lines.empty());
    CHECK(std::any_of(lines.begin(), lines.end(),
                      [&](const auto& line) { return line.starts_with(change.line); }));
    CHECK(lines.size() <= 3);
    before = std::move(after);
  }
}

TEST_CASE("what belongs to the server: roles, memberships, settings") {
  const TrapSite site;
  const Fingerprint before = site.take_server();
  CHECK(compare_fingerprints(before, site.take_server()).empty());
  site.sql(
      "ALTER ROLE coder PASSWORD 'another'; ALTER ROLE ALL SET work_mem = '9MB'; REVOKE reader FROM auditor; "
      "ALTER DATABASE coder CONNECTION LIMIT 9");
  check_lines(described(compare_fingerprints(before, site.take_server())),
              {"changed: role coder: password differs", "gained: setting of every role in every database",
               "lost: membership auditor in reader", "changed: database coder: connections -1 -> 9"});
}

TEST_CASE("no secret is in it") {
  const TrapSite site;
  for (const std::string& text : {site.raw(database_fingerprint_sql()), site.raw(server_fingerprint_sql())}) {
    CHECK_FALSE(contains(text, "not-to-be-seen"));
    CHECK_FALSE(contains(text, "SCRAM-SHA-256"));
  }
}

TEST_CASE("an output that is cut, or is none, is no fingerprint") {
  const std::string whole = "[\"rows\", \"app.t\", {\"rows\": 1}]\n[\"end\", \"\", {}]\n";
  REQUIRE(parse_fingerprint(whole, "x").ok());
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() - 3), whole.substr(0, 20),
        std::string("[\"rows\", \"app.t\", {\"rows\": 1}]\n"), std::string("rows\n[\"end\", \"\", {}]\n"),
        std::string("[\"rows\", 1, {}]\n[\"end\", \"\", {}]\n"), whole + whole,
        std::string("[\"a\",\"b\",{}]\n[\"a\",\"b\",{}]\n[\"end\", \"\", {}]\n")}) {
    CAPTURE(text);
    const auto fingerprint = parse_fingerprint(text, "x");
    REQUIRE_FALSE(fingerprint.ok());
    CHECK(fingerprint.error().kind == Kind::format);
  }
}

TEST_CASE("a database that may not be read to its end has no fingerprint") {
  const TrapSite site;
  const Finished done = site.psql("SET ROLE auditor;\n" + database_fingerprint_sql(), "coder");
  CHECK(done.exit_code != 0);
  CHECK_FALSE(parse_fingerprint(done.out, "x").ok());
}
