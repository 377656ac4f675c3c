// Which program an exec plugin is, how often it runs, and that it never outlasts Ctrl-C (E6-E9).
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/kube/exec_credential.h"
#include "tests/unit/kube/fake_plugin.h"
#include "tests/unit/kube/manual_clock.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;
using test::fake_plugin;
using test::header_of;

namespace {

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

TEST_CASE("E6: a missing plugin, with a hint that cannot drive the terminal") {
  test::ManualClock clock;
  ExecPlugin plugin = fake_plugin("ok");
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
  ExecPlugin plugin = fake_plugin("ok");
  plugin.command = "bad\x1b[2Jname";
  const auto result = run_exec_plugin(plugin);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().what == "exec: executable bad\\x1b[2Jname not found");
}

TEST_CASE("a plugin that is no program is an error") {
  const test::TemporaryFolder folder;
  ExecPlugin plugin = fake_plugin("ok");
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
  ExecPlugin plugin = fake_plugin("count", folder.path("log"));
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
  ExecCredentialSource source(fake_plugin("count", folder.path("log")), clock);
  CHECK(header_of(source) == "Bearer token-1");
  source.refused();
  CHECK(folder.read("log") == "run\n");
  CHECK(header_of(source) == "Bearer token-2");
  CHECK(header_of(source) == "Bearer token-2");
}

TEST_CASE("E7: many threads, one run") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecCredentialSource source(fake_plugin("count", folder.path("log")), clock);
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
  ExecPlugin plugin = fake_plugin("ok");
  plugin.command = folder.path("late");
  ExecCredentialSource source(plugin, clock);
  CHECK_FALSE(source.authorization().ok());
  std::filesystem::copy_file(test::fixtures_directory() + "/exec-plugin/fake-plugin", plugin.command);
  CHECK(header_of(source) == "Bearer fake-token");
}

TEST_CASE("E8: certificate and token, each alone and both") {
  test::ManualClock clock;
  ExecCredentialSource certificate(fake_plugin("cert"), clock);
  CHECK(header_of(certificate) == "");
  const auto credential = certificate.credential();
  REQUIRE(credential.ok());
  CHECK(trim(credential->certificate_pem) == trim(test::fixture_file("pem/client.crt")));
  CHECK(trim(credential->key_pem.reveal()) == trim(test::fixture_file("pem/client.key")));
  ExecCredentialSource both(fake_plugin("both"), clock);
  CHECK(header_of(both) == "Bearer t");
  CHECK_FALSE(both.credential()->certificate_pem.empty());
}

TEST_CASE("E9: a policy of kuberc is obeyed") {
  ExecPlugin plugin = fake_plugin("ok");
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
  ExecPlugin plugin = fake_plugin("ok");
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
  ExecPlugin plugin = fake_plugin("ok");
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
    ExecCredentialSource source(fake_plugin(mode, interrupt.path()), clock);
    const Result<Secret> header = source.authorization();
    REQUIRE_FALSE(header.ok());
    CHECK(header.error().kind == Kind::interrupted);
    CHECK_FALSE(process_exists(interrupt.number()));
  }
}

TEST_CASE("a process that a plugin leaves behind does not keep us waiting") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ExecCredentialSource source(fake_plugin("background", folder.path("log")), clock);
  CHECK(header_of(source) == "Bearer fake-token");
  CHECK(process_exists(folder.read("log")));
  end_process(folder.read("log"));
}
