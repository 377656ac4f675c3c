#include "tests/fakes/api_path.h"

#include <charconv>
#include <vector>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

void parse_query(std::string_view text, std::multimap<std::string, std::string>& query) {
  for (const std::string& pair : split(text, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string value = equals == std::string::npos ? "" : pair.substr(equals + 1);
    query.emplace(percent_decode(pair.substr(0, equals)), percent_decode(value));
  }
}

}  // namespace

std::string percent_decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

const std::string& ApiPath::parameter(std::string_view key) const {
  static const std::string none;
  const auto found = query.find(std::string(key));
  return found != query.end() ? found->second : none;
}

std::optional<ApiPath> parse_api_path(std::string_view target) {
  ApiPath path;
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) parse_query(target.substr(mark + 1), path.query);
  std::vector<std::string> parts;
  for (const std::string& part : split(target.substr(0, mark), '/')) {
    if (!part.empty()) parts.push_back(percent_decode(part));
  }
  std::size_t at = 0;
  if (parts.size() >= 3 && parts[0] == "api") {
    path.version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    path.group = parts[1];
    path.version = parts[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  // "/namespaces/x" is the object; "/namespaces/x/pods" are pods in it; "/namespaces/x/status" its status.
  const bool scoped = parts.size() > at + 2 && parts[at] == "namespaces" && parts[at + 2] != "status" &&
                      parts[at + 2] != "finalize";
  if (scoped) {
    path.ns = parts[at + 1];
    at += 2;
  }
  path.plural = parts[at++];
  if (at < parts.size()) path.name = parts[at++];
  if (at < parts.size()) path.subresource = parts[at++];
  return at == parts.size() ? std::optional(path) : std::nullopt;
}

}  // namespace truenas::fakes
