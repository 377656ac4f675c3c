#pragma once
// SQL in an instance: psql inside the container `postgres`, over the socket as `postgres`, which needs no
// password (facts 3). Answers come as CSV, the one psql format that no value can be confused with. It must
// not be used for data that a user would miss: it reads a few rows, it does not move tables.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/kube/reader.h"
#include "lib/kube/writer.h"

namespace truenas::cnpg {

using SqlRow = std::vector<std::string>;  // NULL is ""

struct SqlTarget {
  std::string ns, pod;
};

// One psql session.
struct SqlCall {
  std::string instance;  // the Pod
  std::string database;  // any name that PostgreSQL allows
  std::string sql;       // one command string; of a script: psql's input, fed over stdin
  bool script = false;
  bool keep_going = false;  // a script goes on after a failed statement (no ON_ERROR_STOP)
  bool read_only = true;    // default_transaction_read_only=on
  Milliseconds statement_timeout{30000};
  Milliseconds deadline{60000};  // of the whole session, connection included
  std::string application_name = "kubectl-truenas-migrate";
};

// How a session ended. failed: psql reported an error (exit 1 to 3); the rows printed before it are there.
struct SqlOutcome {
  std::vector<SqlRow> rows;
  bool failed = false;
  std::string sqlstate;  // of the first error, "" where the server gave none (SQLSTATE, "55P03")
  std::string message;   // of the first error, one line, printable
};

// Who runs sessions: the seam between deciding what to ask and Pods; tests put a local PostgreSQL behind it.
// look: for calls that change nothing; change: for the others (locks, CHECKPOINT, a WAL marker).
struct SqlRunner {
  std::function<Result<SqlOutcome>(const SqlCall&)> look;
  std::function<Result<SqlOutcome>(const SqlCall&)> change;
};
// The runner over exec. `writer` may be null: change is refused then. Both must outlive it. Calls may come
// from several threads.
SqlRunner pod_runner(const kube::Reader& reader, kube::Writer* writer, const std::string& ns);

// The command line that a call becomes, `env` first. Pure.
std::vector<std::string> psql_argv(const SqlCall& call);
// Interprets what psql left behind. Kind::format for broken CSV, Kind::config when the image has no psql.
Result<SqlOutcome> parse_psql(const SqlCall& call, const kube::ExecResult& result);
// RFC 4180 as psql --csv writes it: LF ends a row, quotes are doubled. Kind::format when a quote stays open.
Result<std::vector<SqlRow>> parse_csv(std::string_view text);
// A libpq conninfo value: 'it\'s'. With it a database called "a=b" stays a name.
std::string conninfo_value(std::string_view text);
// An SQL string literal, safe whatever standard_conforming_strings says: E'it''s', backslashes doubled.
std::string sql_literal(std::string_view text);

// One read-only statement; its rows. Kind::unavailable with psql's message when it fails.
Result<std::vector<SqlRow>> query(const kube::Reader& reader, const SqlTarget& target,
                                  std::string_view database, std::string_view sql);
// The same through a runner.
Result<std::vector<SqlRow>> query(const SqlRunner& runner, const SqlCall& call);
// CHECKPOINT in that instance: hurries a base backup that waits for a spread checkpoint (facts 10.3).
Result<void> checkpoint(kube::Writer& writer, const SqlTarget& target);

}  // namespace truenas::cnpg
