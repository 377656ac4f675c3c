#pragma once
// What an Endpoint and a Request mean in libcurl's options. Private to lib/http.

#include "lib/http/curl_handle_internal.h"
#include "lib/http/curl_transport.h"

namespace truenas::http {

// An endpoint checked and resolved, once a transport.
struct Origin {
  Endpoint endpoint;
  std::string base_url;    // scheme://name:port, by the name that TLS verifies
  std::string connect_to;  // CURLOPT_CONNECT_TO's entry, "" when the names agree
  std::string host_header;
  std::string proxy;   // as libcurl takes it, "" for none
  std::string server;  // host:port, for messages
};

// Kind::config: certificates that cannot be parsed, an unknown proxy scheme, a host or scheme that is none.
Result<Origin> resolve_origin(Endpoint endpoint);

// The lists that an easy handle points into while it works.
struct OptionLists {
  HeaderList headers, connect_to;
};

// Resets the handle and sets everything that depends on the origin only. `origin` and `lists` must outlive
// the exchange.
Result<void> apply_origin(CURL* easy, const Origin& origin, OptionLists& lists);
// Method, URL, headers, body and timeout. Kind::bug for a target or header that would break out of its line.
Result<void> apply_request(CURL* easy, const Origin& origin, const Request& request, OptionLists& lists);
// Refuses what would smuggle a second line or request. The value is not repeated: it may be a secret.
Result<void> check_request(const Request& request);

}  // namespace truenas::http
