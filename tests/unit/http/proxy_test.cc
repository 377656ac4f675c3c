#include "lib/http/proxy.h"

#include <doctest/doctest.h>

#include <map>

using truenas::Kind;
using truenas::http::proxy_for_curl;
using truenas::http::proxy_from_environment;

namespace {

std::string proxy_of(const std::map<std::string, std::string>& variables, const std::string& scheme,
                     const std::string& host, int port = 6443) {
  return proxy_from_environment(
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      scheme, host, port);
}

}  // namespace

TEST_CASE("the environment's proxy is chosen by the server's scheme (P1)") {
  const std::map<std::string, std::string> both = {{"HTTPS_PROXY", "http://a:1"},
                                                   {"http_proxy", "http://b:2"}};
  CHECK(proxy_of(both, "https", "api.example") == "http://a:1");
  CHECK(proxy_of(both, "http", "api.example") == "http://b:2");
  CHECK(proxy_of({}, "https", "api.example").empty());
  CHECK(proxy_of({{"HTTPS_PROXY", ""}, {"https_proxy", "p:3"}}, "https", "api.example") == "http://p:3");
  CHECK(proxy_of({{"ALL_PROXY", "http://a:1"}}, "https", "api.example").empty());
}

TEST_CASE("loopback is never reached through a proxy, as Go has it") {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.9.1", "::1", "LOCALHOST"}) {
    CAPTURE(std::string(host));
    CHECK(proxy_of({{"HTTPS_PROXY", "http://a:1"}}, "https", host).empty());
  }
}

TEST_CASE("NO_PROXY takes names, suffixes, addresses, CIDRs and ports") {
  struct Row {
    const char *no_proxy, *host;
    int port;
    bool direct;
  };
  const Row rows[] = {
      {"*", "api.example", 443, true},
      {"example", "api.example", 443, true},
      {"example", "example", 443, true},
      {"example", "myexample", 443, false},
      {".example", "api.example", 443, true},
      {".example", "example", 443, false},
      {"*.example", "api.example", 443, true},
      {"*.example", "example", 443, false},
      {"API.Example", "api.EXAMPLE", 443, true},
      {"api.example:6443", "api.example", 6443, true},
      {"api.example:6443", "api.example", 443, false},
      {"10.0.0.0/8", "10.1.2.3", 443, true},
      {"10.0.0.0/8", "11.1.2.3", 443, false},
      {"10.0.0.0/8", "api.example", 443, false},
      {"0.0.0.0/0", "11.1.2.3", 443, true},
      {"10.1.2.3/33", "10.1.2.3", 443, false},
      {"10.1.2.3", "10.1.2.3", 443, true},
      {"10.1.2.3:6443", "10.1.2.3", 443, false},
      {"fd00::/8", "fd12::1", 443, true},
      {"fd00::/8", "fe12::1", 443, false},
      {"[fd00::1]:6443", "fd00::1", 6443, true},
      {"fd00::1", "fd00::1", 443, true},
      {" a.example , b.example ", "b.example", 443, true},
      {",,:80,/8,[]", "b.example", 443, false},
      {"", "b.example", 443, false},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.no_proxy));
    CAPTURE(std::string(row.host));
    const std::string proxy =
        proxy_of({{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", row.no_proxy}}, "https", row.host, row.port);
    CHECK(proxy == (row.direct ? "" : "http://p:1"));
  }
}

TEST_CASE("only the proxy schemes that kubectl knows are accepted") {
  CHECK(*proxy_for_curl("") == "");
  CHECK(*proxy_for_curl("http://p:1") == "http://p:1");
  CHECK(*proxy_for_curl("https://p:1") == "https://p:1");
  CHECK(*proxy_for_curl("socks5://p:1") == "socks5h://p:1");
  const auto refused = proxy_for_curl("ftp://user:hunter2@p:1");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::config);
  CHECK(refused.error().what == "unsupported proxy scheme \"ftp\", must be http, https, or socks5");
  CHECK_FALSE(proxy_for_curl("p:1").ok());
}
