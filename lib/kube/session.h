#pragma once
// Session: one conversation with one API server: its Transport, who we are, retries (Y1-Y7), the request rate
// and the -v log. It turns answers into values or Errors with kubectl's wording (S1-S6). It must not know any
// kind of object, and it never repeats a write.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/transport.h"
#include "lib/json/value.h"

namespace truenas::kube {

// Where the Authorization header comes from (token, tokenFile, basic, exec plugin). Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // The header's value, empty for none. Kind::auth with "getting credentials: …" when it cannot be had (E5,
  // E6).
  virtual Result<Secret> authorization() = 0;
  // Called after a 401 (E7): drops what is cached, so that the NEXT request asks again.
  virtual void refused() {}
};

struct SessionOptions {
  std::string path_prefix;                  // R5
  std::vector<http::Header> extra_headers;  // impersonation (A7)
  std::string user_agent;
  Milliseconds request_timeout{0};  // P3; 0: none
  double qps = 50;                  // Y5
  int burst = 100;
  int verbosity = 0;                               // -v (O12)
  std::string server;                              // as the user knows it, for messages
  std::function<void(std::string_view line)> log;  // -v lines and "Warning: …" (D7), to stderr
};

struct Call {
  std::string method = "GET";
  std::string path;  // without the prefix
  std::vector<std::pair<std::string, std::string>> query;
  std::string content_type;  // of the body
  std::string body;
  std::string accept = "application/json, */*";
  std::string what;         // "get pods coder/x", for messages
  Milliseconds timeout{0};  // overrides the session's; watches pass stall instead
  Milliseconds stall{0};
  bool compressed = true;
  bool watch = false;     // request_timeout and ?timeout= do not apply
  bool read_only = true;  // false: a write; never retried on a broken connection, outcome_unknown then
};

// An error answer of the server beyond its Error: for callers that branch on reason or causes.
struct Status {
  int code = 0;
  std::string reason, message, continue_token;
  json::Value body;  // the Status object, null if there was none
};

class Session {
 public:
  Session(std::unique_ptr<http::Transport> transport, std::unique_ptr<CredentialSource> credentials,
          SessionOptions options, Clock& clock);
  ~Session();
  // One call, retried as Y1/Y2 allow. A failure answer becomes an Error: kind by reason first, code second
  // (NotFound not_found; Conflict, AlreadyExists conflict; Unauthorized, Forbidden auth; 429, 5xx, Timeout,
  // Expired unavailable; other 4xx refused; a redirect config) and, where asked for, the Status. A write
  // without a full reply, and one answered 5xx (S2 Timeout: "may still be processing the request"):
  // outcome_unknown. Calls that are no watch give up after 90 s of silence: the server itself cuts them at 60
  // s (Y6).
  Result<http::Response> call(const Call& call, const http::BodySink& sink = {}, Status* status = nullptr);
  // The same, the 2xx body parsed; S4: a Status that is no Success is an error, an empty body too.
  Result<json::Value> call_json(const Call& call, Status* status = nullptr);
  // WebSocket upgrade with the same headers (A7, X2).
  Result<http::Upgrade> upgrade(const Call& call, const std::vector<std::string>& protocols);
  const SessionOptions& options() const { return options_; }
  Clock& clock() { return clock_; }

 private:
  struct State;
  http::Request make_request(const Call& call, Milliseconds timeout) const;
  Result<http::Response> attempt(const Call& call, Milliseconds timeout, const http::BodySink& sink,
                                 bool* handed_on);
  void note_answer(const http::Request& request, const http::Response& response, std::string_view body,
                   Milliseconds took);
  void log_lines(const std::vector<std::string>& lines);

  std::unique_ptr<http::Transport> transport_;
  std::unique_ptr<CredentialSource> credentials_;
  SessionOptions options_;
  Clock& clock_;
  std::unique_ptr<State> state_;  // what calls of several threads share: rate, warnings already shown, log
};

}  // namespace truenas::kube
