#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/kube/exec_run.h"
#include "lib/kube/exec_stream.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {

constexpr Seconds k_quiet_after_status{5};  // then the server is taken to have nothing more to say
constexpr Milliseconds k_longest_wait{1000};

std::string name_of(const ExecRequest& request) {
  return fmt::format("{} in {}", request.argv.empty() ? "command" : printable(request.argv.front()),
                     describe(k_pod, request.ns, request.pod));
}

// A command that was begun and whose end was not seen.
Error lost(Error error, ExecPurpose purpose) {
  if (purpose == ExecPurpose::change) {
    error.kind = Kind::outcome_unknown;
  } else if (error.kind == Kind::outcome_unknown) {
    error.kind = Kind::unavailable;
  }
  return error;
}

// X7, as kubectl.
Result<std::string> choose_container(const Reader& reader, const ExecRequest& request) {
  TM_TRY_ASSIGN(const json::Value pod, reader.get(k_pod, request.ns, request.pod));
  const std::string& phase = pod.text_at("/status/phase");
  if (phase == "Succeeded" || phase == "Failed") {
    return make_error(
        Kind::refused,
        fmt::format("cannot exec into a container in a completed pod; current phase is {}", phase));
  }
  if (!request.container.empty()) return request.container;
  const std::string& wished = annotation_of(pod, "kubectl.kubernetes.io/default-container");
  const json::Value::Array& containers = pod.items_at("/spec/containers");
  const auto named = [&](const json::Value& container) { return container.text_at("/name") == wished; };
  if (!wished.empty() && std::any_of(containers.begin(), containers.end(), named)) return wished;
  if (containers.empty()) return make_error(Kind::format, fmt::format("{} has no containers", describe(pod)));
  return containers.front().text_at("/name");
}

Result<Call> exec_call(const ExecRequest& request, const std::string& container) {
  if (request.argv.empty()) return make_error(Kind::bug, "exec without a command");
  Call call;
  call.what = call_name("exec", k_pod, request.ns, request.pod);
  TM_TRY_ASSIGN(call.path, resource_path(k_pod, request.ns, request.pod, "exec"));
  call.query = {{"container", container}, {"stdout", "true"}, {"stderr", "true"}};
  for (const std::string& word : request.argv) call.query.emplace_back("command", word);
  if (!request.stdin_text.empty()) call.query.emplace_back("stdin", "true");
  call.watch = true;  // P3: the request timeout does not apply to exec
  return call;
}

// X3, X6.
Error refusal(const http::Response& response, const Call& call, const std::string& pod, ExecPurpose purpose) {
  if (response.status == 403 && trim(response.body).empty()) {
    return make_error(
        Kind::refused,
        fmt::format("cannot {}: the server does not speak {}: Kubernetes 1.30 or later is needed, or "
                    "something between refuses WebSockets",
                    call.what, k_exec_v5),
        {"kubectl version"});
  }
  const Status status = read_status(response, call);
  Error error = doubt_absence(status_error(status, call), status, pod).in("cannot " + call.what);
  return status.code >= 500 ? lost(std::move(error), purpose) : error;
}

class Conversation {
 public:
  Conversation(http::WebSocket& socket, Clock& clock, const ExecRequest& request, ExecPurpose purpose)
      : socket_(socket),
        clock_(clock),
        request_(request),
        purpose_(purpose),
        stream_(name_of(request), request.output_limit),
        end_(clock.steady() + request.deadline),
        sending_(!request.stdin_text.empty()) {}

