#include "lib/kube/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/http/url.h"
#include "lib/kube/limiter.h"
#include "lib/kube/retry.h"
#include "lib/kube/status.h"
#include "lib/kube/verbosity.h"
#include "lib/kube/warning.h"

namespace truenas::kube {
namespace {

constexpr Seconds k_longest_answer{
    180};  // Y6: the server cuts calls at 60 s; only something between can be slower

// Go's Duration.String(), as client-go writes it into ?timeout= (P3): "30s", "1m30s", "1.5s", "300ms".
std::string go_duration(Milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms < 1000) return fmt::format("{}ms", ms);
  const std::int64_t hours = ms / 3600000, minutes = ms / 60000 % 60;
  std::string seconds = fmt::format("{}.{:03}", ms / 1000 % 60, ms % 1000);
  seconds.erase(seconds.find_last_not_of('0') + 1);
  if (seconds.back() == '.') seconds.pop_back();
  if (hours > 0) return fmt::format("{}h{}m{}s", hours, minutes, seconds);
  return minutes > 0 ? fmt::format("{}m{}s", minutes, seconds) : seconds + "s";
}

std::string origin_of(const std::string& server) {
  const Result<http::Url> url = http::parse_server_url(server);
  if (!url.ok()) return server;
  const std::string host = contains(url->host, ":") ? "[" + url->host + "]" : url->host;
  return fmt::format("{}://{}:{}", url->scheme, host, url->port);
}

Milliseconds timeout_of(const Call& call, const SessionOptions& options) {
  if (call.timeout.count() > 0) return call.timeout;
  return call.watch ? Milliseconds(0) : options.request_timeout;
}

Error unread_reply(const Call& call, Error error) {
  // The server said 2xx, so the write is done, but what it made cannot be read: look again.
  if (!call.read_only) error.kind = Kind::outcome_unknown;
  return error;
}

Error failure_of(const Call& call, const Status& status) {
  Error error = status_error(status, call);
  if (!call.read_only && status.code >= 500) error.kind = Kind::outcome_unknown;
  return error;
}

}  // namespace

struct Session::State {
  State(const SessionOptions& options, Clock& clock)
      : limiter(options.qps, options.burst, clock), origin(origin_of(options.server)) {}
  Limiter limiter;
  const std::string origin;
  std::mutex mutex;  // of what follows, and of the log callback
  std::set<std::string> warned;
};

Session::Session(std::unique_ptr<http::Transport> transport, std::unique_ptr<CredentialSource> credentials,
                 SessionOptions options, Clock& clock)
    : transport_(std::move(transport)),
      credentials_(std::move(credentials)),
      options_(std::move(options)),
      clock_(clock),
      state_(std::make_unique<State>(options_, clock)) {}

Session::~Session() = default;

void Session::log_lines(const std::vector<std::string>& lines) {
  if (!options_.log || lines.empty()) return;
  const std::lock_guard lock(state_->mutex);
  for (const std::string& line : lines) options_.log(line);
}

http::Request Session::make_request(const Call& call, Milliseconds timeout) const {
  http::Request request;
  request.method = call.method;
  auto query = call.query;
  const Milliseconds asked = timeout_of(call, options_);
  if (asked.count() > 0 && !call.watch) query.emplace_back("timeout", go_duration(asked));
  request.target = options_.path_prefix + call.path + http::query_string(std::move(query));
  request.headers.emplace_back("Accept", call.accept);
  if (!call.body.empty()) {
    request.headers.emplace_back("Content-Type",
                                 call.content_type.empty() ? "application/json" : call.content_type);
  }
  if (!options_.user_agent.empty()) request.headers.emplace_back("User-Agent", options_.user_agent);
  request.headers.insert(request.headers.end(), options_.extra_headers.begin(), options_.extra_headers.end());
  request.body = call.body;
  // Not by stall: the transport takes a request with one for endless and cuts it as soon as a stop is asked
  // for.
  request.timeout = timeout.count() > 0 || call.watch ? timeout : Milliseconds(k_longest_answer);
  request.stall = call.stall;
  request.compressed = call.compressed && !call.watch;  // H6
  return request;
}

// What every answer brings besides its meaning: the log, the warnings, a refused credential.
void Session::note_answer(const http::Request& request, const http::Response& response, std::string_view body,
                          Milliseconds took) {
  log_lines(render_response(request, state_->origin, response, body, took, options_.verbosity));
  if (response.status == 401 && credentials_) credentials_->refused();  // E7
  std::vector<std::string> fresh;
  for (const auto& [name, value] : response.headers) {
    if (lower(name) != "warning") continue;
    for (const std::string& text : parse_warnings(value)) {
      const std::lock_guard lock(state_->mutex);
      if (state_->warned.insert(text).second) fresh.push_back("Warning: " + printable(text));
    }
  }
  log_lines(fresh);
}

