// A good kubeconfig with one thing wrong, for every thing: a configuration or an error, and never a secret
// shown.
#include <doctest/doctest.h>

#include <random>

#include "lib/base/text.h"
#include "tests/unit/kube/kubeconfig_text.h"

using namespace truenas;
using namespace truenas::kube;
using namespace truenas::kube::test;

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
