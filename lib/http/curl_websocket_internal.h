#pragma once
// The WebSocket that follows an accepted upgrade, and the upgrade itself. Private to lib/http.

#include <chrono>
#include <deque>

#include "lib/http/curl_stream_internal.h"
#include "lib/http/frame.h"

namespace truenas::http {

class CurlWebSocket : public WebSocket {
 public:
  // `leftover`: bytes that came together with the handshake's reply.
  CurlWebSocket(std::unique_ptr<CurlStream> stream, std::string protocol, std::string_view leftover,
                const Timings& timings, std::string server);
  ~CurlWebSocket() override;
  CurlWebSocket(const CurlWebSocket&) = delete;
  CurlWebSocket& operator=(const CurlWebSocket&) = delete;
  const std::string& protocol() const override { return protocol_; }
  Result<void> send(std::string_view data) override;
  Result<std::optional<Message>> receive(Milliseconds wait) override;
  void stop_pings() override { pinging_ = false; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  void queue(Opcode opcode, std::string_view payload);
  void flush();
  void read_available();
  Result<void> digest();
  void take_close(const Incoming& incoming);
  void connection_ended(const std::string& reason);
  void ping_if_due();
  // One turn of reading, answering and writing. An error ends the connection.
  Result<void> turn();
  Result<void> check_alive() const;
  bool stop_requested();
  bool has_room() const;
  Milliseconds next_look(Milliseconds left) const;

  std::unique_ptr<CurlStream> stream_;
  const std::string protocol_, server_;
  const Timings timings_;
  FrameReader reader_;
  std::deque<std::string> out_;  // whole frames; the first may be partly written
  std::size_t out_written_ = 0;
  std::deque<Message> inbox_;
  std::size_t inbox_bytes_ = 0;
  std::optional<Message> closed_;  // how it ended
  bool close_delivered_ = false;
  bool drained_ = false;       // the last reading ended because nothing was left
  bool write_failed_ = false;  // nothing can be sent any more
  bool sent_data_ = false;
  bool pinging_ = true;
  bool stop_reported_;
  TimePoint last_inbound_, last_ping_;
};

Result<Upgrade> upgrade_connection(const std::shared_ptr<const Origin>& origin, const Request& request,
                                   const std::vector<std::string>& protocols);

}  // namespace truenas::http
