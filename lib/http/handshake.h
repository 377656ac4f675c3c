#pragma once
// The WebSocket opening handshake (RFC 6455 §4) as text: what is sent, and what a reply means. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/transport.h"

namespace truenas::http {

// The request head. `key` is the Sec-WebSocket-Key.
std::string render_upgrade(const Request& request, const std::string& host_header,
                           const std::string& user_agent, const std::string& key,
                           const std::vector<std::string>& protocols);
// What Sec-WebSocket-Accept must say for a key (§4.2.2).
std::string accept_for(std::string_view key);
// Reads "HTTP/1.1 403 …" and the headers, up to and without the empty line. Kind::format.
Result<Response> parse_head(std::string_view head);
// The subprotocol that a 101 agrees on. Kind::format when Upgrade, Connection or Accept are not as they must
// be, or when the protocol was not offered (X5).
Result<std::string> check_switch(const Response& head, std::string_view key,
                                 const std::vector<std::string>& protocols);
// The body of a refused upgrade out of the raw bytes after its head, by Content-Length or chunks; nullopt
// while more bytes are needed. `ended`: no more will come, so what there is has to do.
std::optional<std::string> refusal_body(const Response& head, std::string_view raw, bool ended);

}  // namespace truenas::http
