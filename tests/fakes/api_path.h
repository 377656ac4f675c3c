#pragma once
// What a request's target means to an API server: resource, namespace, name, subresource and query. Pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace truenas::fakes {

struct ApiPath {
  std::string group, version, plural, ns, name, subresource;
  std::multimap<std::string, std::string> query;
  // First value of a query parameter, "" if absent.
  const std::string& parameter(std::string_view key) const;
};
// nullopt when the target is no resource path ("/version", "/healthz").
std::optional<ApiPath> parse_api_path(std::string_view target);
std::string percent_decode(std::string_view text);

}  // namespace truenas::fakes
