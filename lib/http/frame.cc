#include "lib/http/frame.h"

#include <fmt/format.h>

namespace truenas::http {
namespace {

constexpr std::size_t k_control_limit = 125;
constexpr std::uint8_t k_final = 0x80, k_reserved = 0x70, k_opcode = 0x0f, k_masked = 0x80, k_length = 0x7f;

Error broken(std::string_view what) {
  return make_error(Kind::format, fmt::format("the server breaks the WebSocket protocol: {}", what));
}

void append_big_endian(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<std::uint8_t>(c);
  return number;
}

bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

bool is_known(std::uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

}  // namespace

std::string encode_frame(Opcode opcode, std::string_view payload, std::uint32_t mask) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame += static_cast<char>(k_final | static_cast<std::uint8_t>(opcode));
  if (payload.size() <= k_control_limit) {
    frame += static_cast<char>(k_masked | payload.size());
  } else if (payload.size() <= 0xffff) {
    frame += static_cast<char>(k_masked | 126);
    append_big_endian(frame, payload.size(), 2);
  } else {
    frame += static_cast<char>(k_masked | 127);
    append_big_endian(frame, payload.size(), 8);
  }
  append_big_endian(frame, mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    const auto key = static_cast<std::uint8_t>(mask >> (24 - 8 * (i % 4)));
    frame += static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ key);
  }
  return frame;
}

std::string close_payload(int code, std::string_view reason) {
  std::string payload;
  append_big_endian(payload, static_cast<std::uint64_t>(code), 2);
  payload += reason.substr(0, k_control_limit - 2);
  return payload;
}

void FrameReader::feed(std::string_view bytes) {
  if (start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_ += bytes;
}

Result<std::optional<FrameReader::Head>> FrameReader::read_head() const {
  const std::string_view bytes = std::string_view(buffer_).substr(start_);
  if (bytes.size() < 2) return std::optional<Head>();
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto second = static_cast<std::uint8_t>(bytes[1]);
  if ((first & k_reserved) != 0) return broken("a reserved bit is set");
  if (!is_known(first & k_opcode)) return broken(fmt::format("unknown opcode {}", first & k_opcode));
  if ((second & k_masked) != 0) return broken("a frame is masked");
  Head head;
  head.final = (first & k_final) != 0;
  head.opcode = static_cast<Opcode>(first & k_opcode);
  const int short_length = second & k_length;
  const std::size_t extra = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
  head.head_size = 2 + extra;
  if (bytes.size() < head.head_size) return std::optional<Head>();
  const std::uint64_t size =
      extra == 0 ? static_cast<std::uint64_t>(short_length) : read_big_endian(bytes.substr(2, extra));
  if (is_control(head.opcode) && (!head.final || size > k_control_limit)) {
    return broken("a control frame is fragmented or too long");
  }
  if (size > k_message_limit - message_.size()) return broken("a message is larger than 64 MiB");
  head.payload_size = static_cast<std::size_t>(size);
  return std::optional<Head>(head);
}

Result<std::optional<Incoming>> FrameReader::take_control(const Head& head, std::string_view payload) {
  Incoming incoming;
  incoming.opcode = head.opcode;
  if (head.opcode == Opcode::close) {
    if (payload.size() == 1) return broken("a close frame with half a code");
    incoming.close_code = payload.empty() ? 1005 : static_cast<int>(read_big_endian(payload.substr(0, 2)));
    payload.remove_prefix(payload.empty() ? 0 : 2);
  }
  incoming.data = payload;
  return std::optional<Incoming>(std::move(incoming));
}

Result<std::optional<Incoming>> FrameReader::take_data(const Head& head, std::string_view payload) {
  if ((head.opcode == Opcode::continuation) != fragmented_) {
    return broken(fragmented_ ? "a new message within another" : "a continuation of nothing");
  }
  if (!fragmented_) message_opcode_ = head.opcode;
  fragmented_ = !head.final;
  message_ += payload;
  if (fragmented_) return std::optional<Incoming>();
  Incoming incoming;
  incoming.opcode = message_opcode_;
  incoming.data.swap(message_);
  return std::optional<Incoming>(std::move(incoming));
}

Result<std::optional<Incoming>> FrameReader::next() {
  while (true) {
    TM_TRY_ASSIGN(const std::optional<Head> head, read_head());
    if (!head) return std::optional<Incoming>();
    const std::size_t size = head->head_size + head->payload_size;
    if (buffer_.size() - start_ < size) return std::optional<Incoming>();
    const std::string_view payload =
        std::string_view(buffer_).substr(start_ + head->head_size, head->payload_size);
    start_ += size;
    if (is_control(head->opcode)) return take_control(*head, payload);
    TM_TRY_ASSIGN(std::optional<Incoming> message, take_data(*head, payload));
    if (message) return message;
  }
}

}  // namespace truenas::http
