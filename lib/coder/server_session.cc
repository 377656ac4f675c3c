#include "lib/coder/server_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "lib/base/text.h"
#include "lib/coder/server_failure.h"
#include "lib/coder/server_parse.h"
#include "lib/http/url.h"
#include "lib/kube/limiter.h"
#include "lib/kube/retry.h"
#include "lib/kube/verbosity.h"

namespace truenas::coder {
namespace {

// Coder answers within seconds or not at all; a list of thousands of workspaces takes the longest.
constexpr Seconds k_longest_answer{90};
// A wait that is shorter than this is nobody's business.
constexpr Seconds k_wait_worth_a_line{5};

std::string origin_of(const std::string& url) {
  const Result<http::Url> parsed = http::parse_server_url(url);
  if (!parsed.ok()) return url;
  const std::string host = contains(parsed->host, ":") ? "[" + parsed->host + "]" : parsed->host;
  return fmt::format("{}://{}:{}", parsed->scheme, host, parsed->port);
}

ServerCall who_am_i() {
  ServerCall call;
  call.path = "/api/v2/users/me";
  call.what = "get user me";
  return call;
}

}  // namespace

struct ServerSession::State {
  State(const ServerSessionOptions& options, Clock& clock)
      : limiter(options.qps, options.burst, clock),
        owners_limiter(options.owner_qps, options.burst, clock),
        origin(origin_of(options.url)) {}
  kube::Limiter limiter, owners_limiter;
  const std::string origin;
  std::mutex log_mutex, role_mutex, text_mutex;
  std::optional<bool> owner;  // nullopt: not asked yet
  std::map<std::string, std::vector<SourceFile>> texts;
};

ServerSession::ServerSession(std::unique_ptr<http::Transport> transport, ServerSessionOptions options,
                             Clock& clock)
    : transport_(std::move(transport)),
      options_(std::move(options)),
      clock_(clock),
      state_(std::make_unique<State>(options_, clock)) {}

ServerSession::~ServerSession() = default;

void ServerSession::log_lines(const std::vector<std::string>& lines) {
  if (!options_.log || lines.empty()) return;
  const std::lock_guard lock(state_->log_mutex);
  for (const std::string& line : lines) options_.log(line);
}

void ServerSession::note_wait(const ServerCall& call, int status, Milliseconds wait) {
  if (wait < k_wait_worth_a_line) return;
  log_lines({fmt::format("note: Coder answered {} to \"{}\" and is asked again in {} s", status, call.what,
                         wait.count() / 1000)});
}

http::Request ServerSession::make_request(const ServerCall& call, bool bypass) const {
  http::Request request;
  request.method = call.method;
  request.target = options_.path_prefix + call.path + http::query_string(call.query);
  request.headers.emplace_back("Accept", "application/json");
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!options_.user_agent.empty()) request.headers.emplace_back("User-Agent", options_.user_agent);
  if (bypass) request.headers.emplace_back("X-Coder-Bypass-Ratelimit", "true");
  request.authorization_header = "Coder-Session-Token";
  request.authorization = options_.token;
  request.body = call.body;
  request.timeout =
      call.patience.count() > 0 ? std::min<Milliseconds>(call.patience, k_longest_answer) : k_longest_answer;
  return request;
}

Result<http::Response> ServerSession::attempt(const ServerCall& call, bool bypass) {
  TM_TRY((bypass ? state_->owners_limiter : state_->limiter).wait());
  if (call.before_each_send) TM_TRY(call.before_each_send());
  const http::Request request = make_request(call, bypass);
  log_lines(kube::render_request(request, state_->origin, options_.verbosity));
  std::string body;
  const http::BodySink sink = [&](std::string_view piece) -> Result<void> {
    if (piece.size() > call.limit - body.size()) {
      return make_error(Kind::format, fmt::format("reply to {}: more than {} bytes", call.what, call.limit));
    }
    body += piece;
    return {};
  };
  const Milliseconds start = clock_.steady();
  Result<http::Response> response = transport_->send(request, sink);
  const Milliseconds took = clock_.steady() - start;
  if (!response.ok()) {
    log_lines(kube::render_failure(request, state_->origin, response.error(), took, options_.verbosity));
    Error error = std::move(response).take_error();
    if (call.read_only && error.kind == Kind::outcome_unknown) error.kind = Kind::unavailable;
    if (!call.read_only && error.kind == Kind::format) error.kind = Kind::outcome_unknown;
    return error.in("cannot " + call.what);
  }
  const bool worked = response->status / 100 == 2;
  if (worked && !body.empty()) response->body = std::move(body);
  const bool shown = call.may_show_reply || !worked;
  log_lines(kube::render_response(request, state_->origin, *response,
                                  shown || response->body.empty() ? response->body : "<masked>", took,
                                  options_.verbosity));
  return response;
}

