#include "lib/cnpg/sql.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/cnpg/permissions.h"

using namespace truenas;
using namespace truenas::cnpg;

namespace {
SqlCall call_on(std::string database) {
  SqlCall call;
  call.instance = "coder-postgres-1";
  call.database = std::move(database);
  call.sql = "SELECT 1";
  return call;
}
}  // namespace

TEST_CASE("rows survive every value that a name or a text can hold") {
  const auto rows = parse_csv("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\n\"\",\x1f\n\n");
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 5);
  CHECK((*rows)[0] == SqlRow{"a", "b"});
  CHECK((*rows)[1] == SqlRow{"x,y", "say \"hi\""});
  CHECK((*rows)[2] == SqlRow{"two\nlines", ""});
  CHECK((*rows)[3] == SqlRow{"", "\x1f"});
  CHECK((*rows)[4] == SqlRow{""});  // one column, NULL or empty
  CHECK(parse_csv("")->empty());
}

TEST_CASE("output that was cut is an error, never a shorter answer") {
  CHECK_FALSE(parse_csv("a,b\nc").ok());
  CHECK_FALSE(parse_csv("\"open\n").ok());
  kube::ExecResult result;
  result.out = "a,b\nc";
  CHECK(parse_psql(call_on("x"), result).error().kind == Kind::format);
}

TEST_CASE("a database name can be no connection string") {
  CHECK(conninfo_value("a=b host='evil'\\") == "'a=b host=\\'evil\\'\\\\'");
  const auto argv = psql_argv(call_on("x' host='evil.example"));
  const auto found =
      std::ranges::find_if(argv, [](const std::string& a) { return a.starts_with("--dbname="); });
  REQUIRE(found != argv.end());
  CHECK(found->ends_with("dbname='x\\' host=\\'evil.example'"));
  CHECK(sql_literal("it's \\ x") == "E'it''s \\\\ x'");
}

TEST_CASE("a look is read-only, without start-up files, and stops at the first error") {
  SqlCall call = call_on("coder");
  const std::string argv = join(psql_argv(call), "|");
  CHECK(contains(argv, "default_transaction_read_only=on"));
  CHECK(contains(argv, "statement_timeout=30000"));
  CHECK(contains(argv, "|--no-psqlrc|"));
  CHECK(contains(argv, "ON_ERROR_STOP=1"));
  CHECK(argv.ends_with("|--command=SELECT 1"));
  call.read_only = false;
  call.script = true;
  CHECK(contains(join(psql_argv(call), "|"), "default_transaction_read_only=off"));
  CHECK(join(psql_argv(call), "|").ends_with("|--file=-"));
  CHECK_FALSE(contains(join(psql_argv(call), "|"), "SELECT 1"));
}

TEST_CASE("an error carries psql's own message and SQLSTATE") {
  kube::ExecResult result;
  result.exit_code = 1;
  result.err =
      "psql:<stdin>:3: ERROR:  55P03: canceling statement due to lock timeout\nLOCATION:  x, y.c:1\n";
  auto outcome = parse_psql(call_on("coder"), result);
  REQUIRE(outcome.ok());
  CHECK(outcome->failed);
  CHECK(outcome->sqlstate == "55P03");
  CHECK(outcome->message == "canceling statement due to lock timeout");
  result.exit_code = 2;
  result.err =
      "psql: error: connection to server on socket \"/controller/run/.s.PGSQL.5432\" failed: No such file\n";
  outcome = parse_psql(call_on("coder"), result);
  CHECK(outcome->sqlstate.empty());
  CHECK(contains(outcome->message, "connection to server"));
  result.exit_code = 127;
  result.err = "env: 'psql': No such file or directory";
  CHECK(parse_psql(call_on("coder"), result).error().kind == Kind::config);
  result.exit_code = 137;
  CHECK(parse_psql(call_on("coder"), result).error().kind == Kind::unavailable);
}

TEST_CASE("without a writer nothing but looking is possible") {
  SqlRunner runner;
  runner.look = [](const SqlCall&) -> Result<SqlOutcome> {
    return SqlOutcome{{{"1"}}, true, "57014", "stopped"};
  };
  auto rows = query(runner, call_on("we\"ird"));
  REQUIRE_FALSE(rows.ok());
  CHECK(rows.error().kind == Kind::unavailable);
  CHECK(rows.error().what ==
        "psql in pod coder-postgres-1, database \"we\\\"ird\": stopped (SQLSTATE 57014)");
}

TEST_CASE("every right of a rolling run is named with its verb, group, place and reason") {
  const auto permissions = rolling_permissions("coder");
  std::vector<std::string> names;
  for (const kube::Permission& permission : permissions) {
    names.push_back(describe(permission));
    CHECK_FALSE(permission.why.empty());
  }
  for (const char* needed :
       {"patch clusters.postgresql.cnpg.io/status in namespace coder",
        "patch persistentvolumes (cluster-wide)", "create pods/exec in namespace coder",
        "get pods/exec in namespace coder", "patch pods in namespace coder",
        "list backups.postgresql.cnpg.io in namespace coder",
        "get storageclasses.storage.k8s.io (cluster-wide)",
        "delete persistentvolumeclaims in namespace coder", "get namespaces (cluster-wide)"}) {
    CAPTURE(needed);
    CHECK(std::ranges::count(names, needed) == 1);
  }
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}
