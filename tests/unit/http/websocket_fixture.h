#pragma once
// An open WebSocket to a scripted server, for the tests of its life.

#include "tests/unit/http/http_fixture.h"
#include "tests/unit/http/websocket_peer.h"

namespace truenas::http {

inline constexpr Milliseconds k_patience{20'000};  // a guard against hanging, never what a test waits for
inline constexpr int k_binary = 2, k_text = 1, k_close = 8, k_ping = 9, k_pong = 10;

// Shakes hands, then runs the script.
inline ScriptedServer::Script after_handshake(const ScriptedServer::Script& script) {
  return [script](Peer& peer) {
    const std::string head = peer.read_head();
    peer.write(switching(head, "v5.channel.k8s.io"));
    script(peer);
  };
}

inline std::unique_ptr<WebSocket> open(const Endpoint& endpoint) {
  auto upgrade = connect(endpoint)->upgrade(request_of("GET"), {"v5.channel.k8s.io"});
  REQUIRE_MESSAGE(upgrade.ok(), (upgrade.ok() ? "" : upgrade.error().what));
  REQUIRE(std::holds_alternative<std::unique_ptr<WebSocket>>(*upgrade));
  return std::get<0>(std::move(*upgrade));
}

inline Message next_of(WebSocket& socket) {
  auto message = socket.receive(k_patience);
  REQUIRE_MESSAGE(message.ok(), (message.ok() ? "" : message.error().what));
  REQUIRE(message->has_value());
  return **message;
}

}  // namespace truenas::http
