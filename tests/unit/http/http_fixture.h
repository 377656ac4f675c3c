#pragma once
// What every test of the real transport needs: an endpoint for a scripted server, and requests.

#include <doctest/doctest.h>

#include <cstdint>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/http/curl_transport.h"
#include "tests/fakes/scripted_server.h"

namespace truenas::http {

using fakes::Peer;
using fakes::ScriptedServer;

inline Endpoint plain_endpoint(const ScriptedServer& server) {
  Endpoint endpoint;
  endpoint.scheme = "http";
  endpoint.host = "127.0.0.1";
  endpoint.port = server.port();
  endpoint.proxy_from_environment = false;
  endpoint.user_agent = "test/v0";
  endpoint.timings.interrupt_grace = Milliseconds(200);
  return endpoint;
}

inline std::unique_ptr<Transport> connect(Endpoint endpoint) {
  auto transport = make_curl_transport(std::move(endpoint));
  REQUIRE_MESSAGE(transport.ok(), (transport.ok() ? "" : transport.error().what));
  return std::move(transport).value();
}

inline Request request_of(const std::string& method, const std::string& target = "/api") {
  Request request;
  request.method = method;
  request.target = target;
  request.timeout = Milliseconds(20'000);  // a guard against hanging, never what a test waits for
  if (method != "GET" && method != "DELETE") request.body = "{}";
  return request;
}

// One gzip member (RFC 1952) with a stored block: needs no compressor.
inline std::string gzip_of(const std::string& text) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  std::string packed("\x1f\x8b\x08\0\0\0\0\0\0\x03\x01", 11);
  const auto little = [&](std::uint32_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) packed += static_cast<char>(number >> (8 * i) & 0xff);
  };
  little(static_cast<std::uint32_t>(text.size()), 2);
  little(~static_cast<std::uint32_t>(text.size()), 2);
  packed += text;
  little(~crc, 4);
  little(static_cast<std::uint32_t>(text.size()), 4);
  return packed;
}

// Asks for a stop as a signal would, and takes it back when the test ends.
class Interrupt {
 public:
  Interrupt() = default;
  ~Interrupt() { clear_interrupt(); }
  void now() { request_interrupt(2); }
};

}  // namespace truenas::http
