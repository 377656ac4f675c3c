// Whatever stands in a kubeconfig, the answer is a configuration or a clear error: never a crash, never a
// hang, never the content of a secret.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/kube/kubeconfig_internal.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;

namespace {

Environment plain_environment(const std::string& directory) {
  Environment environment = process_environment();
  environment.working_directory = directory;
  environment.variable = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  return environment;
}

Result<ClientConfig> resolve_file(const std::string& path) {
  ConnectionFlags flags;
  flags.kubeconfig = path;
  return resolve_client_config(flags, plain_environment("/"));
}

const std::string k_good = R"(apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {server: "https://127.0.0.1:1", tls-server-name: s, insecure-skip-tls-verify: true, extensions: [{name: e, extension: {}}]}
users:
- name: u
  user:
    token: hush-token
    as: someone
    as-groups: [a]
    as-user-extra: {k: [v]}
- name: v
  user: {exec: {command: x, args: [a], env: [{name: VAR, value: v}], apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}
contexts:
- name: x
  context: {cluster: c, user: u, namespace: ns}
current-context: x
)";

}  // namespace

TEST_CASE("binary garbage, NUL bytes and other encodings are refused by name") {
  const test::TemporaryFolder folder;
  std::mt19937 random(1);
  std::string noise(100000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  const std::vector<std::string> contents = {noise,
                                             std::string(1000, '\0'),
                                             "\x7f"
                                             "ELF\x02\x01\x01",
                                             "\xff\xfe"
                                             "c\0l\0",
                                             k_good + std::string(1, '\0'),
                                             "clusters: [{name: \"\xc3\x28\"}]\n",
                                             "\t\tclusters: []\n",
                                             "{\"clusters\": [}",
                                             "%YAML 9.9\n---\n- x",
                                             "a: b: c: d",
                                             "!!binary abc",
                                             "!!python/object:os.system x",
                                             "? {complex: key}\n: value\n"};
  for (const std::string& content : contents) {
    const auto config = resolve_file(folder.write("config", content));
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().kind == Kind::config);
    CHECK(config.error().what.starts_with("error loading config file \"" + folder.path("config") + "\""));
    CHECK(config.error().what.size() < 400);
    CHECK(printable(config.error().what) == config.error().what);
  }
}

TEST_CASE("a folder, a missing file and an endless device") {
  const test::TemporaryFolder folder;
  CHECK(contains(resolve_file(folder.path()).error().what, "is a directory"));
  CHECK(contains(resolve_file(folder.path("gone")).error().what, "no such file or directory"));
  CHECK(contains(resolve_file("/dev/zero").error().what, "larger than 64 MiB"));
  CHECK(contains(resolve_file("/dev/null").error().what, "missing or incomplete configuration info"));
}

TEST_CASE("a file that may not be read") {
  const test::TemporaryFolder folder;
  folder.write("config", k_good);
  ::chmod(folder.path("config").c_str(), 0);
  const bool root = ::geteuid() == 0;  // root reads every file, so try it as nobody
  if (root) REQUIRE(::seteuid(65534) == 0);
  const auto config = resolve_file(folder.path("config"));
  if (root) REQUIRE(::seteuid(0) == 0);
  REQUIRE_FALSE(config.ok());
  CHECK(contains(config.error().what, "permission denied"));
}

TEST_CASE("an unreadable file of the list fails the whole load, as any failure to read does") {
  Environment environment = plain_environment("/");
  environment.variable = [](const std::string& name) {
    return name == "KUBECONFIG" ? std::optional<std::string>("good:bad") : std::nullopt;
  };
  for (const char* reason : {"permission denied", "input/output error", "not a directory"}) {
    environment.read_file = [&](const std::string& path) -> Result<std::string> {
      if (path == "/good") return k_good;
      return make_error(Kind::config, reason);
    };
    const auto config = resolve_client_config({}, environment);
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().what == std::string("error loading config file \"bad\": read bad: ") + reason);
  }
}

TEST_CASE("a pipe is read once, and one that nobody writes to can be interrupted") {
  const test::TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe) << k_good; });
  const auto config = resolve_file(pipe);
  writer.join();
  REQUIRE(config.ok());
  CHECK(config->token == Secret("hush-token"));

  request_interrupt(2);
  const auto interrupted = resolve_file(pipe);
  clear_interrupt();
  REQUIRE_FALSE(interrupted.ok());
  CHECK(contains(interrupted.error().what, "interrupted"));
  CHECK(interrupted.error().kind == Kind::interrupted);
}

TEST_CASE("alias bombs and deep nesting are refused") {
  const test::TemporaryFolder folder;
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j == 0 ? "" : ", ") + before;
    bomb += "]\n";
  }
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "- ";
  const std::vector<std::string> contents = {bomb, std::string(100000, '['), "a: &a {b: *a}\n",
                                             std::string(100000, '{'), deep};
  for (const std::string& content : contents) {
    const auto config = resolve_file(folder.write("config", content));
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().kind == Kind::config);
  }
}

