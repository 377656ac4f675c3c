#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/http/curl_websocket_internal.h"
#include "lib/http/handshake.h"

namespace truenas::http {
namespace {

constexpr Milliseconds k_look_interval{200};
constexpr std::size_t k_head_limit = 64u << 10;

using TimePoint = std::chrono::steady_clock::time_point;

std::string random_key() {
  std::random_device source;
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes += static_cast<char>(source() & 0xff);
  return base64_encode(bytes);
}

// The handshake on a dialled connection. From the last byte of the request on, the command may be running.
class Handshake {
 public:
  Handshake(CurlStream& stream, const Origin& origin, const Request& request)
      : stream_(stream), origin_(origin), request_(request), began_interrupted_(interrupted()) {
    const Milliseconds limit =
        request.timeout.count() > 0 ? request.timeout : origin.endpoint.timings.handshake;
    deadline_ = std::chrono::steady_clock::now() + limit;
  }

  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t written = 0;
      const auto state = stream_.write(bytes, written);
      if (state == CurlStream::State::ended) return lost(stream_.reason());
      bytes.remove_prefix(written);
      if (state == CurlStream::State::blocked) TM_TRY(wait(true));
    }
    sent_ = true;
    return {};
  }

  // The next reply's head, without the empty line; what follows it stays in raw().
  Result<std::string> read_head() {
    std::size_t end;
    while ((end = raw_.find("\r\n\r\n")) == std::string::npos) {
      if (raw_.size() > k_head_limit) return lost("its headers have no end");
      TM_TRY_ASSIGN(const bool more, read_more());
      if (!more) return lost(stream_.reason());
    }
    std::string head = raw_.substr(0, end);
    raw_.erase(0, end + 4);
    return head;
  }

  // A refusal's body is only for people: what has arrived when the connection ends will do.
  std::string read_body(const Response& head) {
    bool ended = false;
    while (true) {
      if (std::optional<std::string> body = refusal_body(head, raw_, ended)) return *body;
      const auto more = read_more();
      ended = !more.ok() || !*more;
    }
  }

  const std::string& raw() const { return raw_; }

 private:
  // False at the end of the connection.
  Result<bool> read_more() {
    while (true) {
      const auto state = stream_.read(raw_);
      if (state == CurlStream::State::ended) return false;
      if (state == CurlStream::State::progress) return true;
      TM_TRY(wait(false));
    }
  }

  Result<void> wait(bool writable) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (!began_interrupted_ && !grace_begun_ && interrupted()) {
      grace_begun_ = true;
      if (!sent_) return make_error(Kind::interrupted, "interrupted while connecting to the server");
      deadline_ = std::min(deadline_, now + origin_.endpoint.timings.interrupt_grace);
    }
    if (now >= deadline_) return lost("it did not answer in time");
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline_ - now);
    stream_.wait(!writable, writable, std::clamp(left, Milliseconds(1), k_look_interval));
    return {};
  }

  Error lost(const std::string& why) const {
    const std::string path = request_.target.substr(0, request_.target.find('?'));
    const std::string text = fmt::format("no whole reply from {}: {}", origin_.server, why);
    if (!sent_) return make_error(Kind::unavailable, "unable to connect to the server: " + text);
    return make_error(Kind::outcome_unknown,
                      fmt::format("asked to open {}, which may or may not have started: {}", path, text));
  }

  CurlStream& stream_;
  const Origin& origin_;
  const Request& request_;
  const bool began_interrupted_;
  bool grace_begun_ = false;
  bool sent_ = false;
  TimePoint deadline_;
  std::string raw_;
};

}  // namespace

Result<Upgrade> upgrade_connection(const std::shared_ptr<const Origin>& origin, const Request& request,
                                   const std::vector<std::string>& protocols) {
  TM_TRY(check_request(request));
  TM_TRY_ASSIGN(std::unique_ptr<CurlStream> stream, CurlStream::dial(origin, request));
  const std::string key = random_key();
  Handshake handshake(*stream, *origin, request);
  TM_TRY(handshake.write(
      render_upgrade(request, origin->host_header, origin->endpoint.user_agent, key, protocols)));
  Response head;
  do {  // 100 and 103 may come before the reply
    TM_TRY_ASSIGN(const std::string text, handshake.read_head());
    TM_TRY_ASSIGN(head, parse_head(text));
  } while (head.status < 200 && head.status != 101);
  if (head.status != 101) {
    head.body = handshake.read_body(head);
    return Upgrade(std::move(head));
  }
  TM_TRY_ASSIGN(std::string protocol, check_switch(head, key, protocols));
  return Upgrade(std::make_unique<CurlWebSocket>(std::move(stream), std::move(protocol), handshake.raw(),
                                                 origin->endpoint.timings, origin->server));
}

}  // namespace truenas::http
