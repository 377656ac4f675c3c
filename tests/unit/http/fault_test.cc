// What happens when the server or the network fails in the middle. The question behind every case: could a
// short reply pass for a whole one, or a lost write be sent twice?
#include <atomic>

#include "tests/unit/http/http_fixture.h"

namespace truenas::http {
namespace {

const char* const k_writes[] = {"POST", "PUT", "PATCH", "DELETE"};

// A port on which nobody listens.
int free_port() {
  ScriptedServer server([](Peer&) {});
  const int port = server.port();
  server.stop();
  return port;
}

Error error_of(const Result<Response>& response) {
  REQUIRE_FALSE(response.ok());
  return response.error();
}

TEST_CASE("a body cut short is an error, never a short success") {
  const char* const replies[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Le",
      "HTTP/1.1 ",
      "",
  };
  for (const bool reset : {false, true}) {
    for (const char* reply : replies) {
      CAPTURE(std::string(reply));
      CAPTURE(reset);
      ScriptedServer server([&](Peer& peer) {
        peer.read_request();
        peer.write(reply);
        if (reset) peer.reset();
      });
      auto transport = connect(plain_endpoint(server));
      CHECK(error_of(transport->send(request_of("GET"))).kind == Kind::unavailable);
      const auto sink = [](std::string_view) { return Result<void>(); };
      CHECK(error_of(transport->send(request_of("GET"), sink)).kind == Kind::unavailable);
      for (const char* method : k_writes) {
        CAPTURE(std::string(method));
        const Error error = error_of(transport->send(request_of(method)));
        CHECK(error.kind == Kind::outcome_unknown);
        CHECK(contains(error.what, std::string("sent ") + method + " /api"));
      }
      CHECK(server.connections() == 6);
    }
  }
}

TEST_CASE("a connection that broke is told from one that was never made, and from a cut body") {
  struct Row {
    const char* reply;
    bool reset, broke;
  };
  for (const Row& row :
       {Row{"", false, true}, Row{"", true, true}, Row{"HTTP/1.1 200 OK\r\nContent-Le", false, true},
        Row{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false, false}}) {
    CAPTURE(std::string(row.reply));
    CAPTURE(row.reset);
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(row.reply);
      if (row.reset) peer.reset();
    });
    CHECK(connection_broke(error_of(connect(plain_endpoint(server))->send(request_of("GET")))) == row.broke);
  }
  Endpoint nobody;
  nobody.scheme = "http";
  nobody.host = "127.0.0.1";
  nobody.port = free_port();
  CHECK_FALSE(connection_broke(error_of(connect(nobody)->send(request_of("GET")))));
}

TEST_CASE("a reply without a length cannot be told from a cut one, so it is none") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\n\r\nall of it?");
  });
  auto transport = connect(plain_endpoint(server));
  CHECK(error_of(transport->send(request_of("GET"))).kind == Kind::format);
  CHECK(error_of(transport->send(request_of("POST"))).kind == Kind::outcome_unknown);
}

TEST_CASE("replies that have no body need no length") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const auto response = connect(plain_endpoint(server))->send(request_of("DELETE"));
  REQUIRE(response.ok());
  CHECK(response->status == 204);
}

TEST_CASE("a refused connection speaks as kubectl does, and a write is known not to be sent") {
  const int port = free_port();
  Endpoint endpoint;
  endpoint.scheme = "http";
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  endpoint.proxy_from_environment = false;
  auto transport = connect(endpoint);
  for (const char* method : {"GET", "POST", "DELETE"}) {
    const Error error = error_of(transport->send(request_of(method)));
    CHECK(error.kind == Kind::unavailable);
    CHECK(error.what == "the connection to the server 127.0.0.1:" + std::to_string(port) +
                            " was refused - did you specify the right host or port?");
  }
}

TEST_CASE("a name that does not resolve") {
  Endpoint endpoint;
  endpoint.scheme = "http";
  endpoint.host = "api.invalid";  // RFC 6761
  endpoint.proxy_from_environment = false;
  const Error error = error_of(connect(endpoint)->send(request_of("POST")));
  CHECK(error.kind == Kind::unavailable);
  CHECK(contains(error.what, "unable to connect to the server: dial tcp: lookup api.invalid"));
}

