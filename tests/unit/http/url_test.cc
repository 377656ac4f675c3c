#include "lib/http/url.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"

using truenas::Kind;
using truenas::http::parse_server_url;
using truenas::http::query_string;
using truenas::http::Url;

TEST_CASE("server URLs are read as kubectl reads them (R5)") {
  struct Row {
    const char *text, *scheme, *host, *path;
    int port;
  };
  const Row rows[] = {
      {"https://api.example:6443", "https", "api.example", "", 6443},
      {"https://api.example", "https", "api.example", "", 443},
      {"http://api.example", "http", "api.example", "", 80},
      {"HTTPS://api.example/", "https", "api.example", "", 443},
      {"https://rancher/k8s/clusters/c-1", "https", "rancher", "/k8s/clusters/c-1", 443},
      {"https://rancher:8443/k8s/clusters/c-1//", "https", "rancher", "/k8s/clusters/c-1", 8443},
      {"https://h:1/p?token=x#frag", "https", "h", "/p", 1},
      {"https://h?x=1", "https", "h", "", 443},
      {"https://[::1]:6443/p", "https", "::1", "/p", 6443},
      {"https://[fd00::2]", "https", "fd00::2", "", 443},
      {"localhost:8080", "http", "localhost", "", 8080},
      {"localhost:8080/", "http", "localhost", "", 8080},
      {"10.0.0.1", "http", "10.0.0.1", "", 80},
      {"https://under_score.svc:6443", "https", "under_score.svc", "", 6443},
      {"https://h:", "https", "h", "", 443},
      {"https://h/a%2Fb", "https", "h", "/a%2Fb", 443},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.text));
    const auto url = parse_server_url(row.text);
    REQUIRE(url.ok());
    CHECK(url->scheme == row.scheme);
    CHECK(url->host == row.host);
    CHECK(url->path == row.path);
    CHECK(url->port == row.port);
  }
}

TEST_CASE("what is not a server URL is a configuration error, never a guess") {
  for (const char* text : {"",
                           "https://",
                           "https:///p",
                           "https://:6443",
                           "ftp://h",
                           "https://h:0",
                           "https://h:65536",
                           "https://h:x",
                           "https://h:123456789012",
                           "https://[::1",
                           "https://[::1]x",
                           "https://[nonsense]",
                           "https://[1234]",
                           "host:8080/path",
                           "https://h h",
                           "https://h/a b",
                           "https://h\n",
                           "https://h/\x01",
                           "://h",
                           "https://a:b:c",
                           "unix:///run/x"}) {
    CAPTURE(std::string(text));
    const auto url = parse_server_url(text);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().kind == Kind::config);
    CHECK_FALSE(url.error().what.empty());
  }
}

TEST_CASE("a password in the URL is refused and not repeated") {
  const auto url = parse_server_url("https://user:hunter2@h:6443");
  REQUIRE_FALSE(url.ok());
  CHECK(url.error().kind == Kind::config);
  CHECK_FALSE(truenas::contains(url.error().what, "hunter2"));
}

TEST_CASE("query strings are sorted and percent-encoded (H7)") {
  CHECK(query_string({}).empty());
  CHECK(query_string({{"limit", "500"}}) == "?limit=500");
  CHECK(query_string({{"watch", "true"}, {"labelSelector", "a in (b,c)"}}) ==
        "?labelSelector=a%20in%20%28b%2Cc%29&watch=true");
  // exec: repeated keys keep their order, which is argv's.
  CHECK(query_string({{"stdout", "true"}, {"command", "sh"}, {"command", "-c"}, {"command", "a&b=c+d"}}) ==
        "?command=sh&command=-c&command=a%26b%3Dc%2Bd&stdout=true");
}
