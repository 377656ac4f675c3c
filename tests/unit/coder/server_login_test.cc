// Where Coder is and with which token.

#include "lib/coder/server_login.h"

#include <doctest/doctest.h>

#include <map>

#include "lib/base/text.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

struct Machine {
  std::map<std::string, std::string> variables = {{"HOME", "/home/ada"}};
  std::map<std::string, std::string> files;
  kube::Environment environment() const {
    kube::Environment result;
    result.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::optional<std::string>() : found->second;
    };
    result.read_file = [this](const std::string& path) -> Result<std::string> {
      const auto found = files.find(path);
      if (found == files.end()) return make_error(Kind::not_found, "no such file or directory");
      if (found->second == "!") return make_error(Kind::config, "permission denied");
      return found->second;
    };
    return result;
  }
  Result<LoginSearch> look(std::optional<std::string> flag = {}, bool mac = false) const {
    return find_login(flag, environment(), mac);
  }
};

Machine logged_in(const std::string& directory = "/home/ada/.config/coderv2") {
  Machine machine;
  machine.files = {{directory + "/url", "https://coder.example.com\n"},
                   {directory + "/session", "file-token\n"}};
  return machine;
}

}  // namespace

TEST_CASE("coder login: nothing speaks of a Coder") {
  const auto search = Machine().look();
  REQUIRE(search.ok());
  CHECK_FALSE(search->login);
  CHECK(search->why_none.empty());
  Machine homeless;
  homeless.variables.clear();
  CHECK_FALSE(homeless.look()->login);
}

TEST_CASE("coder login: the coder CLI's own files, wherever they lie") {
  const auto check = [](const Machine& machine, bool mac) {
    const auto search = machine.look({}, mac);
    REQUIRE(search.ok());
    REQUIRE(search->login);
    CHECK(search->login->url == "https://coder.example.com");
    CHECK(search->login->token.reveal() == "file-token");
    CHECK_FALSE(search->login->asked);
  };
  check(logged_in(), false);
  check(logged_in("/home/ada/Library/Application Support/coderv2"), true);
  Machine elsewhere = logged_in("/etc/coder");
  elsewhere.variables["CODER_CONFIG_DIR"] = "/etc/coder";
  check(elsewhere, false);
  Machine xdg = logged_in("/xdg/coderv2");
  xdg.variables["XDG_CONFIG_HOME"] = "/xdg";
  check(xdg, false);
}

TEST_CASE("coder login: the environment comes before the files, the flag before both") {
  Machine machine = logged_in();
  machine.variables["CODER_SESSION_TOKEN"] = "env-token";
  machine.variables["CODER_URL"] = "coder.internal/";
  auto search = machine.look();
  REQUIRE(search.ok());
  CHECK(search->login->url == "https://coder.internal");
  CHECK(search->login->token.reveal() == "env-token");
  CHECK(search->login->asked);
  search = machine.look("https://other.example.com");
  CHECK(search->login->url == "https://other.example.com");
  CHECK(search->login->token.reveal() == "env-token");
}

TEST_CASE("coder login: a file's token goes to that file's server only") {
  const Machine machine = logged_in();
  const auto refused = machine.look("https://evil.example.com");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::config);
  CHECK_FALSE(contains(refused.error().what, "file-token"));
  CHECK(machine.look("coder.example.com/")->login->token.reveal() == "file-token");
  Machine pointed = logged_in();
  pointed.variables["CODER_URL"] = "https://evil.example.com";
  const auto search = pointed.look();
  REQUIRE(search.ok());
  CHECK_FALSE(search->login);
  CHECK(contains(search->why_none, "no token"));
}

TEST_CASE("coder login: what is wrong is said") {
  CHECK(Machine().look("").error().kind == Kind::usage);
  Machine machine = logged_in();
  machine.files["/home/ada/.config/coderv2/session"] = "!";
  CHECK(contains(machine.look().error().what, "permission denied"));
  const auto bad = logged_in().look("ftp://coder.example.com");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().kind == Kind::usage);
  CHECK(
      contains(bad.error().what, "--coder-url: server \"ftp://coder.example.com\" is not a URL of a Coder"));
  const auto password = logged_in().look("https://ada:hunter2@coder.example.com");
  REQUIRE_FALSE(password.ok());
  CHECK_FALSE(contains(password.error().what, "hunter2"));
  Machine token_only;
  token_only.variables["CODER_SESSION_TOKEN"] = "t";
  CHECK(contains(token_only.look()->why_none, "no URL"));
}
