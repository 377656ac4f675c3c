#include "lib/http/handshake.h"

#include <fmt/format.h>

#include <cstdlib>

#include "lib/base/text.h"
#include "lib/http/sha1.h"

namespace truenas::http {
namespace {

constexpr std::size_t k_body_limit = 64u << 10;  // X6

Error bad_reply(std::string_view why) {
  return make_error(Kind::format,
                    fmt::format("the server's reply to the WebSocket upgrade is not valid: {}", why));
}

// Whether a comma-separated header holds a token, case-insensitively.
bool has_token(const std::string& header, std::string_view token) {
  for (const std::string& part : split(header, ',')) {
    if (lower(trim(part)) == token) return true;
  }
  return false;
}

std::size_t parse_hex(std::string_view digits) {
  return std::strtoull(std::string(digits).c_str(), nullptr, 16);
}

// As much of a chunked body as there is; sets `whole` once the last chunk was seen.
std::string decode_chunks(std::string_view raw, bool& whole) {
  std::string body;
  whole = false;
  while (body.size() < k_body_limit) {
    const std::size_t line_end = raw.find("\r\n");
    if (line_end == std::string_view::npos) return body;
    const std::size_t size = parse_hex(raw.substr(0, line_end));
    raw.remove_prefix(line_end + 2);
    if (size == 0) break;
    body += raw.substr(0, size);
    if (raw.size() < size || raw.size() - size < 2) return body;
    raw.remove_prefix(size + 2);
  }
  whole = true;
  return body;
}

}  // namespace

std::string render_upgrade(const Request& request, const std::string& host_header,
                           const std::string& user_agent, const std::string& key,
                           const std::vector<std::string>& protocols) {
  std::string head = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
      request.target, host_header, key);
  if (!protocols.empty()) head += fmt::format("Sec-WebSocket-Protocol: {}\r\n", join(protocols, ", "));
  if (!user_agent.empty()) head += fmt::format("User-Agent: {}\r\n", user_agent);
  for (const auto& [name, value] : request.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (!request.authorization.empty()) {
    head += fmt::format("{}: {}\r\n", request.authorization_header, request.authorization.reveal());
  }
  return head + "\r\n";
}

std::string accept_for(std::string_view key) {
  return base64_encode(sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

Result<Response> parse_head(std::string_view head) {
  Response response;
  const std::vector<std::string> lines = split(head, '\n');
  const std::string_view first = trim(lines.front());
  const bool is_http = first.rfind("HTTP/1.", 0) == 0 && first.size() >= 12 && first[8] == ' ';
  if (is_http)
    response.status = static_cast<int>(std::strtol(std::string(first.substr(9, 3)).c_str(), nullptr, 10));
  if (response.status < 100) return bad_reply("it is not HTTP/1.1");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    response.headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return response;
}

Result<std::string> check_switch(const Response& head, std::string_view key,
                                 const std::vector<std::string>& protocols) {
  if (lower(head.header("Upgrade")) != "websocket") return bad_reply("it does not upgrade to websocket");
  if (!has_token(head.header("Connection"), "upgrade"))
    return bad_reply("its Connection header lacks Upgrade");
  if (head.header("Sec-WebSocket-Accept") != accept_for(key))
    return bad_reply("its Sec-WebSocket-Accept is wrong");
  if (!head.header("Sec-WebSocket-Extensions").empty())
    return bad_reply("it uses extensions that nobody offered");
  const std::string protocol = head.header("Sec-WebSocket-Protocol");
  for (const std::string& offered : protocols) {
    if (protocol == offered) return protocol;
  }
  if (protocol.empty() && protocols.empty()) return protocol;
  return bad_reply(fmt::format("invalid protocol, expected one of [{}], got {}", join(protocols, " "),
                               quote(protocol)));  // client-go's text
}

std::optional<std::string> refusal_body(const Response& head, std::string_view raw, bool ended) {
  if (lower(head.header("Transfer-Encoding")) == "chunked") {
    bool whole = false;
    std::string body = decode_chunks(raw, whole);
    if (!whole && !ended) return std::nullopt;
    body.resize(std::min(body.size(), k_body_limit));
    return body;
  }
  const std::string length = head.header("Content-Length");
  const std::size_t wanted =
      length.empty() ? k_body_limit
                     : std::min<std::size_t>(k_body_limit, std::strtoull(length.c_str(), nullptr, 10));
  if (raw.size() < wanted && !ended) return std::nullopt;
  return std::string(raw.substr(0, wanted));
}

}  // namespace truenas::http