TEST_CASE("every place holds every wrong type in turn, and no error tells a secret") {
  const json::Value good = *json::parse_yaml(k_good, "good");
  const std::vector<std::string> places = {"",
                                           "/clusters",
                                           "/clusters/0",
                                           "/clusters/0/name",
                                           "/clusters/0/cluster",
                                           "/clusters/0/cluster/server",
                                           "/clusters/0/cluster/tls-server-name",
                                           "/clusters/0/cluster/insecure-skip-tls-verify",
                                           "/clusters/0/cluster/extensions",
                                           "/clusters/0/cluster/extensions/0",
                                           "/clusters/0/cluster/extensions/0/name",
                                           "/users",
                                           "/users/0",
                                           "/users/0/name",
                                           "/users/0/user",
                                           "/users/0/user/token",
                                           "/users/0/user/as",
                                           "/users/0/user/as-groups",
                                           "/users/0/user/as-groups/0",
                                           "/users/0/user/as-user-extra",
                                           "/users/0/user/as-user-extra/k",
                                           "/users/0/user/as-user-extra/k/0",
                                           "/users/1/user/exec",
                                           "/users/1/user/exec/command",
                                           "/users/1/user/exec/args",
                                           "/users/1/user/exec/args/0",
                                           "/users/1/user/exec/env",
                                           "/users/1/user/exec/env/0",
                                           "/users/1/user/exec/env/0/name",
                                           "/users/1/user/exec/env/0/value",
                                           "/users/1/user/exec/apiVersion",
                                           "/users/1/user/exec/interactiveMode",
                                           "/contexts",
                                           "/contexts/0",
                                           "/contexts/0/name",
                                           "/contexts/0/context",
                                           "/contexts/0/context/cluster",
                                           "/contexts/0/context/user",
                                           "/contexts/0/context/namespace",
                                           "/current-context",
                                           "/apiVersion",
                                           "/kind"};
  const std::vector<json::Value> values = {json::Value(),
                                           true,
                                           8675309,
                                           json::Value::number("1e999"),
                                           "hush-text",
                                           json::Value::array(),
                                           json::Value::array({1}),
                                           json::Value::object(),
                                           json::Value::object({{"a", 1}})};
  std::size_t refused = 0, resolved = 0;
  for (const std::string& place : places) {
    REQUIRE(good.at(place) != nullptr);
    for (const json::Value& value : values) {
      CAPTURE(place);
      CAPTURE(json::write(value));
      json::Value changed = good;
      *changed.at(place) = value;
      Environment environment = plain_environment("/");
      environment.read_file = [&](const std::string&) -> Result<std::string> { return json::write(changed); };
      ConnectionFlags flags;
      flags.kubeconfig = "config";
      const auto config = resolve_client_config(flags, environment);
      (config.ok() ? resolved : refused)++;
      if (config.ok()) continue;
      CHECK((config.error().kind == Kind::config));
      CHECK_FALSE(contains(config.error().what, "hush-token"));
      CHECK_FALSE(contains(config.error().what, "8675309"));
    }
  }
  CHECK(refused > 200);
  CHECK(resolved > 50);
}

TEST_CASE("a file cut anywhere, or with any byte changed, gives a configuration or an error") {
  Environment environment = plain_environment("/");
  std::string text;
  environment.read_file = [&](const std::string&) -> Result<std::string> { return text; };
  ConnectionFlags flags;
  flags.kubeconfig = "config";
  std::size_t outcomes = 0;
  for (std::size_t length = 0; length <= k_good.size(); ++length) {
    text = k_good.substr(0, length);
    const auto config = resolve_client_config(flags, environment);
    if (!config) CHECK_FALSE(contains(config.error().what, "hush-token"));
    ++outcomes;
  }
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    text = k_good;
    text[random() % text.size()] = static_cast<char>(random());
    const auto config = resolve_client_config(flags, environment);
    if (!config) CHECK_FALSE(contains(config.error().what, "hush-token"));
    ++outcomes;
  }
  CHECK(outcomes == k_good.size() + 2001);
}

TEST_CASE("no message of any resolution shows a password in the proxy's or the server's URL") {
  for (const char* url : {"ftp://name:hush@h:1", "http://name:hush@ h:1", "name:hush@h:1"}) {
    for (const char* field : {"proxy-url", "server"}) {
      Environment environment = plain_environment("/");
      const std::string text = std::string("clusters: [{name: c, cluster: {server: \"https://h\", ") + field +
                               ": \"" + url + "\"}}]\ncontexts: [{name: x, context: {cluster: c}}]\n" +
                               "current-context: x\n";
      environment.read_file = [&](const std::string&) -> Result<std::string> { return text; };
      ConnectionFlags flags;
      flags.kubeconfig = "config";
      const auto config = resolve_client_config(flags, environment);
      REQUIRE_FALSE(config.ok());
      CHECK_FALSE(contains(config.error().what, "hush"));
    }
  }
}

TEST_CASE("paths are cleaned as Go's filepath does") {
  CHECK(clean_path("") == ".");
  CHECK(clean_path("/") == "/");
  CHECK(clean_path("//a///b/./c/") == "/a/b/c");
  CHECK(clean_path("a/../..") == "..");
  CHECK(clean_path("../../a") == "../../a");
  CHECK(clean_path("/../a") == "/a");
  CHECK(clean_path("a/..") == ".");
  CHECK(clean_path("/a/..") == "/");
  CHECK(absolute_path("/d", "/a/../b") == "/a/../b");
  CHECK(absolute_path("/d", "a/../b") == "/d/b");
  CHECK(absolute_path("/d/e", "../../../b") == "/b");
}
