#pragma once
// The real Transport: libcurl with every option checked (P5, T6, Y7). One instance is one origin with one TLS
// identity; thread-safe: each thread's exchange takes an easy handle from a pool of kept-alive connections.
// It must not read kubeconfig files: everything arrives in Endpoint.

#include <memory>

#include "lib/http/transport.h"

namespace truenas::http {

// How long things may take. Only tests have a reason to change them.
struct Timings {
  Milliseconds connect{30'000};           // dial and TLS handshake (Y7)
  Milliseconds handshake{30'000};         // of a WebSocket upgrade, when the request sets no timeout
  Milliseconds interrupt_grace{5'000};    // for the reply to a write in flight when a stop is asked for
  Milliseconds clean_up{30'000};          // for an exchange begun after a stop was asked for
  Milliseconds ping{5'000};               // between our pings (N1)
  Milliseconds silence{61'000};           // without any inbound byte a WebSocket counts as dead (N1) …
  Milliseconds blocked_silence{300'000};  // … but so long once we sent data: a stalled stdin stops pongs (N2)
};

struct Endpoint {
  std::string scheme = "https";  // http or https
  std::string host;              // without brackets for IPv6
  int port = 443;
  std::string tls_server_name;  // T5: SNI and verification name; Host stays the real server
  std::string ca_pem;           // with it, the only trust root; empty: the system's roots
  bool insecure_skip_verify = false;
  std::string certificate_pem;  // client certificate chain, PEM; empty: none
  Secret key_pem;
  std::string proxy;  // "", or http:// https:// socks5:// (P1)
  bool proxy_from_environment = true;
  bool compression = true;
  std::string user_agent;
  Timings timings;
};

// Refuses (Kind::config) an endpoint whose certificates cannot be parsed.
Result<std::unique_ptr<Transport>> make_curl_transport(Endpoint endpoint);

}  // namespace truenas::http
