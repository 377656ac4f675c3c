#pragma once
// SHA-1 (FIPS 180-4), for Sec-WebSocket-Accept only, where RFC 6455 demands it. Never for anything that must
// resist an attacker: lib/base has SHA-256.

#include <string>
#include <string_view>

namespace truenas::http {

// The 20 raw bytes.
std::string sha1(std::string_view bytes);

}  // namespace truenas::http
