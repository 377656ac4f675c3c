#pragma once
// A raw byte stream over a connection that libcurl dialled (TLS, proxy and all): CURLOPT_CONNECT_ONLY. What
// WebSockets run on, because Debian 12's libcurl has none (C1). Private to lib/http.

#include <array>
#include <memory>
#include <string>

#include "lib/http/curl_exchange_internal.h"
#include "lib/http/curl_options_internal.h"

namespace truenas::http {

class CurlStream {
 public:
  enum class State { progress, blocked, ended };

  // Dials. Errors as Transport::send before anything was sent.
  static Result<std::unique_ptr<CurlStream>> dial(std::shared_ptr<const Origin> origin,
                                                  const Request& request);
  CurlStream(const CurlStream&) = delete;
  CurlStream& operator=(const CurlStream&) = delete;
  // Appends what has arrived, at most some KiB. ended: end of file or an error, reason() says which.
  State read(std::string& out);
  // Writes a part of `bytes` and sets `written`. After `blocked` the very same bytes must come again (a TLS
  // record may be half written).
  State write(std::string_view bytes, std::size_t& written);
  // Until readable (or writable, if asked for), or the time is over. Read until blocked before: TLS may hold
  // bytes that no poll sees.
  void wait(bool readable, bool writable, Milliseconds at_most);
  const std::string& reason() const { return reason_; }

 private:
  CurlStream() = default;
  Result<void> start(const Request& request);
  State fail(CURLcode code);

  std::shared_ptr<const Origin> origin_;
  OptionLists lists_;
  std::array<char, CURL_ERROR_SIZE> curl_text_{};
  std::unique_ptr<Slot> slot_;  // last: destroyed before what its handle points to
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  std::string reason_;
};

}  // namespace truenas::http
