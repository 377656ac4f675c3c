// What a Session that open_session() put together really sends, over real sockets and TLS.
#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/fakes/scripted_server.h"
#include "tests/unit/kube/kubeconfig_case.h"
#include "tests/unit/kube/manual_clock.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;

namespace {

const fakes::CertificateAuthority& authority() {
  static const fakes::CertificateAuthority ca("unit test authority");
  return ca;
}

fakes::TlsSettings server_tls(bool client_certificates) {
  return {authority().issue(), client_certificates ? authority().pem() : "", false};
}

ClientConfig config_for(const fakes::ScriptedServer& server) {
  ClientConfig config;
  config.endpoint.host = "127.0.0.1";
  config.endpoint.port = server.port();
  config.endpoint.ca_pem = authority().pem();
  config.endpoint.proxy_from_environment = false;
  config.server = "https://127.0.0.1:" + std::to_string(server.port());
  return config;
}

ExecPlugin fake_plugin(const std::string& mode, const test::TemporaryFolder& folder) {
  ExecPlugin plugin;
  plugin.command = test::fixtures_directory() + "/exec-plugin/fake-plugin";
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.interactive_mode = "Never";
  plugin.env = {{"FAKE_MODE", mode},
                {"FAKE_LOG", folder.path("log")},
                {"FAKE_CERT", folder.path("cert")},
                {"FAKE_KEY", folder.path("key")}};
  return plugin;
}

void write_identity(const test::TemporaryFolder& folder, const std::string& name) {
  const fakes::Identity identity = authority().issue({.common_name = name});
  folder.write("cert", identity.certificate_pem);
  folder.write("key", identity.key_pem);
}

Call get_version() {
  Call call;
  call.path = "/version";
  call.what = "get version";
  return call;
}

// Answers every request of a connection by its Authorization header: 401 for `refused`, else {}.
void answer_all(fakes::Peer& peer, const std::string& refused, std::vector<std::string>& requests,
                std::mutex& mutex) {
  for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
    const std::scoped_lock lock(mutex);
    requests.push_back(request);
    const bool no = !refused.empty() && contains(request, "Bearer " + refused + "\r\n");
    peer.reply(no ? "401 Unauthorized" : "200 OK",
               no ? R"({"kind":"Status","apiVersion":"v1",)"
                    R"("status":"Failure","message":"Unauthorized",)"
                    R"("reason":"Unauthorized","code":401})"
                  : "{}",
               "Content-Type: application/json\r\n");
  }
}

struct Site {
  std::vector<std::string> requests;
  std::mutex mutex;
  fakes::ScriptedServer server;
  explicit Site(bool client_certificates = false, const std::string& refused = "")
      : server([this, refused](fakes::Peer& peer) { answer_all(peer, refused, requests, mutex); },
               server_tls(client_certificates)) {}
};

}  // namespace

TEST_CASE("prefix, token, impersonation and user agent reach the server") {
  Site site;
  test::ManualClock clock;
  ClientConfig config = config_for(site.server);
  config.path_prefix = "/k8s/clusters/c-1";
  config.token = Secret("the-token");
  config.impersonate_user = "someone";
  config.impersonate_groups = {"a", "b"};
  config.impersonate_extra = {{"scopes/x", {"1"}}};
  std::vector<std::string> lines;
  config.notices = {{0, "always"}, {1, "at one"}, {2, "at two"}};
  const auto session = open_session(
      config, 1, [&](std::string_view line) { lines.emplace_back(line); }, clock);
  REQUIRE(session.ok());
  REQUIRE((*session)->call_json(get_version()).ok());
  REQUIRE(site.requests.size() == 1);
  const std::string& request = site.requests[0];
  CHECK(request.starts_with("GET /k8s/clusters/c-1/version HTTP/1.1\r\n"));
  CHECK(contains(request, "\r\nAuthorization: Bearer the-token\r\n"));
  CHECK(contains(request, "\r\nImpersonate-User: someone\r\n"));
  CHECK(contains(request, "\r\nImpersonate-Group: a\r\n"));
  CHECK(contains(request, "\r\nImpersonate-Group: b\r\n"));
  CHECK(contains(request, "\r\nImpersonate-Extra-scopes%2Fx: 1\r\n"));
  CHECK(contains(request, std::string("\r\nUser-Agent: kubectl-truenas_migrate/") + TM_VERSION + " (linux/"));
  CHECK(lines == std::vector<std::string>{"always", "at one"});
}

