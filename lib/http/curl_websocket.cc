#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/http/curl_websocket_internal.h"

namespace truenas::http {
namespace {

constexpr Milliseconds k_look_interval{200};
// Beyond this no more is read before the caller takes something (N3).
constexpr std::size_t k_inbox_limit = k_message_limit + (1u << 20);
// Of 64 KiB at most, so that writing and pings get their turn.
constexpr int k_pieces_a_turn = 16;

Milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
}

std::uint32_t random_mask() {
  thread_local std::random_device source;
  return source();
}

}  // namespace

CurlWebSocket::CurlWebSocket(std::unique_ptr<CurlStream> stream, std::string protocol,
                             std::string_view leftover, const Timings& timings, std::string server)
    : stream_(std::move(stream)),
      protocol_(std::move(protocol)),
      server_(std::move(server)),
      timings_(timings),
      stop_reported_(interrupted()),  // opened after the request to stop: clean-up, which runs
      last_inbound_(std::chrono::steady_clock::now()),
      last_ping_(last_inbound_) {
  reader_.feed(leftover);
}

CurlWebSocket::~CurlWebSocket() {
  if (closed_) return;
  queue(Opcode::close, close_payload(1000, ""));
  flush();
}

void CurlWebSocket::queue(Opcode opcode, std::string_view payload) {
  if (write_failed_) return;
  out_.push_back(encode_frame(opcode, payload, random_mask()));
}

void CurlWebSocket::flush() {
  while (!out_.empty()) {
    std::size_t written = 0;
    const auto state = stream_->write(std::string_view(out_.front()).substr(out_written_), written);
    if (state == CurlStream::State::blocked) return;
    if (state == CurlStream::State::ended) {
      // What the peer said before it went may still lie in the socket: only reading tells the end.
      write_failed_ = true;
      out_.clear();
      out_written_ = 0;
      return;
    }
    out_written_ += written;
    if (out_written_ < out_.front().size()) continue;
    out_.pop_front();
    out_written_ = 0;
  }
}

void CurlWebSocket::connection_ended(const std::string& reason) {
  if (closed_) return;
  Message message;
  message.type = Message::Type::closed;
  message.data = reason;
  message.close_code = 1006;
  closed_ = std::move(message);
}

void CurlWebSocket::take_close(const Incoming& incoming) {
  Message message;
  message.type = Message::Type::closed;
  message.data = incoming.data;
  message.close_code = incoming.close_code;
  closed_ = std::move(message);
  queue(Opcode::close, incoming.close_code == 1005 ? "" : close_payload(incoming.close_code, ""));
  flush();
}

void CurlWebSocket::read_available() {
  drained_ = false;
  for (int piece = 0; piece < k_pieces_a_turn && has_room(); ++piece) {
    std::string bytes;
    const auto state = stream_->read(bytes);
    drained_ = state == CurlStream::State::blocked;
    if (drained_) return;
    last_inbound_ = std::chrono::steady_clock::now();
    if (state == CurlStream::State::ended) return connection_ended(stream_->reason());
    reader_.feed(bytes);
  }
}

Result<void> CurlWebSocket::digest() {
  while (true) {
    auto next = reader_.next();
    if (!next.ok()) {
      queue(Opcode::close, close_payload(1002, ""));
      flush();
      connection_ended("protocol error");
      close_delivered_ = true;
      return next.error();
    }
    if (!*next) return {};
    Incoming& incoming = **next;
    if (incoming.opcode == Opcode::close) {
      take_close(incoming);
      return {};
    }
    if (incoming.opcode == Opcode::ping) queue(Opcode::pong, incoming.data);
    if (incoming.opcode != Opcode::text && incoming.opcode != Opcode::binary) continue;
    Message message;
    message.type = incoming.opcode == Opcode::text ? Message::Type::text : Message::Type::binary;
    message.data = std::move(incoming.data);
    inbox_bytes_ += message.data.size();
    inbox_.push_back(std::move(message));
  }
}

bool CurlWebSocket::has_room() const {
  return inbox_bytes_ + reader_.held() < k_inbox_limit;
}

void CurlWebSocket::ping_if_due() {
  if (!pinging_ || closed_ || since(last_ping_) < timings_.ping) return;
  last_ping_ = std::chrono::steady_clock::now();
  queue(Opcode::ping, "");
}

Result<void> CurlWebSocket::check_alive() const {
  const Milliseconds limit = sent_data_ ? timings_.blocked_silence : timings_.silence;
  if (since(last_inbound_) < limit) return {};
  return make_error(Kind::unavailable,
                    fmt::format("the server {} has shown no sign of life for {} ms", server_, limit.count()));
}

Result<void> CurlWebSocket::turn() {
  if (closed_) return {};
  // What came with the last read goes first: a close in it must not be overtaken by the end of the socket.
  TM_TRY(digest());
  if (closed_) return {};
  std::optional<Message> ended;
  read_available();
  if (closed_) ended.swap(closed_);  // the end of the socket comes after what was read before it
  TM_TRY(digest());
  if (ended && !closed_) closed_ = std::move(ended);
  if (closed_) return {};
  ping_if_due();
  flush();
  return check_alive();
}

bool CurlWebSocket::stop_requested() {
  if (stop_reported_ || !interrupted()) return false;
  stop_reported_ = true;
  return true;
}

Milliseconds CurlWebSocket::next_look(Milliseconds left) const {
  Milliseconds look = std::min(left, k_look_interval);
  if (pinging_) look = std::min(look, std::max(timings_.ping - since(last_ping_), Milliseconds(1)));
  return look;
}

Result<void> CurlWebSocket::send(std::string_view data) {
  queue(Opcode::binary, data);
  sent_data_ = true;
  while (true) {
    TM_TRY(turn());
    if (closed_) {
      return make_error(Kind::unavailable,
                        fmt::format("the server {} has closed the WebSocket ({} {})", server_,
                                    closed_->close_code, printable(closed_->data)));
    }
    if (write_failed_) {
      return make_error(Kind::unavailable, fmt::format("lost the WebSocket to the server {}", server_));
    }
    if (out_.empty()) return {};
    if (stop_requested()) return make_error(Kind::interrupted, "interrupted while sending to the server");
    // With a full inbox only the caller can make room, and it is here: then wait for the peer alone.
    stream_->wait(has_room(), true, has_room() && !drained_ ? Milliseconds(0) : next_look(k_look_interval));
  }
}

Result<std::optional<Message>> CurlWebSocket::receive(Milliseconds wait) {
  const TimePoint start = std::chrono::steady_clock::now();
  while (true) {
    if (inbox_.empty()) TM_TRY(turn());
    if (!inbox_.empty()) {
      Message message = std::move(inbox_.front());
      inbox_.pop_front();
      inbox_bytes_ -= message.data.size();
      return std::optional<Message>(std::move(message));
    }
    if (closed_) {
      if (close_delivered_) return make_error(Kind::format, "the WebSocket is closed already");
      close_delivered_ = true;
      return std::optional<Message>(*closed_);
    }
    if (stop_requested()) return make_error(Kind::interrupted, "interrupted while waiting for the server");
    const Milliseconds left = wait - since(start);
    if (left.count() <= 0) return std::optional<Message>();
    stream_->wait(true, !out_.empty(), drained_ ? next_look(left) : Milliseconds(0));
  }
}

}  // namespace truenas::http
