#pragma once
// WebSocket framing (RFC 6455 §5), the client's half: what we send is one masked, unfragmented frame a
// message (F5, F7); what we receive may be fragmented anyhow and be cut anywhere by the network. Pure; no
// I/O.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace truenas::http {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// The largest message accepted, over all its fragments. The servers never send one half as large (F6).
inline constexpr std::size_t k_message_limit = 64u << 20;

// One frame with FIN set, masked with `mask` (which must be unpredictable: RFC 6455 §10.3).
std::string encode_frame(Opcode opcode, std::string_view payload, std::uint32_t mask);
// The payload of a close frame.
std::string close_payload(int code, std::string_view reason);

// A whole message or a control frame. For close: `data` is the reason, `close_code` 1005 when there was none.
struct Incoming {
  Opcode opcode = Opcode::binary;
  std::string data;
  int close_code = 0;
};

// Turns the bytes of a connection, fed in pieces of any size, into messages.
class FrameReader {
 public:
  void feed(std::string_view bytes);
  // The next whole message; nullopt when more bytes are needed. Kind::format for what RFC 6455 forbids a
  // server (masked frames, reserved bits, unknown opcodes, broken fragments, long control frames) and for
  // messages above the limit; the reader is then of no further use.
  Result<std::optional<Incoming>> next();
  // Bytes held: unread and of unfinished messages.
  std::size_t held() const { return buffer_.size() - start_ + message_.size(); }

 private:
  struct Head {
    bool final = false;
    Opcode opcode = Opcode::binary;
    std::size_t head_size = 0, payload_size = 0;
  };
  Result<std::optional<Head>> read_head() const;
  Result<std::optional<Incoming>> take_data(const Head& head, std::string_view payload);
  static Result<std::optional<Incoming>> take_control(const Head& head, std::string_view payload);

  std::string buffer_;
  std::size_t start_ = 0;  // of what was not consumed yet
  bool fragmented_ = false;
  Opcode message_opcode_ = Opcode::binary;
  std::string message_;
};

}  // namespace truenas::http
