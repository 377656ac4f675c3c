// The opening handshake: what is sent, what is believed, and what a refusal tells.
#include "tests/unit/http/http_fixture.h"
#include "tests/unit/http/websocket_peer.h"

namespace truenas::http {
namespace {

const std::vector<std::string> k_offered = {"v5.channel.k8s.io", "v4.channel.k8s.io"};

Request exec_request() {
  Request request = request_of("GET", "/api/v1/namespaces/n/pods/p/exec?command=sh");
  request.authorization = Secret("Bearer hunter2");
  request.headers = {{"Impersonate-User", "jane"}};
  return request;
}

Result<Upgrade> upgrade_against(const ScriptedServer::Script& script) {
  ScriptedServer server(script);
  return connect(plain_endpoint(server))->upgrade(exec_request(), k_offered);
}

Response refusal_of(Result<Upgrade> upgrade) {
  REQUIRE_MESSAGE(upgrade.ok(), upgrade.error().what);
  REQUIRE(std::holds_alternative<Response>(*upgrade));
  return std::get<Response>(std::move(*upgrade));
}

Error error_of(const Result<Upgrade>& upgrade) {
  REQUIRE_FALSE(upgrade.ok());
  return upgrade.error();
}

TEST_CASE("the handshake carries everything (X1, X2, A7) and the chosen protocol comes back") {
  std::string head;
  ScriptedServer server([&](Peer& peer) {
    head = peer.read_head();
    peer.write(switching(head, "v4.channel.k8s.io"));
    peer.wait_until_gone();
  });
  auto upgrade = connect(plain_endpoint(server))->upgrade(exec_request(), k_offered);
  REQUIRE_MESSAGE(upgrade.ok(), upgrade.error().what);
  REQUIRE(std::holds_alternative<std::unique_ptr<WebSocket>>(*upgrade));
  CHECK(std::get<0>(*upgrade)->protocol() == "v4.channel.k8s.io");
  std::get<0>(*upgrade).reset();
  server.stop();
  CHECK(head.rfind("GET /api/v1/namespaces/n/pods/p/exec?command=sh HTTP/1.1\r\n", 0) == 0);
  CHECK(header_of(head, "Host") == "127.0.0.1:" + std::to_string(server.port()));
  CHECK(header_of(head, "Connection") == "Upgrade");
  CHECK(header_of(head, "Upgrade") == "websocket");
  CHECK(header_of(head, "Sec-WebSocket-Version") == "13");
  CHECK(header_of(head, "Sec-WebSocket-Protocol") == "v5.channel.k8s.io, v4.channel.k8s.io");
  CHECK(base64_decode(header_of(head, "Sec-WebSocket-Key")).value().size() == 16);
  CHECK(header_of(head, "Authorization") == "Bearer hunter2");
  CHECK(header_of(head, "Impersonate-User") == "jane");
  CHECK(header_of(head, "User-Agent") == "test/v0");
  CHECK_FALSE(contains(lower(head), "sec-websocket-extensions"));
}

TEST_CASE("a 101 that does not prove itself is not believed (C3, X5)") {
  struct Row {
    const char *from, *to, *wanted;
  };
  const Row rows[] = {
      {"v5.channel.k8s.io", "v3.channel.k8s.io", "expected one of [v5.channel.k8s.io v4.channel.k8s.io]"},
      {"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n", "", "got \"\""},
      {"Upgrade: websocket", "Upgrade: SPDY/3.1", "does not upgrade to websocket"},
      {"Connection: Upgrade", "Connection: close", "lacks Upgrade"},
      {"Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x", "Sec-WebSocket-Accept is wrong"},
      {"Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate",
       "extensions"},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.to));
    const Error error = error_of(upgrade_against([&](Peer& peer) {
      std::string reply = switching(peer.read_head(), "v5.channel.k8s.io");
      reply.replace(reply.find(row.from), std::string(row.from).size(), row.to);
      peer.write(reply);
      peer.wait_until_gone();
    }));
    CHECK(error.kind == Kind::format);
    CAPTURE(error.what);
    CHECK(contains(error.what, row.wanted));
  }
}

TEST_CASE("a refusal with an empty body (X3)") {
  const Response refusal = refusal_of(upgrade_against([](Peer& peer) {
    peer.read_head();
    peer.reply("403 Forbidden", "");
    peer.wait_until_gone();
  }));
  CHECK(refusal.status == 403);
  CHECK(refusal.body.empty());
}

TEST_CASE("a refusal with a Status body, by length, by chunks or by the end (X6)") {
  const std::string status = R"({"kind":"Status","message":"pods \"p\" is forbidden"})";
  const Response by_length = refusal_of(upgrade_against([&](Peer& peer) {
    peer.read_head();
    peer.reply("403 Forbidden", status, "Content-Type: application/json\r\n");
    peer.wait_until_gone();
  }));
  CHECK(by_length.status == 403);
  CHECK(by_length.header("content-type") == "application/json");
  CHECK(by_length.body == status);
  const Response by_chunks = refusal_of(upgrade_against([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char c : status) peer.write("1\r\n" + std::string(1, c) + "\r\n");
    peer.write("0\r\n\r\n");
    peer.wait_until_gone();
  }));
  CHECK(by_chunks.body == status);
  const Response by_end = refusal_of(upgrade_against([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>");
  }));
  CHECK(by_end.status == 502);
  CHECK(by_end.body == "<html>");
}

TEST_CASE("a refusal's endless body is cut at 64 KiB") {
  const Response refusal = refusal_of(upgrade_against([](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 500 Internal Server Error\r\n\r\n");
    while (peer.write(std::string(8192, 'x'))) {
    }
  }));
  CHECK(refusal.body.size() == 65536);
}

TEST_CASE("an upgrade counts as a write: without a reply the command may be running") {
  for (const bool reset : {false, true}) {
    const Error error = error_of(upgrade_against([&](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 101 Swit");
      if (reset) peer.reset();
    }));
    CHECK(error.kind == Kind::outcome_unknown);
    CHECK(contains(error.what, "/api/v1/namespaces/n/pods/p/exec"));
  }
  ScriptedServer silent([](Peer& peer) {
    peer.read_head();
    peer.wait_until_gone();
  });
  Request request = exec_request();
  request.timeout = Milliseconds(300);
  const Error error = error_of(connect(plain_endpoint(silent))->upgrade(request, k_offered));
  CHECK(error.kind == Kind::outcome_unknown);
  CHECK(contains(error.what, "did not answer in time"));
}

TEST_CASE("before the handshake is sent, nothing has started") {
  ScriptedServer gone([](Peer&) {});
  const Endpoint endpoint = plain_endpoint(gone);
  gone.stop();
  const Error refused = error_of(connect(endpoint)->upgrade(exec_request(), k_offered));
  CHECK(refused.kind == Kind::unavailable);
  CHECK(contains(refused.what, "was refused - did you specify the right host or port?"));
  Request broken = exec_request();
  broken.authorization = Secret("Bearer a\r\nb");
  CHECK(error_of(connect(endpoint)->upgrade(broken, k_offered)).kind == Kind::config);
}

TEST_CASE("a stop request during the handshake gives the reply a moment, then the outcome is unknown") {
  Interrupt interrupt;
  const Error error = error_of(upgrade_against([&](Peer& peer) {
    peer.read_head();
    interrupt.now();
    peer.wait_until_gone();
  }));
  CHECK(error.kind == Kind::outcome_unknown);
}

}  // namespace
}  // namespace truenas::http
