// What goes into the Authorization and Impersonate headers (A1-A5, A7).
#include <doctest/doctest.h>

#include "lib/kube/kubeconfig_internal.h"
#include "tests/unit/kube/fake_plugin.h"
#include "tests/unit/kube/manual_clock.h"
#include "tests/unit/kube/temporary_folder.h"

using namespace truenas;
using namespace truenas::kube;
using test::header_of;

TEST_CASE("A1 A5: token file over token over basic over exec") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ClientConfig config;
  CHECK(header_of(*make_credentials(config, clock)) == "");
  config.exec = ExecPlugin{.command = "/nonexistent/plugin",
                           .api_version = "client.authentication.k8s.io/v1",
                           .interactive_mode = "Never"};
  CHECK(header_of(*make_credentials(config, clock)) ==
        "error: getting credentials: exec: executable /nonexistent/plugin not found");
  config.username = "name";
  config.password = Secret("pass:word");
  CHECK(header_of(*make_credentials(config, clock)) == "Basic bmFtZTpwYXNzOndvcmQ=");
  config.token = Secret("token");
  CHECK(header_of(*make_credentials(config, clock)) == "Bearer token");
  config.token_file = folder.write("token", " from-file\n");
  CHECK(header_of(*make_credentials(config, clock)) == "Bearer from-file");
}

TEST_CASE("a password without a name is not sent") {
  test::ManualClock clock;
  ClientConfig config;
  config.password = Secret("word");
  CHECK(header_of(*make_credentials(config, clock)) == "");
}

TEST_CASE("A2: a token file is read again after 50 s, and a failed reading keeps the token") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ClientConfig config;
  config.token_file = folder.write("token", "one\n");
  const auto source = make_credentials(config, clock);
  CHECK(header_of(*source) == "Bearer one");
  folder.write("token", "two\n");
  clock.advance(Seconds(49));
  CHECK(header_of(*source) == "Bearer one");
  clock.advance(Seconds(1));
  CHECK(header_of(*source) == "Bearer two");

  folder.write("token", " \n");
  clock.advance(Seconds(60));
  CHECK(header_of(*source) == "Bearer two");
  std::filesystem::remove(folder.path("token"));
  clock.advance(Seconds(60));
  CHECK(header_of(*source) == "Bearer two");
  folder.write("token", "three");
  CHECK(header_of(*source) == "Bearer three");
}

TEST_CASE("A2: a refused token is read again at once") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ClientConfig config;
  config.token_file = folder.write("token", "old");
  const auto source = make_credentials(config, clock);
  CHECK(header_of(*source) == "Bearer old");
  folder.write("token", "new");
  CHECK(header_of(*source) == "Bearer old");
  source->refused();
  CHECK(header_of(*source) == "Bearer new");
}

TEST_CASE("A1: a token stands in for a file that cannot be read; without one it is an error") {
  const test::TemporaryFolder folder;
  test::ManualClock clock;
  ClientConfig config;
  config.token_file = folder.path("gone");
  const auto alone = make_credentials(config, clock);
  const auto failed = alone->authorization();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == Kind::auth);
  CHECK(failed.error().what == "getting credentials: failed to read token file \"" + folder.path("gone") +
                                   "\": no such file or directory");
  config.token = Secret("fallback");
  CHECK(header_of(*make_credentials(config, clock)) == "Bearer fallback");
}

TEST_CASE("a token that would end the header's line is never sent, nor shown") {
  test::ManualClock clock;
  for (const std::string& token :
       {std::string("abc\n"), std::string("a\r\nX-Evil: 1"), std::string("a\0b", 3), std::string("a\x7f")}) {
    ClientConfig config;
    config.token = Secret(token);
    const auto header = make_credentials(config, clock)->authorization();
    REQUIRE_FALSE(header.ok());
    CHECK(header.error().kind == Kind::auth);
    CHECK(header.error().what ==
          "getting credentials: the token has characters that cannot be sent, such as a line end");
  }
}

TEST_CASE("A7: impersonation headers, keys escaped as client-go does") {
  ClientConfig config;
  CHECK(impersonation_headers(config)->empty());
  config.impersonate_user = "system:admin";
  config.impersonate_uid = "42";
  config.impersonate_groups = {"b", "a"};
  config.impersonate_extra = {{"acme.com/a%b c\xc3\xbc", {"1", "2"}}, {"Plain!#$&'*+-.^_`|~", {""}}};
  const auto headers = impersonation_headers(config);
  REQUIRE(headers.ok());
  const std::vector<http::Header> expected = {{"Impersonate-User", "system:admin"},
                                              {"Impersonate-Uid", "42"},
                                              {"Impersonate-Group", "b"},
                                              {"Impersonate-Group", "a"},
                                              {"Impersonate-Extra-acme.com%2Fa%25b%20c%C3%BC", "1"},
                                              {"Impersonate-Extra-acme.com%2Fa%25b%20c%C3%BC", "2"},
                                              {"Impersonate-Extra-Plain!#$&'*+-.^_`|~", ""}};
  CHECK(*headers == expected);
}

TEST_CASE("A7: a value that would end its header's line is refused") {
  ClientConfig config;
  config.impersonate_user = "me\r\nImpersonate-Group: system:masters";
  const auto headers = impersonation_headers(config);
  REQUIRE_FALSE(headers.ok());
  CHECK(headers.error().kind == Kind::config);
}
