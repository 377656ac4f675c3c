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

}  // namespace truenas::http
