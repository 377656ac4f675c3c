// TLS holds bytes that no poll sees and records that must be written again as they were.
#include "tests/unit/http/websocket_fixture.h"

namespace truenas::http {
namespace {

TEST_CASE("over TLS with a client certificate, large messages both ways") {
  const fakes::CertificateAuthority authority("ca"), clients("clients");
  const std::string large(3u << 20, 'z');
  ScriptedServer server(after_handshake([&](Peer& peer) {
                          const ClientFrame frame = read_client_frame(peer);
                          for (std::size_t at = 0; at < 5; ++at)
                            peer.write(server_frame(k_binary, frame.payload));
                          peer.write(server_frame(k_close, std::string("\x03\xe8")));
                          peer.wait_until_gone();
                        }),
                        fakes::TlsSettings{authority.issue(), clients.pem()});
  Endpoint endpoint = plain_endpoint(server);
  endpoint.scheme = "https";
  endpoint.ca_pem = authority.pem();
  const auto identity = clients.issue();
  endpoint.certificate_pem = identity.certificate_pem;
  endpoint.key_pem = Secret(identity.key_pem);
  auto socket = open(endpoint);  // outlives its transport
  REQUIRE(socket->send(large).ok());
  for (int i = 0; i < 5; ++i) CHECK(next_of(*socket).data == large);
  CHECK(next_of(*socket).close_code == 1000);
}

TEST_CASE("over TLS an end without a close frame is 1006, and sending then an error") {
  const fakes::CertificateAuthority authority("ca");
  ScriptedServer server(after_handshake([](Peer& peer) {
                          read_client_frame(peer);
                          peer.reset();
                        }),
                        fakes::TlsSettings{authority.issue()});
  Endpoint endpoint = plain_endpoint(server);
  endpoint.scheme = "https";
  endpoint.ca_pem = authority.pem();
  auto socket = open(endpoint);
  REQUIRE(socket->send("x").ok());
  CHECK(next_of(*socket).close_code == 1006);
  Result<void> sent;
  for (int i = 0; i < 100 && sent.ok(); ++i) sent = socket->send(std::string(65536, 'x'));
  CHECK_FALSE(sent.ok());
}

}  // namespace
}  // namespace truenas::http
