// An open WebSocket against a server that may be slow, chatty, silent or wrong.
#include "lib/http/frame.h"
#include "tests/unit/http/websocket_fixture.h"

namespace truenas::http {
namespace {

TEST_CASE("messages arrive whole and in order, however the network cuts them") {
  const std::string large(300'000, 'y');
  const std::string bytes = server_frame(k_binary, std::string("\x01", 1)) + server_frame(k_text, "text") +
                            server_frame(k_binary, large) + server_frame(k_binary, "fra", false) +
                            server_frame(k_ping, "") + server_frame(0, "gment") +
                            server_frame(k_close, std::string("\x03\xe8"
                                                              "done"));
  for (const std::size_t step : {std::size_t(1), std::size_t(1000), bytes.size()}) {
    CAPTURE(step);
    const std::size_t slow = step == 1 ? 400 : bytes.size();  // byte by byte only at the start
    ScriptedServer server([&](Peer& peer) {
      // The first bytes ride in the handshake's own packet.
      const std::string head = peer.read_head();
      peer.write(switching(head, "v5.channel.k8s.io") + bytes.substr(0, 10));
      std::size_t at = 10;
      for (; at < slow; at += step) peer.write(bytes.substr(at, std::min(step, slow - at)));
      peer.write(bytes.substr(std::min(at, bytes.size())));
      peer.wait_until_gone();
    });
    auto socket = open(plain_endpoint(server));
    CHECK(next_of(*socket).data == std::string("\x01", 1));
    const Message text = next_of(*socket);
    CHECK(text.type == Message::Type::text);
    CHECK(text.data == "text");
    CHECK(next_of(*socket).data == large);
    CHECK(next_of(*socket).data == "fragment");
    const Message closed = next_of(*socket);
    CHECK(closed.type == Message::Type::closed);
    CHECK(closed.close_code == 1000);
    CHECK(closed.data == "done");
    CHECK_FALSE(socket->receive(Milliseconds(0)).ok());
    CHECK(socket->send("late").error().kind == Kind::unavailable);
  }
}

TEST_CASE("what we send is one masked frame a message, and a ping is answered with its payload") {
  std::vector<ClientFrame> frames;
  ScriptedServer server(after_handshake([&](Peer& peer) {
    frames.push_back(read_client_frame(peer));
    frames.push_back(read_client_frame(peer));
    peer.write(server_frame(k_ping, "are you there"));
    frames.push_back(read_client_frame(peer));
    peer.write(server_frame(k_close, std::string("\x03\xe8")));
    frames.push_back(read_client_frame(peer));
  }));
  auto socket = open(plain_endpoint(server));
  const std::string chunk = std::string(1, '\0') + std::string(32768, 's');
  REQUIRE(socket->send(chunk).ok());
  REQUIRE(socket->send(std::string_view("\xff\x00", 2)).ok());
  CHECK(next_of(*socket).close_code == 1000);
  socket.reset();
  server.stop();
  REQUIRE(frames.size() == 4);
  for (const ClientFrame& frame : frames) {
    CHECK(frame.final);
    CHECK(frame.masked);
  }
  CHECK(frames[0].opcode == k_binary);
  CHECK(frames[0].payload == chunk);
  CHECK(frames[1].payload == std::string("\xff\x00", 2));
  CHECK(frames[2].opcode == k_pong);
  CHECK(frames[2].payload == "are you there");
  CHECK(frames[3].opcode == k_close);
  CHECK(frames[3].payload == "\x03\xe8");
}

TEST_CASE("a close without a code is 1005, an end without a close 1006") {
  ScriptedServer polite(after_handshake([](Peer& peer) {
    peer.write(server_frame(k_close, ""));
    peer.wait_until_gone();
  }));
  CHECK(next_of(*open(plain_endpoint(polite))).close_code == 1005);
  for (const bool reset : {false, true}) {
    ScriptedServer rude(after_handshake([&](Peer& peer) {
      peer.write(server_frame(k_binary, "\x01out"));
      peer.write(server_frame(k_binary, "never whole").substr(0, 5));
      // The client's word that it has read everything: an RST would drop what it has not.
      read_client_frame(peer);
      if (reset) peer.reset();
    }));
    auto socket = open(plain_endpoint(rude));
    CHECK(next_of(*socket).data == "\x01out");
    REQUIRE(socket->send("seen").ok());
    const Message closed = next_of(*socket);
    CHECK(closed.type == Message::Type::closed);
    CHECK(closed.close_code == 1006);
    CHECK_FALSE(closed.data.empty());
  }
}

TEST_CASE("a server that breaks the protocol is an error and is told so") {
  ClientFrame answer;
  ScriptedServer server(after_handshake([&](Peer& peer) {
    peer.write(encode_frame(Opcode::binary, "masked", 7));
    answer = read_client_frame(peer);
  }));
  auto socket = open(plain_endpoint(server));
  const auto message = socket->receive(k_patience);
  REQUIRE_FALSE(message.ok());
  CHECK(message.error().kind == Kind::format);
  CHECK_FALSE(socket->receive(Milliseconds(0)).ok());
  socket.reset();
  server.stop();
  CHECK(answer.opcode == k_close);
  CHECK(answer.payload == "\x03\xea");  // 1002
}

TEST_CASE("receive gives up after its wait, and goes on later") {
  ScriptedServer server(after_handshake([](Peer& peer) {
    read_client_frame(peer);
    peer.write(server_frame(k_binary, "now"));
    peer.wait_until_gone();
  }));
  auto socket = open(plain_endpoint(server));
  for (const int wait : {0, 50}) {
    const auto nothing = socket->receive(Milliseconds(wait));
    REQUIRE(nothing.ok());
    CHECK_FALSE(nothing->has_value());
  }
  REQUIRE(socket->send("go").ok());
  CHECK(next_of(*socket).data == "now");
}

TEST_CASE("an idle connection is kept alive by pings, until they are stopped (N1, N5)") {
  int pings = 0, others = 0;
  ScriptedServer server(after_handshake([&](Peer& peer) {
    while (pings < 3) {
      const ClientFrame frame = read_client_frame(peer);
      if (frame.opcode != k_ping || !frame.payload.empty() || !frame.masked) break;
      ++pings;
      peer.write(server_frame(k_pong, ""));
    }
    peer.write(server_frame(k_binary, "enough"));
    while (read_client_frame(peer).payload != "stopped") {
    }
    if (read_client_frame(peer).opcode == k_ping) ++others;
  }));
  Endpoint endpoint = plain_endpoint(server);
  endpoint.timings.ping = Milliseconds(20);
  auto socket = open(endpoint);
  CHECK(next_of(*socket).data == "enough");
  socket->stop_pings();
  REQUIRE(socket->send("stopped").ok());
  REQUIRE(socket->receive(Milliseconds(100)).ok());
  socket.reset();
  server.stop();
  CHECK(pings == 3);
  CHECK(others == 0);
}

TEST_CASE("a peer that shows no sign of life is given up") {
  ScriptedServer server(after_handshake([](Peer& peer) { peer.wait_until_gone(); }));
  Endpoint endpoint = plain_endpoint(server);
  endpoint.timings.ping = Milliseconds(20);
  endpoint.timings.silence = Milliseconds(200);
  const auto message = open(endpoint)->receive(k_patience);
  REQUIRE_FALSE(message.ok());
  CHECK(message.error().kind == Kind::unavailable);
}

TEST_CASE("sending much while the server sends much does not lock up") {
  const std::string large(4u << 20, 'd');
  bool arrived = false;
  ScriptedServer server(after_handshake([&](Peer& peer) {
    for (int i = 0; i < 4; ++i) peer.write(server_frame(k_binary, large));  // before it reads anything
    ClientFrame frame;
    std::size_t got = 0;
    while (got < 2 && (frame = read_client_frame(peer)).opcode != -1) {
      if (frame.opcode == k_binary && frame.payload == large) ++got;
    }
    arrived = got == 2;
    peer.write(server_frame(k_close, ""));
    peer.wait_until_gone();
  }));
  auto socket = open(plain_endpoint(server));
  REQUIRE(socket->send(large).ok());
  REQUIRE(socket->send(large).ok());
  for (int i = 0; i < 4; ++i) CHECK(next_of(*socket).data == large);
  CHECK(next_of(*socket).close_code == 1005);
  server.stop();
  CHECK(arrived);
}

TEST_CASE("sending to a server that has gone is an error, not a signal") {
  ScriptedServer server(after_handshake([](Peer& peer) { peer.reset(); }));
  auto socket = open(plain_endpoint(server));
  Result<void> sent;
  for (int i = 0; i < 100 && sent.ok(); ++i) sent = socket->send(std::string(65536, 'x'));
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().kind == Kind::unavailable);
}

TEST_CASE("a stop request is reported once, then the conversation can be finished") {
  Interrupt interrupt;
  ScriptedServer server(after_handshake([&](Peer& peer) {
    read_client_frame(peer);
    interrupt.now();
    read_client_frame(peer);
    peer.write(server_frame(k_binary, "result"));
    peer.wait_until_gone();
  }));
  auto socket = open(plain_endpoint(server));
  REQUIRE(socket->send("start").ok());
  const auto message = socket->receive(k_patience);
  REQUIRE_FALSE(message.ok());
  CHECK(message.error().kind == Kind::interrupted);
  REQUIRE(socket->send("cancel").ok());
  CHECK(next_of(*socket).data == "result");
}

}  // namespace
}  // namespace truenas::http
