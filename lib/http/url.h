#pragma once
// URLs as kubeconfig has them and query strings as the API server wants them. Pure.

#include <string>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace truenas::http {

struct Url {
  std::string scheme, host, path;  // path keeps its prefix, without a trailing slash (R5)
  int port = 0;
};
// R5: no scheme means http; query and fragment are dropped; IPv6 in brackets.
Result<Url> parse_server_url(std::string_view text);
// "?a=1&b=2" with keys sorted and everything percent-encoded (H7), "" when there are none.
std::string query_string(std::vector<std::pair<std::string, std::string>> parameters);

}  // namespace truenas::http