// Asked once, and before the first other call: a Coder that already says 429 would say it to this too.
bool ServerSession::may_bypass_rate_limit(const ServerCall& call) {
  const ServerCall question = who_am_i();
  if (call.path == question.path || options_.token.empty()) return false;
  const std::lock_guard lock(state_->role_mutex);
  if (!state_->owner) {
    const Result<http::Response> answer = attempt(question, false);
    state_->owner = false;
    if (answer.ok() && answer->status == 200) {
      const Result<json::Value> body = json::parse(answer->body, "reply to " + question.what);
      const Result<ServerUser> user =
          body.ok() ? parse_user(json::View(*body, "user")) : Result<ServerUser>(body.error());
      state_->owner = user.ok() && user->is_owner();
    }
  }
  return *state_->owner;
}

Result<http::Response> ServerSession::call(const ServerCall& call) {
  const bool bypass = may_bypass_rate_limit(call);
  kube::Call as_kube;  // what kube::wait_after_failure looks at
  as_kube.method = call.method, as_kube.read_only = call.read_only;
  std::optional<Error> previous;
  const Milliseconds began = clock_.steady();
  for (int retries = 0;; ++retries) {
    Result<http::Response> response = attempt(call, bypass);
    if (response.ok() && response->status / 100 == 2) return response;
    if (response.ok() && response->status == 304 && !call.read_only) return response;  // it was so already
    const std::optional<Milliseconds> wait =
        response.ok() ? wait_after(call, *response, retries)
                      : kube::wait_after_failure(as_kube, response.error(), false, retries);
    const int status = response.ok() ? response->status : 0;
    Error error = response.ok() ? server_failure(call, options_, *response) : response.take_error();
    const bool out_of_patience =
        wait && call.patience.count() > 0 && clock_.steady() - began + *wait >= call.patience;
    if (!wait || out_of_patience) return kube::with_previous(std::move(error), previous);
    previous = std::move(error);
    if (status != 0) note_wait(call, status, *wait);
    TM_TRY(clock_.sleep(*wait));
  }
}

Result<json::Value> ServerSession::call_json(const ServerCall& call) {
  TM_TRY_ASSIGN(const http::Response response, this->call(call));
  Result<json::Value> body = json::parse(response.body, "reply to " + call.what);
  if (body.ok()) return body;
  Error error = std::move(body).take_error();
  const std::string type = response.header("Content-Type");
  if (contains(lower(type), "html")) {
    error.what = fmt::format("reply to {}: {} answers with a page for people ({}) where Coder has its API",
                             call.what, options_.url, printable(type));
    error.hints.push_back("curl -i " + options_.url + "/api/v2/buildinfo");
  }
  // The server said 2xx, so the write is done, but what it made cannot be read: look again.
  if (!call.read_only) error.kind = Kind::outcome_unknown;
  return error;
}

Result<std::vector<SourceFile>> ServerSession::once(
    const std::string& version_id, const std::function<Result<std::vector<SourceFile>>()>& fetch) {
  const std::lock_guard lock(state_->text_mutex);
  if (const auto found = state_->texts.find(version_id); found != state_->texts.end()) return found->second;
  TM_TRY_ASSIGN(std::vector<SourceFile> files, fetch());
  return state_->texts.emplace(version_id, std::move(files)).first->second;
}

}  // namespace truenas::coder
