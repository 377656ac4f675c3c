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
  std::string url;  // as the user knows it, for messages
  std::string path_prefix;
  Secret token;  // sent as Coder-Session-Token; never logged
  std::string user_agent;
  // Coder allows 512 requests a minute and user (facts 3); the user's own browser takes from the same purse.
  double qps = 7;
  int burst = 100;
  int verbosity = 0;                               // -v, in kubectl's shape
  std::function<void(std::string_view line)> log;  // to stderr
};

struct ServerCall {
  std::string method = "GET";
  std::string path;  // "/api/v2/workspaces"
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;              // JSON
  std::string what;              // "get workspace 1234", for messages
  bool read_only = true;         // false: a write, never sent again but after a 429 (which did nothing)
  bool secret_reply = false;     // never shown by the log (a Terraform state)
  std::size_t limit = 64 << 20;  // bytes of the reply; more is Kind::format
};

class ServerSession {
 public:
  ServerSession(std::unique_ptr<http::Transport> transport, ServerSessionOptions options, Clock& clock);
  ~ServerSession();

  // One call, as server.h says of errors. A 429 or 5xx with Retry-After is waited for; a 429 without it too.
  Result<http::Response> call(const ServerCall& call);
  // The same, the body parsed. Kind::format when it is no JSON (a write: outcome_unknown).
  Result<json::Value> call_json(const ServerCall& call);
  // The text of a template version, made by `fetch` once (ServerReader::template_text).
  Result<std::vector<SourceFile>> once(const std::string& version_id,
                                       const std::function<Result<std::vector<SourceFile>>()>& fetch);
  const ServerSessionOptions& options() const { return options_; }
  Clock& clock() { return clock_; }

 private:
  struct State;
  Result<http::Response> attempt(const ServerCall& call);
  http::Request make_request(const ServerCall& call) const;
  Error failure_of(const ServerCall& call, const http::Response& response) const;
  bool may_bypass_rate_limit();
  void log_lines(const std::vector<std::string>& lines);

  std::unique_ptr<http::Transport> transport_;
  ServerSessionOptions options_;
  Clock& clock_;
  std::unique_ptr<State> state_;  // what calls of several threads share
};

}  // namespace truenas::coder
