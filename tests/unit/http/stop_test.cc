// What a request to stop (Ctrl-C) does to exchanges: a read ends, a write in flight is waited for, clean-up
// runs.
#include "tests/unit/http/http_fixture.h"

namespace truenas::http {
namespace {

Error error_of(const Result<Response>& response) {
  REQUIRE_FALSE(response.ok());
  return response.error();
}

TEST_CASE("a stop request ends a read at once") {
  Interrupt interrupt;
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    interrupt.now();
    peer.wait_until_gone();
  });
  CHECK(error_of(connect(plain_endpoint(server))->send(request_of("GET"))).kind == Kind::interrupted);
}

TEST_CASE("a write in flight gets its reply although a stop was asked for") {
  Interrupt interrupt;
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    interrupt.now();
    peer.reply("201 Created", "{}");
  });
  const auto response = connect(plain_endpoint(server))->send(request_of("POST"));
  REQUIRE(response.ok());
  CHECK(response->status == 201);
}

TEST_CASE("a write whose reply does not come after a stop request has an unknown outcome") {
  Interrupt interrupt;
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    interrupt.now();
    peer.wait_until_gone();
  });
  CHECK(error_of(connect(plain_endpoint(server))->send(request_of("DELETE"))).kind == Kind::outcome_unknown);
}

TEST_CASE("clean-up does not wait for ever either") {
  Interrupt interrupt;
  interrupt.now();
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.wait_until_gone();
  });
  Endpoint endpoint = plain_endpoint(server);
  endpoint.timings.clean_up = Milliseconds(200);
  auto transport = connect(endpoint);
  CHECK(error_of(transport->send(request_of("GET"))).kind == Kind::interrupted);
  CHECK(error_of(transport->send(request_of("PATCH"))).kind == Kind::outcome_unknown);
}

TEST_CASE("clean-up after a stop request still reaches the server; a watch does not start") {
  Interrupt interrupt;
  interrupt.now();
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.reply("200 OK", "{}");
    peer.wait_until_gone();
  });
  auto transport = connect(plain_endpoint(server));
  CHECK(transport->send(request_of("PATCH")).ok());
  Request watch = request_of("GET");
  watch.stall = Milliseconds(20'000);
  CHECK(error_of(transport->send(watch)).kind == Kind::interrupted);
}

}  // namespace
}  // namespace truenas::http
