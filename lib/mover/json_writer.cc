#include "lib/mover/json_writer.h"

#include "lib/mover/attempt.h"
#include "lib/mover/utf8.h"

namespace truenas::mover {
namespace {

constexpr std::string_view k_replacement = "\xef\xbf\xbd";
constexpr std::string_view k_truncated = ",\"truncated\":true}";

void append_control(std::string& result, unsigned char byte) {
  constexpr std::string_view hex = "0123456789abcdef";
  result += "\\u00";
  result += hex[byte >> 4];
  result += hex[byte & 15];
}

// `text` is valid UTF-8 apart from what becomes the replacement character.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0) {
      result += k_replacement;
    } else if (first == '"' || first == '\\') {
      result += '\\';
      result += text.front();
    } else if (first == '\n') {
      result += "\\n";
    } else if (first < 0x20 || first == 0x7f) {
      append_control(result, first);
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result + "\"";
}

}  // namespace

std::string json_text(std::string_view text) {
  return quoted(text);
}
std::string json_path(std::string_view path) {
  return quoted(shown(path));
}

std::string json_member(std::string_view key, std::string_view value) {
  return quoted(key) + ":" + std::string(value);
}

JsonObject& JsonObject::json(std::string_view key, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  members_ += json_member(key, value);
  return *this;
}

void BoundedObject::add(std::string key, std::string value) {
  members_.push_back(Member{std::move(key), std::move(value), {}, {}});
}
void BoundedObject::add_list(std::string key, std::vector<std::string> elements) {
  members_.push_back(Member{std::move(key), {}, std::move(elements), "[]"});
}
void BoundedObject::add_object(std::string key, std::vector<std::string> members) {
  members_.push_back(Member{std::move(key), {}, std::move(members), "{}"});
}

std::string BoundedObject::str(std::size_t limit) const {
  std::string result = "{";
  bool truncated = false;
  const auto fits = [&](std::size_t bytes) {
    const bool enough = limit == 0 || result.size() + bytes + k_truncated.size() <= limit;
    truncated = truncated || !enough;
    return enough;
  };
  for (const Member& member : members_) {
    const std::string start = (result.size() > 1 ? "," : "") + json_member(member.key, member.value);
    if (!fits(start.size() + member.brackets.size())) continue;
    result += start;
    if (member.brackets.empty()) continue;
    result += member.brackets[0];
    for (const std::string& element : member.elements) {
      if (!fits(element.size() + 2)) break;
      if (&element != &member.elements.front()) result += ',';
      result += element;
    }
    result += member.brackets[1];
  }
  if (!truncated) return result + "}";
  return result.size() > 1 ? result + std::string(k_truncated) : "{\"truncated\":true}";
}

}  // namespace truenas::mover
