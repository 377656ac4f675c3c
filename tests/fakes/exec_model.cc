#include "tests/fakes/exec_model.h"

#include <fmt/format.h>

#include "lib/json/value.h"

namespace truenas::fakes {
namespace {

using json::Value;

std::string exit_status(int exit_code) {
  if (exit_code == 0) return R"({"metadata":{},"status":"Success"})";
  const Value cause = Value::object({{"reason", "ExitCode"}, {"message", std::to_string(exit_code)}});
  return json::write(Value::object(
      {{"metadata", Value::object()},
       {"status", "Failure"},
       {"reason", "NonZeroExitCode"},
       {"message", fmt::format("command terminated with non-zero exit code: exit status {}", exit_code)},
       {"details", Value::object({{"causes", Value::array({cause})}})}}));
}

// "x" of "dbname='x'" in a conninfo string, with libpq's escapes.
std::string conninfo_database(const std::string& conninfo) {
  const std::size_t at = conninfo.find("dbname='");
  if (at == std::string::npos) return conninfo;
  std::string name;
  for (std::size_t i = at + 8; i < conninfo.size() && conninfo[i] != '\''; ++i) {
    if (conninfo[i] == '\\' && i + 1 < conninfo.size()) ++i;
    name += conninfo[i];
  }
  return name;
}

}  // namespace

ExecSocket::ExecSocket(std::string protocol, ExecCommand command, bool has_stdin, ExecHandler handler,
                       ExecFault fault)
    : protocol_(std::move(protocol)),
      command_(std::move(command)),
      stdin_open_(has_stdin),
      handler_(std::move(handler)),
      fault_(fault) {
  say('\x01', "");  // F2: connected
}

void ExecSocket::say(char channel, std::string_view data) {
  messages_.push_back({http::Message::Type::binary, std::string(1, channel).append(data), 0});
}

Result<void> ExecSocket::send(std::string_view data) {
  if (data.empty() || !stdin_open_) return {};
  if (data.front() == '\x00') command_.stdin_text += data.substr(1);
  if (data == std::string_view("\xff\x00", 2)) stdin_open_ = false;
  return {};
}

void ExecSocket::run() {
  ran_ = true;
  const ExecOutcome outcome = handler_(command_);
  const std::string_view out = fault_ == ExecFault::cut_output
                                   ? std::string_view(outcome.out).substr(0, outcome.out.size() / 2)
                                   : std::string_view(outcome.out);
  constexpr std::size_t piece = 32768;
  for (std::size_t at = 0; at < out.size(); at += piece) say('\x01', out.substr(at, piece));
  if (!outcome.err.empty()) say('\x02', outcome.err);
  if (fault_ == ExecFault::none) {
    say('\x03', exit_status(outcome.exit_code));
    messages_.push_back({http::Message::Type::closed, "", 1000});
  } else {
    messages_.push_back({http::Message::Type::closed, "", 1006});
  }
}

Result<std::optional<http::Message>> ExecSocket::receive(Milliseconds) {
  if (messages_.empty() && !ran_ && !stdin_open_) run();
  if (messages_.empty()) return std::optional<http::Message>();
  http::Message message = std::move(messages_.front());
  messages_.pop_front();
  return std::optional<http::Message>(std::move(message));
}

std::optional<PsqlCall> parse_psql_call(const ExecCommand& command) {
  PsqlCall call;
  bool psql = false, from_stdin = false;
  for (std::size_t i = 0; i < command.argv.size(); ++i) {
    const std::string& word = command.argv[i];
    const std::string next = i + 1 < command.argv.size() ? command.argv[i + 1] : "";
    if (word == "psql") psql = true;
    if (word == "-c") call.sql = next;
    if (word == "-d") call.database = conninfo_database(next);
    if (word.starts_with("--command=")) call.sql = word.substr(10);
    if (word.starts_with("--dbname=")) call.database = conninfo_database(word.substr(9));
    if (word == "--file=-") from_stdin = true;
    if (word.find("default_transaction_read_only=on") != std::string::npos) call.read_only = true;
  }
  if (!psql) return std::nullopt;
  if (from_stdin) call.sql = command.stdin_text;
  return call;
}

}  // namespace truenas::fakes
