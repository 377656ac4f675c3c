#pragma once
// One connection of HttpServer: requests in, responses out, WebSocket frames. Private to it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/transport.h"

namespace truenas::fakes {

class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  // The next request, without the hop's own headers; nullopt at the end or when it is malformed.
  std::optional<http::Request> read_request();
  bool write_response(const http::Response& response);
  // In chunks, beginning with the response's body; until `rest` gives none.
  bool write_stream(const http::Response& response, const std::function<std::optional<std::string>()>& rest);
  // Answers the handshake and carries frames until either side closes.
  void carry(const http::Request& request, http::WebSocket& socket);

 private:
  struct Frame {
    unsigned opcode = 0;
    std::string payload;
  };
  bool fill();
  std::optional<std::string> take(std::size_t count);
  std::optional<std::string> take_head();
  bool write(std::string_view bytes);
  std::optional<Frame> read_frame();
  bool write_frame(unsigned opcode, std::string_view payload);
  bool flush(http::WebSocket& socket);

  int socket_;
  std::string buffer_;
};

std::string request_header(const http::Request& request, std::string_view name);
std::vector<std::string> offered_protocols(const http::Request& request);

}  // namespace truenas::fakes
