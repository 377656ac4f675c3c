#pragma once
// pods/exec as the API server speaks it over WebSocket (facts 3.3): channels, the Status frame, half-closed
// stdin. What the command does is a handler's business.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/http/transport.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

struct ExecCommand {
  Key pod;
  std::string container;
  std::vector<std::string> argv;
  std::string stdin_text;
};
struct ExecOutcome {
  int exit_code = 0;
  std::string out, err;
};
using ExecHandler = std::function<ExecOutcome(const ExecCommand&)>;

// What can go wrong with one exec after the upgrade.
enum class ExecFault { none, no_status, cut_output };

// The server's end, as the client sees it: runs the handler once stdin has ended (or at once without one).
class ExecSocket final : public http::WebSocket {
 public:
  ExecSocket(std::string protocol, ExecCommand command, bool has_stdin, ExecHandler handler, ExecFault fault);
  const std::string& protocol() const override { return protocol_; }
  Result<void> send(std::string_view data) override;
  Result<std::optional<http::Message>> receive(Milliseconds wait) override;

 private:
  void run();
  void say(char channel, std::string_view data);

  std::string protocol_;
  ExecCommand command_;
  bool stdin_open_;
  ExecHandler handler_;
  ExecFault fault_;
  std::deque<http::Message> messages_;
  bool ran_ = false;
};

// The psql call that an argv (and stdin) stands for: database and statement; nullopt when it is none.
struct PsqlCall {
  std::string database, sql;
  bool read_only = false;
};
std::optional<PsqlCall> parse_psql_call(const ExecCommand& command);

}  // namespace truenas::fakes
