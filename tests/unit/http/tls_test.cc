// Whom the client trusts, whom it tells its name, and how it says no.
#include "tests/unit/http/http_fixture.h"

namespace truenas::http {
namespace {

using fakes::CertificateAuthority;
using fakes::CertificateRequest;
using fakes::TlsSettings;

void answer(Peer& peer) {
  while (true) {
    const std::string request = peer.read_request();
    if (request.empty()) return;
    peer.reply("200 OK", request, "X-Server-Name: " + peer.server_name() + "\r\n");
  }
}

Endpoint tls_endpoint(const ScriptedServer& server, const std::string& ca_pem) {
  Endpoint endpoint = plain_endpoint(server);
  endpoint.scheme = "https";
  endpoint.ca_pem = ca_pem;
  return endpoint;
}

Error error_of(const Result<Response>& response) {
  REQUIRE_FALSE(response.ok());
  return response.error();
}

TEST_CASE("the cluster's authority is trusted, and only it (T6)") {
  const CertificateAuthority ours("ours"), theirs("theirs");
  ScriptedServer server(answer, TlsSettings{ours.issue()});
  auto transport = connect(tls_endpoint(server, ours.pem()));
  REQUIRE(transport->send(request_of("GET")).ok());
  REQUIRE(transport->send(request_of("POST")).ok());
  CHECK(server.connections() == 1);
  for (const std::string& ca : {theirs.pem(), std::string()}) {  // another one, or the system's
    const Error error = error_of(connect(tls_endpoint(server, ca))->send(request_of("POST")));
    CHECK(error.kind == Kind::auth);
    CHECK(contains(
        error.what,
        "unable to connect to the server: tls: failed to verify certificate: x509: certificate signed "
        "by unknown authority"));
    CHECK(error.hints.size() == 1);
  }
}

TEST_CASE("an expired or not yet valid certificate") {
  const CertificateAuthority authority("ca");
  CertificateRequest expired, future;
  expired.valid_for_seconds = -60;
  future.valid_from_seconds = 600;
  for (const CertificateRequest& request : {expired, future}) {
    ScriptedServer server(answer, TlsSettings{authority.issue(request)});
    const Error error = error_of(connect(tls_endpoint(server, authority.pem()))->send(request_of("GET")));
    CHECK(error.kind == Kind::auth);
    CHECK(contains(error.what, "x509: certificate has expired or is not yet valid"));
  }
}

TEST_CASE("a certificate for another host, and --tls-server-name for it (T5)") {
  const CertificateAuthority authority("ca");
  CertificateRequest request;
  request.alternative_names = {"DNS:api.example"};
  ScriptedServer server(answer, TlsSettings{authority.issue(request)});
  Endpoint endpoint = tls_endpoint(server, authority.pem());
  const Error error = error_of(connect(endpoint)->send(request_of("GET")));
  CHECK(error.kind == Kind::auth);
  CHECK(contains(error.what, "x509: certificate is not valid for 127.0.0.1"));
  REQUIRE(error.hints.size() == 1);
  CHECK(contains(error.hints.front(), "--tls-server-name"));

  endpoint.tls_server_name = "api.example";
  const auto response = connect(endpoint)->send(request_of("GET"));
  REQUIRE_MESSAGE(response.ok(), response.error().what);
  CHECK(response->header("X-Server-Name") == "api.example");
  CHECK(contains(response->body, "\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));

  endpoint.tls_server_name = "other.example";
  CHECK(contains(error_of(connect(endpoint)->send(request_of("GET"))).what, "not valid for other.example"));
}

TEST_CASE("verification can be switched off, and only explicitly") {
  const CertificateAuthority authority("ca");
  CertificateRequest expired;
  expired.valid_for_seconds = -60;
  expired.alternative_names = {"DNS:elsewhere.example"};
  ScriptedServer server(answer, TlsSettings{authority.issue(expired)});
  Endpoint endpoint = tls_endpoint(server, "");
  CHECK_FALSE(connect(endpoint)->send(request_of("GET")).ok());
  endpoint.insecure_skip_verify = true;
  CHECK(connect(endpoint)->send(request_of("GET")).ok());
}

TEST_CASE("a client certificate is presented; without it the refusal is an authentication error") {
  const CertificateAuthority authority("ca"), clients("clients"), strangers("strangers");
  for (const bool tls12 : {false, true}) {
    CAPTURE(tls12);
    ScriptedServer server(answer, TlsSettings{authority.issue(), clients.pem(), tls12});
    Endpoint endpoint = tls_endpoint(server, authority.pem());
    for (const char* method : {"GET", "POST"}) {  // TLS 1.3 says no after the request has left
      const Error error = error_of(connect(endpoint)->send(request_of(method)));
      CAPTURE(error.what);
      CHECK(error.kind == Kind::auth);
      CHECK(contains(error.what, "does not accept the client certificate"));
    }
    const auto stranger = strangers.issue();
    endpoint.certificate_pem = stranger.certificate_pem;
    endpoint.key_pem = Secret(stranger.key_pem);
    CHECK(error_of(connect(endpoint)->send(request_of("GET"))).kind == Kind::auth);
    const auto identity = clients.issue();
    endpoint.certificate_pem = identity.certificate_pem;
    endpoint.key_pem = Secret(identity.key_pem);
    const auto response = connect(endpoint)->send(request_of("GET"));
    REQUIRE_MESSAGE(response.ok(), response.error().what);
  }
}

TEST_CASE("TLS files that cannot work are configuration errors") {
  const CertificateAuthority authority("ca");
  const auto one = authority.issue(), two = authority.issue();
  ScriptedServer server(answer, TlsSettings{authority.issue()});
  Endpoint good = tls_endpoint(server, authority.pem());

  Endpoint bad_ca = good;
  bad_ca.ca_pem = "nonsense";
  const auto refused = make_curl_transport(bad_ca);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::config);
  CHECK(contains(refused.error().what, "unable to load root certificates"));

  Endpoint keyless = good;
  keyless.certificate_pem = one.certificate_pem;
  CHECK_FALSE(make_curl_transport(keyless).ok());

  Endpoint mixed = good;  // only the handshake can find this one
  mixed.certificate_pem = one.certificate_pem;
  mixed.key_pem = Secret(two.key_pem);
  CHECK(error_of(connect(mixed)->send(request_of("POST"))).kind == Kind::config);

  Endpoint proxied = good;
  proxied.proxy = "gopher://p:70";
  CHECK_FALSE(make_curl_transport(proxied).ok());
  Endpoint nowhere = good;
  nowhere.host = "a b";
  CHECK_FALSE(make_curl_transport(nowhere).ok());
}

TEST_CASE("a plain HTTP server behind https is named as such") {
  ScriptedServer server([](Peer& peer) { peer.reply("400 Bad Request", "Client sent an HTTP request"); });
  const Error error = error_of(connect(tls_endpoint(server, ""))->send(request_of("POST")));
  CHECK(error.kind == Kind::unavailable);
  CHECK(contains(error.what, "server gave HTTP response to HTTPS client"));
}

TEST_CASE("a TLS connection cut without a goodbye is an error, and a write then has an unknown outcome") {
  const CertificateAuthority authority("ca");
  ScriptedServer server(
      [](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        peer.reset();
      },
      TlsSettings{authority.issue()});
  auto transport = connect(tls_endpoint(server, authority.pem()));
  CHECK(error_of(transport->send(request_of("GET"))).kind == Kind::unavailable);
  CHECK(error_of(transport->send(request_of("PUT"))).kind == Kind::outcome_unknown);
}

TEST_CASE("a connection that dies in the TLS handshake sent nothing") {
  ScriptedServer server([](Peer& peer) {
    peer.read_exactly(16);
    peer.reset();
  });
  const Error error = error_of(connect(tls_endpoint(server, ""))->send(request_of("POST")));
  CHECK(error.kind == Kind::unavailable);
}

}  // namespace
}  // namespace truenas::http
