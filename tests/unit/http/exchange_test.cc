// What a well-behaved server must see and what its replies become.
#include <atomic>
#include <thread>

#include "tests/unit/http/http_fixture.h"

namespace truenas::http {
namespace {

std::string first_line(const std::string& head) {
  return head.substr(0, head.find("\r\n"));
}

// Replies 200 with the request itself, until the client goes.
void echo(Peer& peer) {
  while (true) {
    const std::string request = peer.read_request();
    if (request.empty()) return;
    peer.reply("200 OK", request, "Content-Type: text/plain\r\nX-Twice: a\r\nX-Twice: b\r\n");
  }
}

TEST_CASE("a request arrives as written") {
  ScriptedServer server(echo);
  auto transport = connect(plain_endpoint(server));
  Request request = request_of("PATCH", "/k8s/c-1/api/v1/../x?a=b%2Fc&d=e");
  request.headers = {{"Content-Type", "application/merge-patch+json"},
                     {"Impersonate-Group", "a"},
                     {"Impersonate-Group", "b"},
                     {"X-Empty", ""}};
  request.authorization = Secret("Bearer hunter2");
  request.body = std::string("{\"a\":\0}", 7);
  const auto response = transport->send(request);
  REQUIRE(response.ok());
  CHECK(response->status == 200);
  CHECK(response->header("content-type") == "text/plain");
  CHECK(response->header("X-TWICE") == "a");
  CHECK(response->header("absent").empty());
  const std::string& seen = response->body;
  CHECK(first_line(seen) == "PATCH /k8s/c-1/api/v1/../x?a=b%2Fc&d=e HTTP/1.1");
  CHECK(contains(seen, "\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
  CHECK(contains(seen, "\r\nAuthorization: Bearer hunter2\r\n"));
  CHECK(contains(seen, "\r\nContent-Type: application/merge-patch+json\r\n"));
  CHECK(contains(seen, "\r\nImpersonate-Group: a\r\nImpersonate-Group: b\r\n"));
  CHECK(contains(seen, "\r\nX-Empty:\r\n"));
  CHECK(contains(seen, "\r\nUser-Agent: test/v0\r\n"));
  CHECK(contains(seen, "\r\nAccept-Encoding: gzip\r\n"));
  CHECK(contains(seen, "\r\nContent-Length: 7\r\n"));
  CHECK_FALSE(contains(lower(seen), "\r\nexpect:"));
  CHECK(seen.substr(seen.size() - 7) == request.body);
}

TEST_CASE("each method has the body it should have") {
  ScriptedServer server(echo);
  auto transport = connect(plain_endpoint(server));
  for (const char* method : {"GET", "DELETE"}) {
    const auto response = transport->send(request_of(method));
    REQUIRE(response.ok());
    CHECK(first_line(response->body) == std::string(method) + " /api HTTP/1.1");
    CHECK_FALSE(contains(lower(response->body), "content-length"));
    CHECK_FALSE(contains(lower(response->body), "content-type"));
  }
  for (const char* method : {"POST", "PUT", "PATCH"}) {
    Request request = request_of(method);
    request.body.clear();
    const auto response = transport->send(request);
    REQUIRE(response.ok());
    CHECK(contains(response->body, "\r\nContent-Length: 0\r\n"));
    CHECK_FALSE(contains(lower(response->body), "content-type"));
  }
  Request remove = request_of("DELETE");  // D2: options travel in the body
  remove.body = "{\"dryRun\":[\"All\"]}";
  const auto removed = transport->send(remove);
  REQUIRE(removed.ok());
  CHECK(first_line(removed->body) == "DELETE /api HTTP/1.1");
  CHECK(contains(removed->body, "{\"dryRun\":[\"All\"]}"));
}

TEST_CASE("nothing of one request is left over in the next, and the connection is kept") {
  ScriptedServer server(echo);
  auto transport = connect(plain_endpoint(server));
  Request first = request_of("POST");
  first.headers = {{"X-First", "1"}};
  first.authorization = Secret("Bearer one");
  REQUIRE(transport->send(first).ok());
  Request second = request_of("GET");
  second.compressed = false;  // H6
  const auto response = transport->send(second);
  REQUIRE(response.ok());
  CHECK(first_line(response->body) == "GET /api HTTP/1.1");
  for (const char* name : {"x-first", "authorization", "content-length", "accept-encoding"}) {
    CHECK_FALSE(contains(lower(response->body), name));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("compression is never asked for where the endpoint forbids it (P2)") {
  ScriptedServer server(echo);
  Endpoint endpoint = plain_endpoint(server);
  endpoint.compression = false;
  const auto response = connect(endpoint)->send(request_of("GET"));
  REQUIRE(response.ok());
  CHECK_FALSE(contains(lower(response->body), "accept-encoding"));
}

TEST_CASE("a gzip body is decoded, also for a sink") {
  const std::string packed = gzip_of("hello gzip");
  ScriptedServer server([&](Peer& peer) {
    while (!peer.read_request().empty()) peer.reply("200 OK", packed, "Content-Encoding: gzip\r\n");
  });
  auto transport = connect(plain_endpoint(server));
  const auto response = transport->send(request_of("GET"));
  REQUIRE_MESSAGE(response.ok(), response.error().what);
  CHECK(response->body == "hello gzip");
  std::string got;
  const auto streamed = transport->send(request_of("GET"), [&](std::string_view piece) {
    got += piece;
    return Result<void>();
  });
  REQUIRE(streamed.ok());
  CHECK(got == "hello gzip");
  CHECK(streamed->body.empty());
}

TEST_CASE("a chunked body arrives whole, and trailers are not taken for headers") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n");
    peer.wait_until_gone();
  });
  const auto response = connect(plain_endpoint(server))->send(request_of("GET"));
  REQUIRE(response.ok());
  CHECK(response->body == "abcde");
  CHECK(response->header("X-Late").empty());
}

TEST_CASE("interim 1xx replies are not the reply") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n");
    peer.reply("201 Created", "{}");
  });
  const auto response = connect(plain_endpoint(server))->send(request_of("POST"));
  REQUIRE(response.ok());
  CHECK(response->status == 201);
  CHECK(response->header("X-Early").empty());
}

