#include "lib/cnpg/sql.h"

#include <fmt/format.h>

#include <utility>

#include "lib/base/text.h"

namespace truenas::cnpg {
namespace {

constexpr std::string_view k_container = "postgres";

// psql's "ERROR:  42P01: relation … does not exist" (VERBOSITY=verbose) or libpq's "psql: error: …".
void read_first_error(std::string_view err, SqlOutcome& outcome) {
  for (const std::string& line : split(err, '\n')) {
    for (std::string_view severity : {"FATAL:  ", "ERROR:  ", "PANIC:  "}) {
      const std::size_t at = line.find(severity);
      if (at == std::string::npos) continue;
      std::string_view rest = std::string_view(line).substr(at + severity.size());
      if (rest.size() > 7 && rest.substr(5, 2) == ": ") {
        outcome.sqlstate = std::string(rest.substr(0, 5));
        rest.remove_prefix(7);
      }
      outcome.message = printable(trim(rest));
      return;
    }
  }
  for (const std::string& line : split(err, '\n')) {
    if (trim(line).empty()) continue;
    outcome.message = printable(trim(line));
    return;
  }
  outcome.message = "psql failed without a message";
}

kube::ExecRequest exec_request(const SqlCall& call, std::string ns) {
  kube::ExecRequest request;
  request.ns = std::move(ns);
  request.pod = call.instance;
  request.container = k_container;
  request.argv = psql_argv(call);
  if (call.script) request.stdin_text = call.sql;
  request.deadline = call.deadline;
  return request;
}

Error failure(const SqlCall& call, const SqlOutcome& outcome) {
  return make_error(
      Kind::unavailable,
      fmt::format("psql in pod {}, database {}: {}{}", call.instance, quote(call.database), outcome.message,
                  outcome.sqlstate.empty() ? "" : " (SQLSTATE " + outcome.sqlstate + ")"));
}

}  // namespace

std::string conninfo_value(std::string_view text) {
  std::string value = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') value += '\\';
    value += c;
  }
  return value + "'";
}

std::string sql_literal(std::string_view text) {
  std::string literal = "E'";
  for (char c : text) {
    if (c == '\'' || c == '\\') literal += c;
    literal += c;
  }
  return literal + "'";
}

std::vector<std::string> psql_argv(const SqlCall& call) {
  // lc_messages: the words of an error are shown, never parsed; one language keeps logs searchable.
  std::string options = fmt::format(
      "-c default_transaction_read_only={} -c statement_timeout={} -c lc_messages=C -c row_security=off",
      call.read_only ? "on" : "off", call.statement_timeout.count());
  std::vector<std::string> argv{
      "env",
      "PGOPTIONS=" + std::move(options),
      "PGCLIENTENCODING=UTF8",
      "PGCONNECT_TIMEOUT=10",
      "psql",
      "--no-psqlrc",
      "--no-password",
      "--quiet",
      "--csv",
      "--tuples-only",
      "--set=VERBOSITY=verbose",
      fmt::format("--set=ON_ERROR_STOP={}", call.keep_going ? "0" : "1"),
      fmt::format("--dbname=user='postgres' application_name={} dbname={}",
                  conninfo_value(call.application_name), conninfo_value(call.database)),
  };
  if (call.script) {
    argv.emplace_back("--file=-");
  } else {
    argv.push_back("--command=" + call.sql);
  }
  return argv;
}

Result<std::vector<SqlRow>> parse_csv(std::string_view text) {
  std::vector<SqlRow> rows;
  SqlRow row;
  std::string field;
  bool quoted = false;
  bool open = false;  // something of the current row was seen
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = open = true;
    } else if (c == ',') {
      row.push_back(std::exchange(field, {}));
      open = true;
    } else if (c == '\n') {
      row.push_back(std::exchange(field, {}));
      rows.push_back(std::exchange(row, {}));
      open = false;
    } else {
      field += c;
      open = true;
    }
  }
  if (quoted || open) return make_error(Kind::format, "psql's output ends in the middle of a row");
  return rows;
}

Result<SqlOutcome> parse_psql(const SqlCall& call, const kube::ExecResult& result) {
  SqlOutcome outcome;
  if (result.exit_code == 126 || result.exit_code == 127) {
    return make_error(Kind::config, fmt::format("psql cannot be run in pod {}: {}", call.instance,
                                                printable(trim(result.err))));
  }
  if (result.exit_code > 3 || result.exit_code < 0) {
    return make_error(Kind::unavailable,
                      fmt::format("psql in pod {} ended with exit code {}: {}", call.instance,
                                  result.exit_code, printable(trim(result.err))));
  }
  auto rows = parse_csv(result.out);
  // A session that failed may have been cut; one that ended well may not.
  if (!rows && result.exit_code == 0) {
    return rows.error().in(fmt::format("pod {}, database {}", call.instance, quote(call.database)));
  }
  if (rows) outcome.rows = std::move(*rows);
  outcome.failed = result.exit_code != 0;
  // A script that goes on after errors ends with 0: its errors are told by what it did not print.
  if (outcome.failed || contains(result.err, "ERROR:")) {
    read_first_error(result.err, outcome);
  }
  return outcome;
}

SqlRunner pod_runner(const kube::Reader& reader, kube::Writer* writer, const std::string& ns) {
  SqlRunner runner;
  runner.look = [&reader, ns](const SqlCall& call) -> Result<SqlOutcome> {
    TM_TRY_ASSIGN(const kube::ExecResult result, reader.inspect(exec_request(call, ns)));
    return parse_psql(call, result);
  };
  runner.change = [writer, ns](const SqlCall& call) -> Result<SqlOutcome> {
    if (writer == nullptr) {
      return make_error(Kind::refused, fmt::format("pod {}/{} may only be looked at", ns, call.instance));
    }
    TM_TRY_ASSIGN(const kube::ExecResult result, writer->exec(exec_request(call, ns)));
    return parse_psql(call, result);
  };
  return runner;
}

Result<std::vector<SqlRow>> query(const SqlRunner& runner, const SqlCall& call) {
  TM_TRY_ASSIGN(SqlOutcome outcome, call.read_only ? runner.look(call) : runner.change(call));
  if (outcome.failed) return failure(call, outcome);
  return std::move(outcome.rows);
}

Result<std::vector<SqlRow>> query(const kube::Reader& reader, const SqlTarget& target,
                                  std::string_view database, std::string_view sql) {
  SqlCall call;
  call.instance = target.pod;
  call.database = std::string(database);
  call.sql = std::string(sql);
  return query(pod_runner(reader, nullptr, target.ns), call);
}

Result<void> checkpoint(kube::Writer& writer, const SqlTarget& target) {
  SqlCall call;
  call.instance = target.pod;
  call.database = "postgres";
  call.sql = "CHECKPOINT";
  // An immediate checkpoint of a large buffer cache over NFS takes a while.
  call.statement_timeout = Milliseconds{120000};
  call.deadline = Milliseconds{130000};
  call.read_only = false;
  TM_TRY_ASSIGN(const kube::ExecResult result, writer.exec(exec_request(call, target.ns)));
  TM_TRY_ASSIGN(const SqlOutcome outcome, parse_psql(call, result));
  if (outcome.failed) return failure(call, outcome);
  return {};
}

}  // namespace truenas::cnpg
