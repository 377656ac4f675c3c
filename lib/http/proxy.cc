#include "lib/http/proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "lib/base/text.h"

namespace truenas::http {
namespace {

// An address as 16 bytes, IPv4 mapped into IPv6 as Go's net.IP does.
using Address = std::array<unsigned char, 16>;

std::optional<Address> parse_address(const std::string& text) {
  Address address{};
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
    address[10] = address[11] = 0xff;
    std::memcpy(&address[12], &four, sizeof four);
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

bool is_mapped(const Address& address) {
  static constexpr Address prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), prefix.data(), 12) == 0;
}

bool is_loopback(const Address& address) {
  if (is_mapped(address)) return address[12] == 127;
  Address loopback{};
  loopback[15] = 1;
  return address == loopback;
}

// nullopt when `entry` is no CIDR, else whether it holds the address.
std::optional<bool> match_cidr(const std::string& entry, const std::optional<Address>& address) {
  const std::size_t slash = entry.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string network_text = entry.substr(0, slash);
  const std::optional<Address> network = parse_address(network_text);
  const std::string digits = entry.substr(slash + 1);
  if (!network || digits.empty() || digits.size() > 3) return std::nullopt;
  unsigned bits = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    bits = bits * 10 + static_cast<unsigned>(c - '0');
  }
  const bool four = network_text.find(':') == std::string::npos;
  if (bits > (four ? 32u : 128u)) return std::nullopt;
  if (four) bits += 96;
  if (!address) return false;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned difference = static_cast<unsigned>((*network)[bit / 8]) ^ (*address)[bit / 8];
    if (((difference >> (7 - bit % 8)) & 1u) != 0) return false;
  }
  return true;
}

struct HostPort {
  std::string host, port;
};

// Go's SplitHostPort where it succeeds, else the whole text as the host.
HostPort split_host_port(const std::string& entry) {
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string::npos) return {entry, ""};
  const std::string host = entry.substr(0, colon);
  if (!host.empty() && host.front() == '[' && host.back() == ']') {
    return {host.substr(1, host.size() - 2), entry.substr(colon + 1)};
  }
  if (host.find(':') != std::string::npos) return {entry, ""};
  return {host, entry.substr(colon + 1)};
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool entry_matches(const std::string& entry, const std::string& host, const std::string& port,
                   const std::optional<Address>& address) {
  if (entry == "*") return true;
  if (const std::optional<bool> inside = match_cidr(entry, address)) return *inside;
  HostPort wanted = split_host_port(entry);
  if (wanted.host.empty()) return false;
  if (!wanted.port.empty() && wanted.port != port) return false;
  if (const std::optional<Address> exact = parse_address(wanted.host)) return address && *address == *exact;
  if (wanted.host.rfind("*.", 0) == 0) wanted.host.erase(0, 1);
  if (wanted.host.front() == '.') return ends_with(host, wanted.host);
  return host == wanted.host || ends_with(host, "." + wanted.host);
}

// Go takes the first that is not empty.
std::string first_of(const Environment& environment, const char* upper, const char* lower_case) {
  const std::string value = environment(upper).value_or("");
  return value.empty() ? environment(lower_case).value_or("") : value;
}

}  // namespace

std::string proxy_from_environment(const Environment& environment, const std::string& scheme,
                                   const std::string& host, int port) {
  const bool https = scheme == "https";
  const std::string proxy = https ? first_of(environment, "HTTPS_PROXY", "https_proxy")
                                  : first_of(environment, "HTTP_PROXY", "http_proxy");
  if (proxy.empty()) return "";
  const std::string name = lower(trim(host));
  const std::optional<Address> address = parse_address(name);
  if (name == "localhost" || (address && is_loopback(*address))) return "";
  for (const std::string& part : split(first_of(environment, "NO_PROXY", "no_proxy"), ',')) {
    const std::string entry = lower(trim(part));
    if (!entry.empty() && entry_matches(entry, name, std::to_string(port), address)) return "";
  }
  return proxy.find("://") == std::string::npos ? "http://" + proxy : proxy;
}

Result<std::string> proxy_for_curl(const std::string& proxy) {
  if (proxy.empty()) return std::string();
  const std::size_t end = proxy.find("://");
  const std::string scheme = lower(proxy.substr(0, end == std::string::npos ? 0 : end));
  if (scheme == "socks5") return "socks5h" + proxy.substr(end);
  if (scheme == "http" || scheme == "https" || scheme == "socks5h") return proxy;
  // The rest of the URL may hold a password.
  return make_error(Kind::config, fmt::format("unsupported proxy scheme {}, must be http, https, or socks5",
                                              quote(scheme)));
}

}  // namespace truenas::http
