// Exec plugins: what they are told, what of their answers is used, and how long (E1-E9).
#include "lib/kube/exec_credential.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <regex>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "tests/unit/kube/kubeconfig_case.h"
#include "tests/unit/kube/manual_clock.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;

namespace {

ExecPlugin plugin_in(const std::string& mode, const std::string& log = "") {
  ExecPlugin plugin;
  plugin.command = test::fixtures_directory() + "/exec-plugin/fake-plugin";
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.interactive_mode = "Never";
  plugin.env = {{"FAKE_MODE", mode},
                {"FAKE_LOG", log},
                {"FAKE_CERT", test::fixtures_directory() + "/pem/client.crt"},
                {"FAKE_KEY", test::fixtures_directory() + "/pem/client.key"}};
  return plugin;
}

std::string header_of(CredentialSource& source) {
  const Result<Secret> header = source.authorization();
  return header ? header->reveal() : "error: " + header.error().what;
}

// Ends what a test left behind; by the number it wrote down itself.
void end_process(const std::string& number) {
  const int pid = std::atoi(number.c_str());
  if (pid > 1) ::kill(pid, SIGKILL);
}

bool process_exists(const std::string& number) {
  const int pid = std::atoi(number.c_str());
  return pid > 1 && ::kill(pid, 0) == 0;
}

// Asks for an interruption as soon as the plugin has written its number into the pipe.
class InterruptWhenRunning {
 public:
  explicit InterruptWhenRunning(const test::TemporaryFolder& folder) : path_(folder.path("pipe")) {
    REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    thread_ = std::thread([this] {
      std::ifstream pipe(path_);
      std::getline(pipe, number_);
      request_interrupt(SIGINT);
    });
  }
  ~InterruptWhenRunning() {
    if (thread_.joinable()) thread_.join();
    clear_interrupt();
  }
  const std::string& path() const { return path_; }
  const std::string& number() {
    thread_.join();
    return number_;
  }

 private:
  std::string path_, number_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("E2: a token") {
  test::ManualClock clock;
  ExecCredentialSource source(plugin_in("ok"), clock);
  CHECK(header_of(source) == "Bearer fake-token");
}

TEST_CASE("E2: exactly what the plugin is told") {
  const test::TemporaryFolder folder;
  REQUIRE(run_exec_plugin(plugin_in("info", folder.path("log"))).ok());
  CHECK(
      folder.read("log") ==
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
}

TEST_CASE("E3: cluster information in client-go's order, the extension with sorted keys") {
  ExecPlugin plugin = plugin_in("info");
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
  ExecPlugin plugin = plugin_in("arguments", folder.path("log"));
  plugin.args = {"a b", "$HOME", "`id`", ";", "", "'\""};
  REQUIRE(run_exec_plugin(plugin).ok());
  CHECK(folder.read("log") == "[" + plugin.command + "]\n[a b]\n[$HOME]\n[`id`]\n[;]\n[]\n['\"]\n");
}

TEST_CASE("E2: the environment is ours, then the plugin's, and the info cannot be forged") {
  const test::TemporaryFolder folder;
  ::setenv("UNIT_KUBE_INHERITED", "yes", 1);
  ::setenv("UNIT_KUBE_REPLACED", "ours", 1);
  ExecPlugin plugin = plugin_in("environment", folder.path("log"));
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
  REQUIRE(run_exec_plugin(plugin_in("stdin", folder.path("log"))).ok());
  CHECK(folder.read("log") == "");
}

TEST_CASE("E4: interactive modes") {
  ExecPlugin plugin = plugin_in("ok");
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
    const ExecPlugin plugin = plugin_in(mode);
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
  ExecCredentialSource yaml(plugin_in("yaml"), clock);
  CHECK(header_of(yaml) == "Bearer yaml-token");
  ExecPlugin plugin = plugin_in("bad-version");
  plugin.api_version = "client.authentication.k8s.io/v1beta1";
  ExecCredentialSource beta(plugin, clock);
  CHECK(header_of(beta) == "Bearer secret-token");
}

TEST_CASE("E6: a missing plugin, with a hint that cannot drive the terminal") {
  test::ManualClock clock;
  ExecPlugin plugin = plugin_in("ok");
  plugin.command = "no-such-credential-plugin";
  plugin.install_hint = "run:\n  \x1b[31mbrew\x07 install\xc2\x9b it";
  ExecCredentialSource source(plugin, clock);
  const Result<Secret> header = source.authorization();
  REQUIRE_FALSE(header.ok());
  CHECK(header.error().what == "getting credentials: exec: executable no-such-credential-plugin not found");
  const std::vector<std::string> hints = header.error().hints;
  REQUIRE(hints.size() == 4);
  CHECK(hints[0] ==
        "It looks like you are trying to use a client-go credential plugin that is not installed.");
  CHECK(hints[2] == "run:");
  CHECK(hints[3] == "U+001B[31mbrewU+0007 installU+009B it");
}

TEST_CASE("E6: a command with control characters is shown without them") {
  ExecPlugin plugin = plugin_in("ok");
  plugin.command = "bad\x1b[2Jname";
  const auto result = run_exec_plugin(plugin);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().what == "exec: executable bad\\x1b[2Jname not found");
}

TEST_CASE("a plugin that is no program is an error") {
  const test::TemporaryFolder folder;
  ExecPlugin plugin = plugin_in("ok");
  plugin.command = folder.write("text", "no program\n");
  CHECK(run_exec_plugin(plugin).error().what == "exec: executable " + plugin.command + " not found");
  ::chmod(plugin.command.c_str(), 0700);
  CHECK(run_exec_plugin(plugin).error().what == "exec: executable " + plugin.command + ": exec format error");
  plugin.command = folder.path();
  CHECK(run_exec_plugin(plugin).error().what == "exec: executable " + plugin.command + " not found");
}

TEST_CASE("E7: one run serves until the credential expires") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecPlugin plugin = plugin_in("count", folder.path("log"));
  plugin.env.emplace_back("FAKE_EXPIRES", "2030-01-01T00:00:00Z");
  ExecCredentialSource source(plugin, clock);
  CHECK(header_of(source) == "Bearer token-1");
  const auto expires = *parse_time("2030-01-01T00:00:00Z");
  clock.set_wall(expires);  // no leeway: at that very moment it still holds
  CHECK(header_of(source) == "Bearer token-1");
  clock.set_wall(expires + std::chrono::microseconds(1));
  CHECK(header_of(source) == "Bearer token-2");
  CHECK(header_of(source) == "Bearer token-3");
}

TEST_CASE("E7: a refused credential is asked for again, by the next request") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecCredentialSource source(plugin_in("count", folder.path("log")), clock);
  CHECK(header_of(source) == "Bearer token-1");
  source.refused();
  CHECK(folder.read("log") == "run\n");
  CHECK(header_of(source) == "Bearer token-2");
  CHECK(header_of(source) == "Bearer token-2");
}

