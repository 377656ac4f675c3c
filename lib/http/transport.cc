#include "lib/http/transport.h"

#include "lib/base/text.h"

namespace truenas::http {

std::string Response::header(std::string_view name) const {
  const std::string wanted = lower(name);
  for (const auto& [key, value] : headers) {
    if (lower(key) == wanted) return value;
  }
  return {};
}

// In the words of curl_failure.cc and curl_exchange.cc, which are all that tells these apart.
bool connection_broke(const Error& error) {
  for (const char* words :
       {"lost the connection to the server", "closed the connection without a reply (EOF)",
        "closed a kept-alive connection", "the connection ended within the headers"}) {
    if (contains(error.what, words)) return true;
  }
  return false;
}

}  // namespace truenas::http
