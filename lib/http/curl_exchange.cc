#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/http/curl_exchange_internal.h"

namespace truenas::http {
namespace {

constexpr std::size_t k_header_limit = 256u << 10;  // below libcurl's own limit, which newer versions have
constexpr std::size_t k_error_body_limit = 1u << 20;
// No object is larger than 3 MiB (Y6) and lists are paged; larger bodies go through a sink.
constexpr std::size_t k_body_limit = 512u << 20;
// How late a stop request is noticed at most.
constexpr Milliseconds k_look_interval{200};

Milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
}

int status_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 4) return 0;
  int status = 0;
  for (const char c : line.substr(space + 1, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

bool is_success(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

Exchange::Exchange(const Request& request, const BodySink& sink, Purpose purpose, const Timings& timings)
    : request_(request),
      sink_(sink),
      purpose_(purpose),
      timings_(timings),
      began_interrupted_(interrupted()),
      start_(std::chrono::steady_clock::now()),
      last_activity_(start_) {}

Result<void> Exchange::attach(CURL* easy) {
  OptionSetter options(easy);
  options.set(CURLOPT_HEADERFUNCTION, &Exchange::on_header)
      .set(CURLOPT_HEADERDATA, static_cast<void*>(this))
      .set(CURLOPT_WRITEFUNCTION, &Exchange::on_body)
      .set(CURLOPT_WRITEDATA, static_cast<void*>(this))
      .set(CURLOPT_PREREQFUNCTION, &Exchange::on_ready_to_send)
      .set(CURLOPT_PREREQDATA, static_cast<void*>(this))
      .set(CURLOPT_ERRORBUFFER, curl_text_.data());
  return options.result();
}

std::size_t Exchange::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  try {
    return static_cast<Exchange*>(self)->take_header({data, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;
  }
}

std::size_t Exchange::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto* exchange = static_cast<Exchange*>(self);
  try {
    return exchange->take_body({data, size * count}) ? size * count : 0;
  } catch (...) {
    exchange->broken_ = Ending::Cause::too_large;
    return 0;
  }
}

// Called when the connection stands and the request is about to be written. libcurl silently repeats ANY
// request on a new connection when a kept-alive one dies without a reply byte (Curl_retry_request): harmless
// for a read, but a write may have been carried out, so its second sending is refused.
int Exchange::on_ready_to_send(void* self, char*, char*, int, int) noexcept {
  auto* exchange = static_cast<Exchange*>(self);
  ++exchange->sendings_;
  if (exchange->purpose_ == Purpose::write && exchange->sendings_ > 1) {
    exchange->broken_ = Ending::Cause::would_resend;
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

bool Exchange::take_header(std::string_view line) {
  last_activity_ = std::chrono::steady_clock::now();
  if (body_begun_) return true;  // a trailer
  header_bytes_ += line.size();
  if (header_bytes_ > k_header_limit) {
    broken_ = Ending::Cause::too_large;
    return false;
  }
  if (line.rfind("HTTP/", 0) == 0) {  // also after a 1xx
    response_.headers.clear();
    response_.status = status_of(line);
    head_complete_ = false;
    return true;
  }
  if (trim(line).empty()) {
    head_complete_ = response_.status >= 200;
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  response_.headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  return true;
}

bool Exchange::take_body(std::string_view piece) {
  last_activity_ = std::chrono::steady_clock::now();
  body_begun_ = true;
  const bool success = is_success(response_.status);
  if (success && sink_) {
    Result<void> taken = sink_(piece);
    if (taken.ok()) return true;
    sink_error_ = std::move(taken).take_error();
    broken_ = Ending::Cause::sink;
    return false;
  }
  const std::size_t room = (success ? k_body_limit : k_error_body_limit) - response_.body.size();
  response_.body.append(piece.substr(0, room));
  if (piece.size() <= room) return true;
  if (success) {
    broken_ = Ending::Cause::too_large;
  } else {
    body_cut_ = true;  // enough of an error page: the exchange counts as done
  }
  return false;
}

std::optional<Ending::Cause> Exchange::must_stop() {
  if (request_.stall.count() > 0 && since(last_activity_) >= request_.stall) return Ending::Cause::stalled;
  if (!interrupted()) return std::nullopt;
  const bool endless = request_.stall.count() > 0;
  if (began_interrupted_ && !endless && since(start_) < timings_.clean_up) return std::nullopt;
  if (purpose_ != Purpose::write || sendings_ == 0) return Ending::Cause::interrupted;
  if (!interrupt_seen_) interrupt_seen_ = std::chrono::steady_clock::now();
  if (!began_interrupted_ && since(*interrupt_seen_) < timings_.interrupt_grace) return std::nullopt;
  return Ending::Cause::interrupted;
}

Milliseconds Exchange::next_look() const {
  if (request_.stall.count() <= 0) return k_look_interval;
  return std::clamp(request_.stall - since(last_activity_), Milliseconds(1), k_look_interval);
}

// RFC 9112 §6.3: a reply with neither ends with its connection, and a cut one looks like a whole one.
bool Exchange::has_known_length() const {
  const int status = response_.status;
  if (!is_success(status) || status == 204 || request_.method == "HEAD") return true;
  return !response_.header("Content-Length").empty() || !response_.header("Transfer-Encoding").empty();
}

Ending Exchange::finish(CURL* easy, CURLcode code) {
  Ending ending;
  ending.code = code;
  ending.sent = was_sent();
  ending.detail = printable(curl_text_[0] != '\0' ? curl_text_.data() : curl_easy_strerror(code));
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &ending.os_error);
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &ending.verify_result);
  if (code == CURLE_OK || body_cut_) {
    // libcurl takes a head that was cut, and a body that has no length but the connection's, for whole.
    if (purpose_ == Purpose::connect) return ending;
    if (!head_complete_) {
      ending.cause = Ending::Cause::curl;
      ending.code = CURLE_PARTIAL_FILE;
      ending.detail = "the connection ended within the headers";
    } else if (!has_known_length()) {
      ending.cause = Ending::Cause::unframed;
    }
    return ending;
  }
  ending.cause = broken_.value_or(Ending::Cause::curl);
  ending.error = std::move(sink_error_);
  return ending;
}

Ending Exchange::run(Slot& slot) {
  Ending failed;
  failed.cause = Ending::Cause::curl;
  failed.code = CURLE_FAILED_INIT;
  if (slot.attach() != CURLM_OK) return failed;
  int running = 1;
  while (running > 0) {
    if (curl_multi_perform(slot.multi(), &running) != CURLM_OK) return failed;
    if (running == 0) break;
    if (const auto cause = must_stop()) {
      failed.cause = *cause;
      failed.sent = was_sent();
      return failed;
    }
    const int wait = static_cast<int>(next_look().count());
    if (curl_multi_poll(slot.multi(), nullptr, 0, wait, nullptr) != CURLM_OK) return failed;
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(slot.multi(), &left)) {
    if (message->msg == CURLMSG_DONE) return finish(slot.easy(), message->data.result);
  }
  return failed;
}

}  // namespace truenas::http