Result<http::Response> Session::attempt(const Call& call, Milliseconds timeout, const http::BodySink& sink,
                                        bool* handed_on) {
  if (!call.watch) TM_TRY(state_->limiter.wait());
  http::Request request = make_request(call, timeout);
  if (credentials_) {
    TM_TRY_ASSIGN(request.authorization, credentials_->authorization());
  }
  log_lines(render_request(request, state_->origin, options_.verbosity));
  const std::size_t kept_bytes = shown_body_bytes(options_.verbosity);
  std::string kept;
  http::BodySink tee;
  if (sink) {
    tee = [&](std::string_view piece) -> Result<void> {
      if (!piece.empty()) *handed_on = true;
      if (kept.size() <= kept_bytes && kept_bytes > 0) kept += piece;
      return sink(piece);
    };
  }
  const Milliseconds start = clock_.steady();
  Result<http::Response> response = transport_->send(request, tee);
  const Milliseconds took = clock_.steady() - start;
  if (!response.ok()) {
    log_lines(render_failure(request, state_->origin, response.error(), took, options_.verbosity));
    Error error = std::move(response).take_error();
    if (error.kind == Kind::outcome_unknown && call.read_only) error.kind = Kind::unavailable;
    return error;
  }
  note_answer(request, *response, sink && *handed_on ? kept : response->body, took);
  return response;
}

Result<http::Response> Session::call(const Call& call, const http::BodySink& sink, Status* status) {
  const Milliseconds limit = timeout_of(call, options_);
  const Milliseconds end = clock_.steady() + limit;
  std::optional<Error> previous;
  for (int retries = 0;; ++retries) {
    const Milliseconds left =
        limit.count() > 0 ? std::max(end - clock_.steady(), Milliseconds(1)) : Milliseconds(0);
    bool handed_on = false;
    Result<http::Response> response = attempt(call, left, sink, &handed_on);
    const std::optional<Milliseconds> wait =
        response.ok() ? wait_after_answer(*response, retries)
                      : wait_after_failure(call, response.error(), handed_on, retries);
    if (response.ok() && response->status >= 200 && response->status < 300) return response;
    Error error;
    if (response.ok()) {
      const Status answer = read_status(*response, call);
      error = failure_of(call, answer);
      if (status != nullptr) *status = answer;
    } else {
      error = std::move(response).take_error();
    }
    const bool too_late = limit.count() > 0 && wait && clock_.steady() + *wait >= end;
    if (!wait || too_late) return with_previous(std::move(error), previous);
    previous = std::move(error);
    TM_TRY(clock_.sleep(*wait));
  }
}

Result<json::Value> Session::call_json(const Call& call, Status* status) {
  Status ignored;
  Status& answer = status != nullptr ? *status : ignored;
  TM_TRY_ASSIGN(const http::Response response, this->call(call, {}, &answer));
  const std::string source = "reply to " + call.what;
  if (trim(response.body).empty()) return unread_reply(call, make_error(Kind::format, source + ": empty"));
  Result<json::Value> body = json::parse(response.body, source);
  if (!body.ok()) return unread_reply(call, std::move(body).take_error());
  if (!is_failure(*body)) return body;
  answer = read_status_object(*body);
  if (answer.message.empty()) answer.message = "the server answered with a failure and no reason";
  return failure_of(call, answer);
}

Result<http::Upgrade> Session::upgrade(const Call& call, const std::vector<std::string>& protocols) {
  TM_TRY(state_->limiter.wait());
  http::Request request = make_request(call, Milliseconds(0));
  if (credentials_) {
    TM_TRY_ASSIGN(request.authorization, credentials_->authorization());
  }
  log_lines(render_request(request, state_->origin, options_.verbosity));
  const Milliseconds start = clock_.steady();
  Result<http::Upgrade> upgrade = transport_->upgrade(request, protocols);
  const Milliseconds took = clock_.steady() - start;
  if (!upgrade.ok()) {
    log_lines(render_failure(request, state_->origin, upgrade.error(), took, options_.verbosity));
  } else if (const auto* refusal = std::get_if<http::Response>(&*upgrade)) {
    note_answer(request, *refusal, refusal->body, took);
  } else {
    http::Response accepted;
    accepted.status = 101;
    note_answer(request, accepted, "", took);
  }
  return upgrade;
}

}  // namespace truenas::kube
