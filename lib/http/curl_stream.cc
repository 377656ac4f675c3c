#include <poll.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/http/curl_failure_internal.h"
#include "lib/http/curl_stream_internal.h"

namespace truenas::http {
namespace {

constexpr std::size_t k_piece_bytes = std::size_t{64} << 10;

}  // namespace

Result<std::unique_ptr<CurlStream>> CurlStream::dial(std::shared_ptr<const Origin> origin,
                                                     const Request& request) {
  std::unique_ptr<CurlStream> stream(new CurlStream());
  stream->origin_ = std::move(origin);
  TM_TRY(stream->start(request));
  return stream;
}

Result<void> CurlStream::start(const Request& request) {
  TM_TRY_ASSIGN(slot_, Slot::make());
  CURL* easy = slot_->easy();
  TM_TRY(apply_origin(easy, *origin_, lists_));
  const std::string url = origin_->base_url + "/";
  OptionSetter options(easy);
  options.set(CURLOPT_URL, url.c_str()).set(CURLOPT_CONNECT_ONLY, 1L);
  if (!origin_->proxy.empty()) options.set(CURLOPT_HTTPPROXYTUNNEL, 1L);
  TM_TRY(options.result());
  const BodySink no_sink;
  Exchange exchange(request, no_sink, Exchange::Purpose::connect, origin_->endpoint.timings);
  TM_TRY(exchange.attach(easy));
  const Ending ending = exchange.run(*slot_);
  // From here on libcurl writes its texts to us: the exchange is about to go.
  TM_TRY(OptionSetter(easy).set(CURLOPT_ERRORBUFFER, curl_text_.data()).result());
  if (ending.cause != Ending::Cause::done) return describe_failure(*origin_, request, false, ending);
  curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket_);
  if (socket_ == CURL_SOCKET_BAD) return make_error(Kind::unavailable, "the connection ended at once");
  return {};
}

CurlStream::State CurlStream::fail(CURLcode code) {
  if (code == CURLE_AGAIN) return State::blocked;
  reason_ = printable(curl_text_[0] != '\0' ? curl_text_.data() : curl_easy_strerror(code));
  return State::ended;
}

CurlStream::State CurlStream::read(std::string& out) {
  std::array<char, k_piece_bytes> chunk;
  std::size_t got = 0;
  const CURLcode code = curl_easy_recv(slot_->easy(), chunk.data(), chunk.size(), &got);
  if (code != CURLE_OK) return fail(code);
  if (got == 0) {
    reason_ = "EOF";
    return State::ended;
  }
  out.append(chunk.data(), got);
  return State::progress;
}

CurlStream::State CurlStream::write(std::string_view bytes, std::size_t& written) {
  written = 0;
  const CURLcode code = curl_easy_send(slot_->easy(), bytes.data(), bytes.size(), &written);
  if (code != CURLE_OK) return fail(code);
  return written > 0 ? State::progress : State::blocked;
}

void CurlStream::wait(bool readable, bool writable, Milliseconds at_most) {
  pollfd waiting{};
  waiting.fd = socket_;
  waiting.events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
  // A signal ends it early, which is as good as a short wait.
  ::poll(&waiting, 1, static_cast<int>(std::max<Milliseconds::rep>(0, at_most.count())));
}

}  // namespace truenas::http
