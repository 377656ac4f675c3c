// Connections through proxies (P1): who sees which name, and that no credential reaches a proxy that merely
// passes TLS on.
#include <cstdlib>

#include "tests/unit/http/http_fixture.h"
#include "tests/unit/http/websocket_peer.h"

namespace truenas::http {
namespace {

constexpr const char* k_host = "api.example";  // known to the proxy alone

// Sets an environment variable for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

Endpoint behind(const std::string& scheme, const ScriptedServer& proxy) {
  Endpoint endpoint;
  endpoint.scheme = "http";
  endpoint.host = k_host;
  endpoint.port = 6443;
  endpoint.proxy = scheme + "://127.0.0.1:" + std::to_string(proxy.port());
  endpoint.proxy_from_environment = false;
  return endpoint;
}

Request secret_request() {
  Request request = request_of("GET");
  request.authorization = Secret("Bearer hunter2");
  return request;
}

TEST_CASE("socks5 lets the proxy resolve the name, as Go does") {
  std::string asked;
  ScriptedServer proxy([&](Peer& peer) {
    const std::string greeting = peer.read_exactly(2);
    peer.read_exactly(static_cast<std::size_t>(greeting[1]));
    peer.write(std::string("\x05\x00", 2));
    const std::string head = peer.read_exactly(5);  // version, connect, 0, 3 = name, length
    asked = head.substr(3, 1) + peer.read_exactly(static_cast<std::size_t>(head[4]) + 2);
    peer.write(std::string("\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00", 10));
    peer.read_request();
    peer.reply("200 OK", "through");
    peer.wait_until_gone();
  });
  auto transport = connect(behind("socks5", proxy));
  const auto response = transport->send(request_of("GET"));
  REQUIRE_MESSAGE(response.ok(), (response.ok() ? "" : response.error().what));
  CHECK(response->body == "through");
  CHECK(asked == "\x03" + std::string(k_host) + "\x19\x2b");  // port 6443
}

TEST_CASE(
    "https through an http proxy: CONNECT to the real host, without credentials, also with a server name") {
  std::string connect_head;
  ScriptedServer proxy([&](Peer& peer) {
    connect_head = peer.read_head();
    peer.write("HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n");
    peer.wait_until_gone();
  });
  Endpoint endpoint = behind("http", proxy);
  endpoint.scheme = "https";
  endpoint.tls_server_name = "other.example";
  endpoint.timings.connect = Milliseconds(300);  // the proxy never shakes hands
  const auto response = connect(endpoint)->send(secret_request());
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().kind == Kind::unavailable);
  CHECK(connect_head.rfind("CONNECT api.example:6443 HTTP/1.1\r\n", 0) == 0);
  CHECK_FALSE(contains(connect_head, "hunter2"));
}

TEST_CASE("a WebSocket goes through an http proxy in a tunnel") {
  std::string connect_head;
  ScriptedServer proxy([&](Peer& peer) {
    connect_head = peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    peer.write(switching(peer.read_head(), "v5.channel.k8s.io"));
    peer.write(server_frame(2, "inside"));
    peer.wait_until_gone();
  });
  auto upgrade = connect(behind("http", proxy))->upgrade(secret_request(), {"v5.channel.k8s.io"});
  REQUIRE_MESSAGE(upgrade.ok(), (upgrade.ok() ? "" : upgrade.error().what));
  REQUIRE(std::holds_alternative<std::unique_ptr<WebSocket>>(*upgrade));
  const auto message = std::get<0>(*upgrade)->receive(Milliseconds(20'000));
  REQUIRE(message.ok());
  CHECK((*message)->data == "inside");
  CHECK(connect_head.rfind("CONNECT api.example:6443 HTTP/1.1\r\n", 0) == 0);
  CHECK_FALSE(contains(connect_head, "hunter2"));
}

TEST_CASE("a proxy that says no, or is not there, is named as the proxy") {
  ScriptedServer proxy([](Peer& peer) {
    peer.read_head();
    peer.reply("407 Proxy Authentication Required", "no");
  });
  Endpoint endpoint = behind("http", proxy);
  endpoint.scheme = "https";
  const auto refused = connect(endpoint)->send(request_of("POST"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::unavailable);
  CHECK(contains(refused.error().what, "407"));
  CHECK(contains(refused.error().what, "proxy"));
  proxy.stop();
  const auto absent = connect(endpoint)->send(request_of("POST"));
  REQUIRE_FALSE(absent.ok());
  CHECK(absent.error().kind == Kind::unavailable);
  CHECK(contains(absent.error().what, "unable to connect to the server: through the proxy"));
}

TEST_CASE("the environment's proxy is used, NO_PROXY respected, and a proxy of the kubeconfig wins") {
  ScriptedServer from_environment([](Peer& peer) {
    peer.read_request();
    peer.reply("200 OK", "environment");
  });
  ScriptedServer from_config([](Peer& peer) {
    peer.read_request();
    peer.reply("200 OK", "config");
  });
  const Variable proxy("HTTP_PROXY", "127.0.0.1:" + std::to_string(from_environment.port()));
  Endpoint endpoint = behind("http", from_config);
  endpoint.proxy_from_environment = true;
  CHECK(connect(endpoint)->send(request_of("GET"))->body == "config");
  endpoint.proxy.clear();
  CHECK(connect(endpoint)->send(request_of("GET"))->body == "environment");
  const Variable exception("NO_PROXY", "10.0.0.0/8,.example");
  endpoint.host = "api.example.invalid";  // not excepted
  CHECK(connect(endpoint)->send(request_of("GET"))->body == "environment");
  endpoint.host = "nowhere.example";
  const auto direct = connect(endpoint)->send(request_of("GET"));
  REQUIRE_FALSE(direct.ok());
  CHECK(contains(direct.error().what, "lookup nowhere.example"));
  CHECK(from_environment.connections() == 2);
}

}  // namespace
}  // namespace truenas::http
