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
#include "tests/unit/kube/kubeconfig_text.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;
using namespace truenas::kube::test;

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
