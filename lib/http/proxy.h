#pragma once
// Which proxy a connection takes, by Go's rules (P1; golang.org/x/net/http/httpproxy), because kubectl
// follows those: they differ from libcurl's in loopback addresses, upper-case names and CIDR entries. Pure.

#include <functional>
#include <optional>
#include <string>

#include "lib/base/result.h"

namespace truenas::http {

// Looks up an environment variable; nullopt when unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The proxy of the environment for a server, "" for a direct connection. HTTPS_PROXY or https_proxy, by the
// server's scheme HTTP_PROXY or http_proxy; NO_PROXY or no_proxy take names, suffixes, addresses and CIDRs,
// each with or without a port, and "*". Loopback is never reached through a proxy.
std::string proxy_from_environment(const Environment& environment, const std::string& scheme,
                                   const std::string& host, int port);

// The form that libcurl takes. socks5 becomes socks5h: Go lets the proxy resolve names. Kind::config for any
// scheme but http, https, socks5 and socks5h.
Result<std::string> proxy_for_curl(const std::string& proxy);

}  // namespace truenas::http
