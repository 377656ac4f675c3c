#include "lib/kube/exec_stream.h"

#include <fmt/format.h>

#include <charconv>

#include "lib/base/text.h"
#include "lib/json/value.h"
#include "lib/kube/status.h"

namespace truenas::kube {
namespace {

enum Channel : unsigned char { k_stdin = 0, k_stdout = 1, k_stderr = 2, k_status = 3 };
constexpr std::size_t k_longest_status = 1u << 20;

// F8: the first cause ExitCode, as uint8.
Result<int> exit_code_of(const json::Value& status, const std::string& what) {
  for (const json::Value& cause : status.items_at("/details/causes")) {
    if (cause.text_at("/reason") != "ExitCode") continue;
    const std::string& text = cause.text_at("/message");
    std::uint8_t code = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (problem == std::errc() && end == text.data() + text.size() && !text.empty()) return code;
    return make_error(Kind::format,
                      fmt::format("{}: exit code {} is no number from 0 to 255", what, quote(text)));
  }
  return make_error(Kind::format, fmt::format("{}: no ExitCode cause given", what));
}

}  // namespace

std::string stdin_message(std::string_view piece) {
  return std::string(1, static_cast<char>(k_stdin)).append(piece);
}

std::string stdin_end_message() {
  return {'\xff', '\0'};
}

Result<void> ExecStream::accept(const http::Message& message) {
  if (message.type == http::Message::Type::closed) {
    closed_ = true;
    ending_ = fmt::format("close code {}{}{}", message.close_code, message.data.empty() ? "" : ", ",
                          printable(message.data));
    return {};
  }
  if (message.type == http::Message::Type::text) {
    return make_error(Kind::format, fmt::format("{}: the server sent a text message", what_));
  }
  if (message.data.empty()) return {};
  const std::string_view payload = std::string_view(message.data).substr(1);
  std::string* target = nullptr;
  std::size_t limit = output_limit_;
  switch (static_cast<unsigned char>(message.data.front())) {
    case k_stdout:
      target = &result_.out;
      break;
    case k_stderr:
      target = &result_.err;
      break;
    case k_status:
      target = &status_;
      limit = k_longest_status;
      break;
    default:  // F1: discarded
      return {};
  }
  if (payload.size() > limit - target->size()) {
    return make_error(Kind::format, fmt::format("{}: more than {} bytes of output", what_, limit));
  }
  target->append(payload);
  return {};
}

bool ExecStream::status_complete() const {
  if (status_.empty()) return false;
  const Result<json::Value> status = json::parse(status_, what_);
  return status.ok() && status->is_object();
}

Result<ExecResult> ExecStream::finish() const {
  if (!status_complete()) {
    return make_error(Kind::unavailable, fmt::format("{}: the connection ended without {} ({})", what_,
                                                     status_.empty() ? "a status" : "a complete status",
                                                     ending_.empty() ? "no close" : ending_));
  }
  const Result<json::Value> status = json::parse(status_, what_);
  ExecResult result = result_;
  const std::string& outcome = status->text_at("/status");
  if (outcome == "Success") return result;
  if (outcome != "Failure") {
    return make_error(Kind::format, fmt::format("{}: the status says neither Success nor Failure", what_));
  }
  if (status->text_at("/reason") == "NonZeroExitCode") {
    TM_TRY_ASSIGN(result.exit_code, exit_code_of(*status, what_));
    if (result.exit_code != 0) return result;
    return make_error(Kind::format, fmt::format("{}: NonZeroExitCode with exit code 0", what_));
  }
  Call call;
  call.what = what_;
  return status_error(read_status_object(*status), call).in(what_);
}

}  // namespace truenas::kube
