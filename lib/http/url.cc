#include "lib/http/url.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::http {
namespace {

constexpr int k_http_port = 80;
constexpr int k_https_port = 443;

Error bad_url(std::string_view text, std::string_view why) {
  return make_error(Kind::config,
                    fmt::format("server {} is not a URL of an API server: {}", quote(text), why),
                    {"it must look like https://host:6443 or https://host/prefix"});
}

bool host_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte > 0x20 && byte != 0x7f &&
                          std::string_view("\"#%/:<>?@[\\]^`{|}").find(c) == std::string_view::npos);
}

bool ipv6_character(char c) {
  return std::string_view("0123456789abcdefABCDEF:.").find(c) != std::string_view::npos;
}

bool path_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f;
}

Result<int> parse_port(std::string_view whole, std::string_view digits) {
  int port = 0;
  if (digits.empty() || digits.size() > 5) return bad_url(whole, "its port is not a number from 1 to 65535");
  for (const char c : digits) {
    if (c < '0' || c > '9') return bad_url(whole, "its port is not a number from 1 to 65535");
    port = port * 10 + (c - '0');
  }
  if (port < 1 || port > 65535) return bad_url(whole, "its port is not a number from 1 to 65535");
  return port;
}

// Reads "host", "host:port", "[v6]" and "[v6]:port" into `url`; an absent or empty port keeps the default.
Result<void> parse_authority(std::string_view whole, std::string_view authority, Url& url) {
  std::string_view rest;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad_url(whole, "its IPv6 address lacks the closing bracket");
    url.host = authority.substr(1, end - 1);
    rest = authority.substr(end + 1);
    if (url.host.find(':') == std::string::npos ||
        !std::all_of(url.host.begin(), url.host.end(), ipv6_character)) {
      return bad_url(whole, "what stands in brackets is not an IPv6 address");
    }
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    if (!std::all_of(url.host.begin(), url.host.end(), host_character)) {
      return bad_url(whole, "its host name has a character that no host name has");
    }
  }
  if (url.host.empty()) return bad_url(whole, "it names no host");
  if (rest.empty() || rest == ":") return {};
  if (rest.front() != ':') return bad_url(whole, "after the host only a port can follow");
  TM_TRY_ASSIGN(url.port, parse_port(whole, rest.substr(1)));
  return {};
}

}  // namespace

Result<Url> parse_server_url(std::string_view text) {
  const std::string_view whole = text;
  Url url;
  const std::size_t scheme_end = text.find("://");
  const bool has_scheme = scheme_end != std::string_view::npos && scheme_end > 0;
  url.scheme = has_scheme ? lower(text.substr(0, scheme_end)) : "http";
  if (has_scheme) text.remove_prefix(scheme_end + 3);
  if (url.scheme != "http" && url.scheme != "https") {
    return bad_url(whole, "its scheme is neither http nor https");
  }
  url.port = url.scheme == "https" ? k_https_port : k_http_port;
  text = text.substr(0, text.find_first_of("?#"));
  const std::size_t slash = text.find('/');
  const std::string_view authority = text.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  if (authority.find('@') != std::string_view::npos) {
    // Not quoted: what precedes the @ is a password.
    return make_error(Kind::config, "the server's URL has credentials in it, which are not supported",
                      {"put them into the user's entry of the kubeconfig"});
  }
  TM_TRY(parse_authority(whole, authority, url));
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (!has_scheme && !path.empty()) {
    return make_error(Kind::config, fmt::format("host must be a URL or a host:port pair: {}",
                                                quote(whole)));  // as client-go
  }
  if (!std::all_of(path.begin(), path.end(), path_character)) {
    return bad_url(whole, "its path has a character that must be percent-encoded");
  }
  url.path = path;
  return url;
}

std::string query_string(std::vector<std::pair<std::string, std::string>> parameters) {
  std::stable_sort(parameters.begin(), parameters.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string result;
  for (const auto& [key, value] : parameters) {
    result += result.empty() ? '?' : '&';
    result += percent_encode(key) + "=" + percent_encode(value);
  }
  return result;
}

}  // namespace truenas::http
