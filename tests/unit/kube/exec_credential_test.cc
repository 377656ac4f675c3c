// What an exec plugin is told, and what of its answer is used (E2-E6).
#include "lib/kube/exec_credential.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <regex>

#include "lib/base/text.h"
#include "tests/unit/kube/fake_plugin.h"
#include "tests/unit/kube/manual_clock.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;
using test::fake_plugin;
using test::header_of;

TEST_CASE("E2: a token") {
  test::ManualClock clock;
  ExecCredentialSource source(fake_plugin("ok"), clock);
  CHECK(header_of(source) == "Bearer fake-token");
}

TEST_CASE("E2: exactly what the plugin is told") {
  const test::TemporaryFolder folder;
  REQUIRE(run_exec_plugin(fake_plugin("info", folder.path("log"))).ok());
  CHECK(
      folder.read("log") ==
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
}

TEST_CASE("E3: cluster information in client-go's order, the extension with sorted keys") {
  ExecPlugin plugin = fake_plugin("info");
  plugin.provide_cluster_info = true;
  plugin.cluster_info = json::Value::object(
      {{"server", "https://h/p"},
       {"tls-server-name", "bar"},
       {"certificate-authority-data", "YmF6"},
       {"config",
        json::Value::object({{"b", 1}, {"a", json::Value::object({{"d", true}, {"c", nullptr}})}})}});
  CHECK(exec_info(plugin, true) ==
        R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":)"
        R"({"server":"https://h/p","tls-server-name":"bar","certificate-authority-data":"YmF6",)"
        R"("config":{"a":{"c":null,"d":true},"b":1}},"interactive":true}})");
}

TEST_CASE("E2: arguments go to the program as they are, without a shell") {
  const test::TemporaryFolder folder;
  ExecPlugin plugin = fake_plugin("arguments", folder.path("log"));
  plugin.args = {"a b", "$HOME", "`id`", ";", "", "'\""};
  REQUIRE(run_exec_plugin(plugin).ok());
  CHECK(folder.read("log") == "[" + plugin.command + "]\n[a b]\n[$HOME]\n[`id`]\n[;]\n[]\n['\"]\n");
}

TEST_CASE("E2: the environment is ours, then the plugin's, and the info cannot be forged") {
  const test::TemporaryFolder folder;
  ::setenv("UNIT_KUBE_INHERITED", "yes", 1);
  ::setenv("UNIT_KUBE_REPLACED", "ours", 1);
  ExecPlugin plugin = fake_plugin("environment", folder.path("log"));
  plugin.env.emplace_back("UNIT_KUBE_REPLACED", "theirs");
  plugin.env.emplace_back("KUBERNETES_EXEC_INFO", "forged");
  REQUIRE(run_exec_plugin(plugin).ok());
  const std::string log = folder.read("log");
  CHECK(contains(log, "UNIT_KUBE_INHERITED=yes\n"));
  CHECK(contains(log, "UNIT_KUBE_REPLACED=theirs\n"));
  CHECK_FALSE(contains(log, "UNIT_KUBE_REPLACED=ours\n"));
  CHECK(contains(log, "KUBERNETES_EXEC_INFO={\"kind\""));
  CHECK_FALSE(contains(log, "forged"));
  CHECK(std::getenv("KUBERNETES_EXEC_INFO") == nullptr);
}

TEST_CASE("E4: stdin is /dev/null unless the plugin is interactive") {
  const test::TemporaryFolder folder;
  REQUIRE(run_exec_plugin(fake_plugin("stdin", folder.path("log"))).ok());
  CHECK(folder.read("log") == "");
}

TEST_CASE("E4: interactive modes") {
  ExecPlugin plugin = fake_plugin("ok");
  const auto interactive = [&](const std::string& mode, bool terminal) {
    plugin.interactive_mode = mode;
    plugin.stdin_is_terminal = terminal;
    const Result<bool> result = exec_interactive(plugin);
    return result ? (*result ? "yes" : "no") : result.error().what;
  };
  CHECK(interactive("Never", true) == "no");
  CHECK(interactive("IfAvailable", true) == "yes");
  CHECK(interactive("IfAvailable", false) == "no");
  CHECK(interactive("Always", true) == "yes");
  CHECK(interactive("Always", false) ==
        "exec plugin cannot support interactive mode: standard input is not a terminal");
}

TEST_CASE("E5: answers that cannot be used, without a word of their content") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"garbage", "decoding stdout: neither a JSON nor a YAML object"},
      {"nothing", "decoding stdout: neither a JSON nor a YAML object"},
      {"other-kind", "decoding stdout: its kind is not ExecCredential"},
      {"bad-version",
       "exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned "
       "version "
       "\"client.authentication.k8s.io/v1beta1\""},
      {"other-version",
       "exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned "
       "version "
       "\"client.authentication.k8s.io/v9\""},
      {"no-status", "exec plugin didn't return a status field"},
      {"null-status", "exec plugin didn't return a status field"},
      {"list-status", "decoding stdout: /status: expected object"},
      {"empty-status", "exec plugin didn't return a token or cert/key pair"},
      {"number-token", "decoding stdout: /status/token: expected string"},
      {"only-cert", "exec plugin returned only certificate or key, not both"},
      {"only-key", "exec plugin returned only certificate or key, not both"},
      {"bad-time", "decoding stdout: /status/expirationTimestamp: not an RFC 3339 time"},
      {"huge", "exec: executable PLUGIN: it wrote more than 1048576 bytes"},
      {"exit-3", "exec: executable PLUGIN failed with exit code 3"},
      {"signal", "exec: executable PLUGIN was ended by signal 9"},
      {"line-end", "the token has characters that cannot be sent, such as a line end"}};
  test::ManualClock clock;
  for (const auto& [mode, text] : table) {
    CAPTURE(mode);
    const ExecPlugin plugin = fake_plugin(mode);
    ExecCredentialSource source(plugin, clock);
    const Result<Secret> header = source.authorization();
    REQUIRE_FALSE(header.ok());
    CHECK(header.error().kind == Kind::auth);
    const std::string expected = std::regex_replace(text, std::regex("PLUGIN"), plugin.command);
    CHECK(header.error().what == "getting credentials: " + expected);
    CHECK_FALSE(contains(header.error().what, "secret-token"));
    CHECK_FALSE(contains(header.error().what, "8675309"));
  }
}

TEST_CASE("E2: YAML is an answer too, and v1beta1 is spoken where it is configured") {
  test::ManualClock clock;
  ExecCredentialSource yaml(fake_plugin("yaml"), clock);
  CHECK(header_of(yaml) == "Bearer yaml-token");
  ExecPlugin plugin = fake_plugin("bad-version");
  plugin.api_version = "client.authentication.k8s.io/v1beta1";
  ExecCredentialSource beta(plugin, clock);
  CHECK(header_of(beta) == "Bearer secret-token");
}