TEST_CASE("an error body goes into the response, never into the sink") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.reply("502 Bad Gateway", "<html>bad gateway</html>", "Content-Type: text/html\r\n");
  });
  bool called = false;
  const auto response = connect(plain_endpoint(server))->send(request_of("GET"), [&](std::string_view) {
    called = true;
    return Result<void>();
  });
  REQUIRE(response.ok());
  CHECK(response->status == 502);
  CHECK(response->body == "<html>bad gateway</html>");
  CHECK_FALSE(called);
}

TEST_CASE("an endless error page is cut at 1 MiB and does not hang") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    while (peer.write(chunk)) {
    }
  });
  const auto response = connect(plain_endpoint(server))->send(request_of("GET"));
  REQUIRE(response.ok());
  CHECK(response->status == 500);
  CHECK(response->body.size() == 1u << 20);
}

TEST_CASE("a redirect is a response, and the other server never hears of it") {
  ScriptedServer other(echo);
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.reply("307 Temporary Redirect", "",
               "Location: http://127.0.0.1:" + std::to_string(other.port()) + "/stolen\r\n");
  });
  Request request = request_of("GET");
  request.authorization = Secret("Bearer hunter2");
  const auto response = connect(plain_endpoint(server))->send(request);
  REQUIRE(response.ok());
  CHECK(response->status == 307);
  CHECK(contains(response->header("Location"), "/stolen"));
  CHECK(other.connections() == 0);
}

TEST_CASE("a sink's error ends the exchange with that error") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.reply("200 OK", "body");
  });
  const auto response = connect(plain_endpoint(server))->send(request_of("GET"), [](std::string_view) {
    return Result<void>(make_error(Kind::format, "expected an object"));
  });
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().kind == Kind::format);
  CHECK(response.error().what == "expected an object");
}

TEST_CASE("eight threads share one transport and each gets its own reply") {
  ScriptedServer server(echo);
  auto transport = connect(plain_endpoint(server));
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string target = "/t" + std::to_string(t) + "/i" + std::to_string(i);
        const auto response = transport->send(request_of("GET", target));
        if (response.ok() && first_line(response->body) == "GET " + target + " HTTP/1.1") ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 200);
  CHECK(server.connections() <= 8);
}

TEST_CASE("what would smuggle a second line is refused before anything is sent") {
  ScriptedServer server(echo);
  auto transport = connect(plain_endpoint(server));
  Request token = request_of("GET");
  token.authorization = Secret("Bearer hunter2\r\nX-Evil: 1");
  const auto refused = transport->send(token);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::config);
  CHECK_FALSE(contains(refused.error().what, "hunter2"));
  Request header = request_of("GET");
  header.headers = {{"X", "a\nb"}};
  CHECK_FALSE(transport->send(header).ok());
  for (const char* target : {"", "api", "/a b", "/a\r\nX: 1", "/a#b", "/\xc3\xa9"}) {
    CAPTURE(std::string(target));
    CHECK_FALSE(transport->send(request_of("GET", target)).ok());
  }
  CHECK_FALSE(transport->send(request_of("GE T")).ok());
  CHECK(server.connections() == 0);
}

}  // namespace
}  // namespace truenas::http
