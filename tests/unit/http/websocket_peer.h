#pragma once
// The server's half of a WebSocket, written out by hand so that it can also be wrong.

#include <string>

#include "lib/http/handshake.h"
#include "tests/fakes/scripted_server.h"

namespace truenas::http {

// An unmasked frame, as servers send them; any opcode.
inline std::string server_frame(int opcode, const std::string& payload, bool final = true) {
  std::string frame;
  frame += static_cast<char>((final ? 0x80 : 0) | opcode);
  const std::size_t size = payload.size();
  const int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  frame += static_cast<char>(bytes == 0 ? size : bytes == 2 ? 126 : 127);
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xff);
  return frame + payload;
}

// A frame as the client sent it; opcode -1 when the connection ended.
struct ClientFrame {
  int opcode = -1;
  bool final = false, masked = false;
  std::string payload;
};

inline ClientFrame read_client_frame(fakes::Peer& peer) {
  ClientFrame frame;
  const std::string head = peer.read_exactly(2);
  if (head.size() < 2) return frame;
  const auto byte = [](const std::string& text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
  };
  frame.final = (byte(head, 0) & 0x80) != 0;
  frame.masked = (byte(head, 1) & 0x80) != 0;
  std::size_t size = byte(head, 1) & 0x7fu;
  if (size >= 126) {
    const std::string extended = peer.read_exactly(size == 126 ? 2 : 8);
    size = 0;
    for (std::size_t i = 0; i < extended.size(); ++i) size = size << 8 | byte(extended, i);
  }
  const std::string mask = frame.masked ? peer.read_exactly(4) : std::string(4, '\0');
  frame.payload = peer.read_exactly(size);
  if (mask.size() < 4 || frame.payload.size() < size) return ClientFrame();
  for (std::size_t i = 0; i < size; ++i) frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
  frame.opcode = byte(head, 0) & 15;
  return frame;
}

inline std::string header_of(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t start = at + name.size() + 4;
  return head.substr(start, head.find("\r\n", start) - start);
}

// The 101 that belongs to a request head; "" leaves the subprotocol out.
inline std::string switching(const std::string& request_head, const std::string& protocol) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         accept_for(header_of(request_head, "Sec-WebSocket-Key")) + "\r\n" +
         (protocol.empty() ? "" : "Sec-WebSocket-Protocol: " + protocol + "\r\n") + "\r\n";
}

}  // namespace truenas::http
