#pragma once
// ServerSession: one conversation with one Coder deployment: its Transport, the token, retries, the request
// rate, the -v log and what a failure answer means. It knows no workspace; ServerReader and ServerWriter do.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/coder/server.h"
#include "lib/http/transport.h"
#include "lib/json/value.h"

namespace truenas::coder {

struct ServerSessionOptions {
  std::string url;          // as the user knows it, for messages
  std::string path_prefix;  // of that URL, "" for none
  Secret token;             // sent as Coder-Session-Token; never logged
  std::string user_agent;
  // Coder allows 512 requests a minute and user (facts 3), and the user's browser takes from the same purse.
  // The owners' rate is for those whom Coder does not limit (X-Coder-Bypass-Ratelimit). 0: no limit.
  double qps = 7, owner_qps = 40;
  int burst = 100;
  int verbosity = 0;                               // -v, in kubectl's shape
  std::function<void(std::string_view line)> log;  // -v lines and long waits, to stderr
};

struct ServerCall {
  std::string method = "GET";
  std::string path;  // "/api/v2/workspaces"
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;       // JSON
  std::string what;       // "get workspace 1234", for messages
  bool read_only = true;  // false: a write, never sent again but after a 429 (which did nothing)
  // Whether the log may show the reply's body: states, parameters and agents' environments hold secrets.
  bool may_show_reply = false;
  std::size_t limit = std::size_t{64} << 20;  // bytes of the reply; more is Kind::format
  // Not sent again once so much has gone by since the first time, and no reply waited for longer. 0: no
  // limit.
  Milliseconds patience{0};
  std::function<Result<void>()> before_each_send;  // a write's permit; its error ends the call
};

class ServerSession {
 public:
  ServerSession(std::unique_ptr<http::Transport> transport, ServerSessionOptions options, Clock& clock);
  ~ServerSession();

  // One call; errors as server.h has them. Waited for and sent again: a 429 (any method), and for a GET a
  // broken connection and a 502, 503 or 504 (a proxy while coderd restarts), a few times.
  Result<http::Response> call(const ServerCall& call);
  // The same, the body parsed. Kind::format when it is no JSON (of a write: outcome_unknown).
  Result<json::Value> call_json(const ServerCall& call);
  // What `fetch` gave for this template version: called once a version and session, if it worked.
  Result<std::vector<SourceFile>> once(const std::string& version_id,
                                       const std::function<Result<std::vector<SourceFile>>()>& fetch);
  const ServerSessionOptions& options() const { return options_; }
  Clock& clock() { return clock_; }

 private:
  struct State;
  Result<http::Response> attempt(const ServerCall& call, bool bypass);
  http::Request make_request(const ServerCall& call, bool bypass) const;
  bool may_bypass_rate_limit(const ServerCall& call);
  void log_lines(const std::vector<std::string>& lines);
  void note_wait(const ServerCall& call, int status, Milliseconds wait);

  std::unique_ptr<http::Transport> transport_;
  ServerSessionOptions options_;
  Clock& clock_;
  std::unique_ptr<State> state_;  // what calls of several threads share
};

}  // namespace truenas::coder