TEST_CASE("E7: after a 401 the plugin runs once more, and the next request has the new token") {
  Site site(false, "token-1");
  test::ManualClock clock;
  const test::TemporaryFolder folder;
  ClientConfig config = config_for(site.server);
  config.exec = fake_plugin("count", folder);
  const auto session = open_session(config, 0, {}, clock);
  REQUIRE(session.ok());
  CHECK(folder.read("log") == "run\n");
  const auto first = (*session)->call_json(get_version());
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().kind == Kind::auth);
  CHECK((*session)->call_json(get_version()).ok());
  CHECK((*session)->call_json(get_version()).ok());
  CHECK(folder.read("log") == "run\nrun\n");
  CHECK(site.server.connections() == 1);  // a changed token closes no connection
}

TEST_CASE("E8: a plugin's client certificate is what the server sees") {
  Site site(true);
  test::ManualClock clock;
  const test::TemporaryFolder folder;
  write_identity(folder, "first");
  ClientConfig config = config_for(site.server);
  config.exec = fake_plugin("cert", folder);
  const auto session = open_session(config, 0, {}, clock);
  REQUIRE(session.ok());
  CHECK((*session)->call_json(get_version()).ok());
  REQUIRE(site.requests.size() == 1);
  CHECK_FALSE(contains(site.requests[0], "Authorization:"));
}

TEST_CASE("E7: a changed certificate opens a new connection, an unchanged one does not") {
  Site site(true, "t");  // mode both sends the token t, which is refused every time
  test::ManualClock clock;
  const test::TemporaryFolder folder;
  write_identity(folder, "first");
  ClientConfig config = config_for(site.server);
  config.exec = fake_plugin("both", folder);
  const auto session = open_session(config, 0, {}, clock);
  REQUIRE(session.ok());
  CHECK_FALSE((*session)->call_json(get_version()).ok());
  CHECK_FALSE((*session)->call_json(get_version()).ok());
  CHECK(site.server.connections() == 1);
  write_identity(folder, "second");
  CHECK_FALSE((*session)->call_json(get_version()).ok());
  CHECK(site.server.connections() == 2);
  CHECK(site.requests.size() == 3);
}

TEST_CASE("T7: a certificate rotated in its files is used for new requests, a torn or lost one is not") {
  Site site(true);
  test::ManualClock clock;
  const test::TemporaryFolder folder;
  write_identity(folder, "first");
  ClientConfig config = config_for(site.server);
  config.certificate_file = folder.path("cert");
  config.key_file = folder.path("key");
  config.endpoint.certificate_pem = folder.read("cert");
  config.endpoint.key_pem = Secret(folder.read("key"));
  const auto session = open_session(config, 0, {}, clock);
  REQUIRE(session.ok());
  const auto works_over = [&](std::size_t connections) {
    clock.advance(Milliseconds{1'000});
    CHECK((*session)->call_json(get_version()).ok());
    CHECK(site.server.connections() == connections);
  };
  works_over(1);
  works_over(1);
  const fakes::Identity second = authority().issue({.common_name = "second"});
  folder.write("cert", second.certificate_pem);
  works_over(1);  // seen once, with the first key: not taken
  folder.write("key", second.key_pem);
  works_over(1);  // seen once
  works_over(2);  // seen twice
  works_over(2);
  folder.write("key", "");
  works_over(2);
  works_over(2);
}

TEST_CASE("E5: a certificate that is none is named, and nothing is sent") {
  Site site;
  test::ManualClock clock;
  const test::TemporaryFolder folder;
  ClientConfig config = config_for(site.server);
  config.exec = fake_plugin("junk-cert", folder);
  const auto session = open_session(config, 0, {}, clock);
  REQUIRE_FALSE(session.ok());
  CHECK(session.error().kind == Kind::auth);
  CHECK(session.error().what.starts_with("getting credentials: failed parsing client key/certificate: "));
  CHECK(site.server.connections() == 0);
}

TEST_CASE("a plugin that fails opens no session") {
  Site site;
  test::ManualClock clock;
  const test::TemporaryFolder folder;
  ClientConfig config = config_for(site.server);
  config.exec = fake_plugin("exit-3", folder);
  const auto session = open_session(config, 0, {}, clock);
  REQUIRE_FALSE(session.ok());
  CHECK(session.error().what ==
        "getting credentials: exec: executable " + config.exec->command + " failed with exit code 3");
  CHECK(site.server.connections() == 0);
}

TEST_CASE("T2 T6: certificates that cannot be used are a configuration error, and no request leaves") {
  Site site(true);
  test::ManualClock clock;
  ClientConfig config = config_for(site.server);
  config.endpoint.ca_pem = "no pem";
  const auto refused = open_session(config, 0, {}, clock);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::config);
  config = config_for(site.server);
  config.endpoint.certificate_pem = test::fixture_file("pem/client.crt");
  config.endpoint.key_pem = Secret(test::fixture_file("pem/other.key"));  // of another certificate
  const auto session = open_session(config, 0, {}, clock);  // the transport notices it when it connects
  REQUIRE(session.ok());
  const auto reply = (*session)->call_json(get_version());
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().kind == Kind::config);
  CHECK(site.requests.empty());
}