// libcurl itself repeats any request, a POST too, when a kept-alive connection dies without a reply byte.
TEST_CASE("a write on a kept-alive connection that dies is not sent again") {
  for (const char* method : k_writes) {
    for (const bool reset : {false, true}) {
      CAPTURE(std::string(method));
      std::atomic<int> writes{0};
      ScriptedServer server([&](Peer& peer) {
        peer.read_request();
        peer.reply("200 OK", "{}");
        if (!peer.read_request().empty()) ++writes;
        if (reset) peer.reset();
      });
      auto transport = connect(plain_endpoint(server));
      REQUIRE(transport->send(request_of("GET")).ok());
      CHECK(error_of(transport->send(request_of(method))).kind == Kind::outcome_unknown);
      server.stop();
      CHECK(writes == 1);
    }
  }
}

TEST_CASE("a read on a kept-alive connection that dies is simply asked again") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.reply("200 OK", std::to_string(peer.number()));
    peer.read_request();
  });
  auto transport = connect(plain_endpoint(server));
  REQUIRE(transport->send(request_of("GET")).ok());
  const auto again = transport->send(request_of("GET"));
  REQUIRE(again.ok());
  CHECK(again->body == "1");
}

TEST_CASE("the transport works on after a failure") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    if (peer.number() == 0) return peer.reset();
    peer.reply("200 OK", "fine");
  });
  auto transport = connect(plain_endpoint(server));
  CHECK_FALSE(transport->send(request_of("GET")).ok());
  const auto response = transport->send(request_of("GET"));
  REQUIRE(response.ok());
  CHECK(response->body == "fine");
}

TEST_CASE("silence longer than the stall limit ends a watch; what came before was delivered") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n");
    peer.wait_until_gone();
  });
  Request watch = request_of("GET", "/api?watch=true");
  watch.stall = Milliseconds(300);
  watch.compressed = false;
  std::string got;
  const Error error = error_of(connect(plain_endpoint(server))->send(watch, [&](std::string_view piece) {
    got += piece;
    return Result<void>();
  }));
  CHECK(error.kind == Kind::unavailable);
  CHECK(contains(error.what, "has sent nothing for 0.3 s"));
  CHECK(got == "event");
}

TEST_CASE("a timeout bounds the whole exchange, body included") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.wait_until_gone();
  });
  auto transport = connect(plain_endpoint(server));
  Request read = request_of("GET");
  read.timeout = Milliseconds(300);
  const Error error = error_of(transport->send(read));
  CHECK(error.kind == Kind::unavailable);
  CHECK(contains(error.what, "did not finish its reply within 0.3 s"));
  Request write = request_of("POST");
  write.timeout = Milliseconds(300);
  CHECK(error_of(transport->send(write)).kind == Kind::outcome_unknown);
}

TEST_CASE("what is not HTTP is a format error for a read and unknown for a write") {
  for (const char* reply :
       {"SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03\x01\x00\x02\x02\x46", "HTTP/9.9 banana\r\n\r\n"}) {
    CAPTURE(std::string(reply));
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(reply);
    });
    auto transport = connect(plain_endpoint(server));
    CHECK(error_of(transport->send(request_of("GET"))).kind == Kind::format);
    CHECK(error_of(transport->send(request_of("POST"))).kind == Kind::outcome_unknown);
  }
}

TEST_CASE("headers without end are an error, not memory") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\n");
    const std::string line = "X-Long: " + std::string(8000, 'x') + "\r\n";
    while (peer.write(line)) {
    }
  });
  const Error error = error_of(connect(plain_endpoint(server))->send(request_of("GET")));
  CAPTURE(error.what);
  CHECK(error.kind == Kind::format);
}

TEST_CASE("a gzip body that is none, is damaged, or has several members (H6) is an error") {
  const std::string packed = gzip_of("hello gzip, hello gzip");
  std::string damaged = packed;
  damaged[20] = '!';
  for (const std::string& body : {std::string("this is not gzip at all"), damaged, packed + packed}) {
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.reply("200 OK", body, "Content-Encoding: gzip\r\n");
    });
    const auto response = connect(plain_endpoint(server))->send(request_of("GET"));
    CAPTURE((response.ok() ? response->body : response.error().what));
    CHECK(error_of(response).kind == Kind::format);
  }
}

TEST_CASE("a gzip body cut by the connection is an error") {
  const std::string packed = gzip_of("hello gzip, hello gzip");
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
               std::to_string(packed.size()) + "\r\n\r\n" + packed.substr(0, packed.size() - 12));
  });
  CHECK(error_of(connect(plain_endpoint(server))->send(request_of("GET"))).kind == Kind::unavailable);
}

}  // namespace
}  // namespace truenas::http