TEST_CASE("E7: many threads, one run") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecCredentialSource source(plugin_in("count", folder.path("log")), clock);
  std::vector<std::thread> threads;
  std::vector<std::string> headers(16);
  for (std::string& header : headers) threads.emplace_back([&] { header = header_of(source); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& header : headers) CHECK(header == "Bearer token-1");
  CHECK(folder.read("log") == "run\n");
}

TEST_CASE("E7: a failed run is not remembered") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecPlugin plugin = plugin_in("ok");
  plugin.command = folder.path("late");
  ExecCredentialSource source(plugin, clock);
  CHECK_FALSE(source.authorization().ok());
  std::filesystem::copy_file(test::fixtures_directory() + "/exec-plugin/fake-plugin", plugin.command);
  CHECK(header_of(source) == "Bearer fake-token");
}

TEST_CASE("E8: certificate and token, each alone and both") {
  test::ManualClock clock;
  ExecCredentialSource certificate(plugin_in("cert"), clock);
  CHECK(header_of(certificate) == "");
  const auto credential = certificate.credential();
  REQUIRE(credential.ok());
  CHECK(trim(credential->certificate_pem) == trim(test::fixture_file("pem/client.crt")));
  CHECK(trim(credential->key_pem.reveal()) == trim(test::fixture_file("pem/client.key")));
  ExecCredentialSource both(plugin_in("both"), clock);
  CHECK(header_of(both) == "Bearer t");
  CHECK_FALSE(both.credential()->certificate_pem.empty());
}

TEST_CASE("E9: a policy of kuberc is obeyed") {
  ExecPlugin plugin = plugin_in("ok");
  plugin.policy.type = PluginPolicy::Type::deny_all;
  CHECK(run_exec_plugin(plugin).error().what ==
        "plugin \"" + plugin.command + "\" not allowed: policy set to \"DenyAll\"");
  plugin.policy.type = PluginPolicy::Type::allowlist;
  plugin.policy.allowlist = {"fake-plugin", "/usr/bin/fake-plugin"};
  CHECK(run_exec_plugin(plugin).error().what ==
        "plugin path \"" + plugin.command + "\" is not permitted by the credential plugin allowlist");
  plugin.policy.allowlist.push_back(plugin.command);
  CHECK(run_exec_plugin(plugin).ok());
}

TEST_CASE("E9: a bare name in the list stands for what PATH finds") {
  ExecPlugin plugin = plugin_in("ok");
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (test::fixtures_directory() + "/exec-plugin:" + path).c_str(), 1);
  plugin.policy.type = PluginPolicy::Type::allowlist;
  plugin.policy.allowlist = {"fake-plugin"};
  const bool by_path = run_exec_plugin(plugin).ok();
  plugin.command = "fake-plugin";
  const bool by_name = run_exec_plugin(plugin).ok();
  ::setenv("PATH", path.c_str(), 1);
  CHECK(by_path);
  CHECK(by_name);
}

TEST_CASE("a relative folder in PATH is not searched") {
  ExecPlugin plugin = plugin_in("ok");
  plugin.command = "fake-plugin";
  const std::string path = std::getenv("PATH");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(test::fixtures_directory() + "/exec-plugin");
  ::setenv("PATH", (".::" + path).c_str(), 1);
  const auto result = run_exec_plugin(plugin);
  ::setenv("PATH", path.c_str(), 1);
  std::filesystem::current_path(before);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().what == "exec: executable fake-plugin not found");
}

TEST_CASE("a plugin that hangs ends with Ctrl-C, even one that will not obey") {
  for (const char* mode : {"slow", "quiet", "stubborn"}) {
    CAPTURE(mode);
    const test::TemporaryFolder folder;
    test::ManualClock clock;
    InterruptWhenRunning interrupt(folder);
    ExecCredentialSource source(plugin_in(mode, interrupt.path()), clock);
    const Result<Secret> header = source.authorization();
    REQUIRE_FALSE(header.ok());
    CHECK(header.error().kind == Kind::interrupted);
    CHECK_FALSE(process_exists(interrupt.number()));
  }
}

TEST_CASE("a process that a plugin leaves behind does not keep us waiting") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecCredentialSource source(plugin_in("background", folder.path("log")), clock);
  CHECK(header_of(source) == "Bearer fake-token");
  CHECK(process_exists(folder.read("log")));
  end_process(folder.read("log"));
}
