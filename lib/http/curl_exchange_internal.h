#pragma once
// One exchange in flight: what libcurl calls back into, and the loop that drives it and notices a stop
// request, a stall or a second sending. Private to lib/http.

#include <array>
#include <chrono>
#include <optional>

#include "lib/http/curl_handle_internal.h"
#include "lib/http/curl_transport.h"

namespace truenas::http {

// How an exchange ended.
struct Ending {
  enum class Cause {
    done,
    curl,
    sink,
    too_large,
    unframed,
    interrupted,
    stalled,
    would_resend
  } cause = Cause::done;
  CURLcode code = CURLE_OK;    // with Cause::curl
  std::optional<Error> error;  // with Cause::sink: the sink's own
  bool sent = false;           // perhaps: the connection stood, and sending had begun
  std::string detail;          // libcurl's text
  long os_error = 0;
  long verify_result = 0;  // X509_V_ERR_*
};

// Not movable: libcurl holds its address.
class Exchange {
 public:
  // A write's reply must not be given up lightly, and it is never sent twice. `connect` only dials.
  enum class Purpose { read, write, connect };
  Exchange(const Request& request, const BodySink& sink, Purpose purpose, const Timings& timings);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Result<void> attach(CURL* easy);
  // Blocks until the exchange has ended. The slot stays attached.
  Ending run(Slot& slot);
  Response& response() { return response_; }
  bool body_was_cut() const { return body_cut_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static int on_ready_to_send(void* self, char*, char*, int, int) noexcept;
  bool take_header(std::string_view line);
  bool take_body(std::string_view piece);
  std::optional<Ending::Cause> must_stop();
  bool has_known_length() const;
  bool was_sent() const { return purpose_ != Purpose::connect && sendings_ > 0; }
  Ending finish(CURL* easy, CURLcode code);
  Milliseconds next_look() const;

  const Request& request_;
  const BodySink& sink_;
  const Purpose purpose_;
  const Timings timings_;
  const bool began_interrupted_;
  Response response_;
  std::size_t header_bytes_ = 0;
  int sendings_ = 0;
  bool head_complete_ = false;
  bool body_begun_ = false;
  bool body_cut_ = false;
  std::optional<Ending::Cause> broken_;  // set by a callback that made libcurl stop
  std::optional<Error> sink_error_;
  const TimePoint start_;
  TimePoint last_activity_;
  std::optional<TimePoint> interrupt_seen_;
  std::array<char, CURL_ERROR_SIZE> curl_text_{};
};

}  // namespace truenas::http
