#include "tests/fakes/connection.h"

#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

constexpr std::size_t k_request_limit = 64u << 20;
constexpr unsigned k_binary = 2, k_close = 8, k_ping = 9, k_pong = 10;

std::string accept_key(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::optional<http::Request> parse_head(const std::string& head) {
  std::vector<std::string> lines = split(head, '\n');
  const std::vector<std::string> first = split(trim(lines.front()), ' ');
  if (first.size() != 3) return std::nullopt;
  http::Request request;
  request.method = first[0];
  request.target = first[1];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    const std::size_t colon = line.find(':');
    if (line.empty() || colon == std::string_view::npos) continue;
    request.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return request;
}

}  // namespace

std::string request_header(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (lower(key) == lower(name)) return value;
  }
  return {};
}

std::vector<std::string> offered_protocols(const http::Request& request) {
  std::vector<std::string> protocols;
  for (const std::string& part : split(request_header(request, "Sec-WebSocket-Protocol"), ',')) {
    if (!trim(part).empty()) protocols.emplace_back(trim(part));
  }
  return protocols;
}

bool Connection::fill() {
  std::array<char, 65536> piece{};
  const ssize_t count = ::recv(socket_, piece.data(), piece.size(), 0);
  if (count <= 0) return false;
  buffer_.append(piece.data(), static_cast<std::size_t>(count));
  return buffer_.size() < k_request_limit;
}

std::optional<std::string> Connection::take(std::size_t count) {
  while (buffer_.size() < count) {
    if (!fill()) return std::nullopt;
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::optional<std::string> Connection::take_head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  return take(end + 4);
}

bool Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::optional<http::Request> Connection::read_request() {
  const std::optional<std::string> head = take_head();
  if (!head) return std::nullopt;
  std::optional<http::Request> request = parse_head(*head);
  if (!request) return std::nullopt;
  if (lower(request_header(*request, "Expect")) == "100-continue" &&
      !write("HTTP/1.1 100 Continue\r\n\r\n")) {
    return std::nullopt;
  }
  std::size_t length = 0;
  const std::string text = request_header(*request, "Content-Length");
  std::from_chars(text.data(), text.data() + text.size(), length);
  if (length > k_request_limit) return std::nullopt;
  std::optional<std::string> body = take(length);
  if (!body) return std::nullopt;
  request->body = std::move(*body);
  return request;
}

bool Connection::write_response(const http::Response& response) {
  std::string text = fmt::format("HTTP/1.1 {} Reply\r\n", response.status);
  for (const auto& [name, value] : response.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += fmt::format("Content-Length: {}\r\n\r\n", response.body.size());
  return write(text + response.body);
}

bool Connection::write_stream(const http::Response& response,
                              const std::function<std::optional<std::string>()>& rest) {
  std::string head = fmt::format("HTTP/1.1 {} Reply\r\n", response.status);
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (!write(head + "Transfer-Encoding: chunked\r\n\r\n")) return false;
  for (std::optional<std::string> piece = response.body; piece; piece = rest()) {
    if (!piece->empty() && !write(fmt::format("{:x}\r\n{}\r\n", piece->size(), *piece))) return false;
  }
  return write("0\r\n\r\n");
}

std::optional<Connection::Frame> Connection::read_frame() {
  const auto head = take(2);
  if (!head) return std::nullopt;
  const auto byte = [](char c) { return static_cast<unsigned char>(c); };
  Frame frame;
  frame.opcode = byte((*head)[0]) & 15u;
  std::uint64_t length = byte((*head)[1]) & 127u;
  if ((byte((*head)[1]) & 128u) == 0) return std::nullopt;  // F7: clients mask
  if (length >= 126) {
    const auto more = take(length == 126 ? 2 : 8);
    if (!more) return std::nullopt;
    length = 0;
    for (const char c : *more) length = length << 8 | byte(c);
  }
  if (length > k_request_limit) return std::nullopt;
  const auto mask = take(4);
  auto payload = take(mask ? static_cast<std::size_t>(length) : 0);
  if (!mask || !payload) return std::nullopt;
  for (std::size_t i = 0; i < payload->size(); ++i)
    (*payload)[i] = static_cast<char>((*payload)[i] ^ (*mask)[i % 4]);
  frame.payload = std::move(*payload);
  return frame;
}

bool Connection::write_frame(unsigned opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(128u | opcode));
  const int width = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
  frame += static_cast<char>(width == 0 ? payload.size() : width == 2 ? 126 : 127);
  for (int i = width - 1; i >= 0; --i) frame += static_cast<char>(payload.size() >> (8 * i) & 255u);
  return write(frame.append(payload));
}

// Hands on what the server's end has to say; false when the conversation is over.
bool Connection::flush(http::WebSocket& socket) {
  while (true) {
    const auto message = socket.receive(Milliseconds(0));
    if (!message.ok()) return false;
    if (!*message) return true;
    if ((*message)->type == http::Message::Type::closed) {
      // 1006 is no code to send: the connection just ends.
      if ((*message)->close_code != 1006) write_frame(k_close, std::string_view("\x03\xe8", 2));
      return false;
    }
    if (!write_frame(k_binary, (*message)->data)) return false;
  }
}

void Connection::carry(const http::Request& request, http::WebSocket& socket) {
  if (!write(fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
                         accept_key(request_header(request, "Sec-WebSocket-Key")), socket.protocol()))) {
    return;
  }
  while (flush(socket)) {
    const std::optional<Frame> frame = read_frame();
    if (!frame || frame->opcode == k_close) return;
    if (frame->opcode == k_ping && !write_frame(k_pong, frame->payload)) return;
    if (frame->opcode == k_binary && !socket.send(frame->payload).ok()) return;
  }
}

}  // namespace truenas::fakes