  Result<ExecResult> run() {
    while (!stream_.closed()) {
      if (clock_.steady() >= end_) return at_deadline();
      TM_TRY(send_some());
      Result<std::optional<http::Message>> message = socket_.receive(wait());
      if (!message.ok()) {
        if (message.error().kind == Kind::interrupted) {
          if (purpose_ == ExecPurpose::look) return std::move(message).take_error();
          continue;  // reported once; a change is seen through to its end
        }
        if (stream_.status_complete()) break;  // N5: a reset after the Status takes nothing away
        return lost(std::move(message).take_error(), purpose_);
      }
      if (!*message) continue;
      if (Result<void> taken = stream_.accept(**message); !taken.ok()) {
        return lost(std::move(taken).take_error(), purpose_);
      }
      if (stream_.status_begun()) {
        end_ = clock_.steady() + k_quiet_after_status;
        socket_.stop_pings();
      }
    }
    Result<ExecResult> result = stream_.finish();
    if (!result.ok()) return lost(std::move(result).take_error(), purpose_);
    return result;
  }

 private:
  // One message of stdin, then a look at what came in, so that neither side waits for the other. A connection
  // that takes no more may still hold the Status of a command that did not want its stdin.
  Result<void> send_some() {
    if (!sending_ || stream_.status_begun()) return {};
    const std::string_view rest = std::string_view(request_.stdin_text).substr(sent_);
    const std::string_view piece = rest.substr(0, k_stdin_piece);
    Result<void> outcome = socket_.send(piece.empty() ? stdin_end_message() : stdin_message(piece));
    const bool stop = !outcome.ok() && outcome.error().kind == Kind::interrupted;
    if (stop && purpose_ == ExecPurpose::look) return outcome;
    sent_ += piece.size();
    sending_ = (outcome.ok() || stop) && !piece.empty();  // interrupted: the message goes out all the same
    return {};
  }

  Milliseconds wait() const {
    if (sending_ && !stream_.status_begun()) return Milliseconds(0);
    return std::clamp(end_ - clock_.steady(), Milliseconds(0), k_longest_wait);
  }

  Result<ExecResult> at_deadline() const {
    if (stream_.status_complete()) return stream_.finish();
    Error error =
        make_error(Kind::unavailable, fmt::format("{}: not done within {} s; it may still be running",
                                                  name_of(request_), request_.deadline.count() / 1000));
    return lost(std::move(error), purpose_);
  }

  http::WebSocket& socket_;
  Clock& clock_;
  const ExecRequest& request_;
  const ExecPurpose purpose_;
  ExecStream stream_;
  Milliseconds end_;
  bool sending_;
  std::size_t sent_ = 0;
};

}  // namespace

Result<ExecResult> run_in_container(const Reader& reader, const ExecRequest& request, ExecPurpose purpose) {
  TM_TRY_ASSIGN(const std::string container, choose_container(reader, request));
  TM_TRY_ASSIGN(const Call call, exec_call(request, container));
  std::vector<std::string> protocols{std::string(k_exec_v5)};
  // X5: v4 cannot end stdin, so it will do only where there is none.
  if (request.stdin_text.empty()) protocols.emplace_back(k_exec_v4);
  Result<http::Upgrade> upgrade = reader.session().upgrade(call, protocols);
  if (!upgrade.ok()) {
    Error error = std::move(upgrade).take_error();
    // The transport knows whether the request left; a reply that it cannot make sense of came after that.
    const bool begun = error.kind == Kind::outcome_unknown || error.kind == Kind::format;
    return begun ? lost(std::move(error), purpose) : error;
  }
  if (const auto* response = std::get_if<http::Response>(&*upgrade))
    return refusal(*response, call, request.pod, purpose);
  http::WebSocket& socket = *std::get<std::unique_ptr<http::WebSocket>>(*upgrade);
  if (std::find(protocols.begin(), protocols.end(), socket.protocol()) == protocols.end()) {
    return lost(
        make_error(Kind::refused, fmt::format("cannot {}: invalid protocol, expected one of [{}], got {}",
                                              call.what, join(protocols, " "), quote(socket.protocol()))),
        purpose);
  }
  return Conversation(socket, reader.session().clock(), request, purpose).run();
}

}  // namespace truenas::kube
