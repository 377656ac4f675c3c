#include "lib/mover/path_text.h"

#include "lib/mover/attempt.h"

namespace truenas::mover {

std::optional<std::string> path_of_shown(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string path;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      path += text[at];
      continue;
    }
    if (at + 3 >= text.size() || text[at + 1] != 'x') return std::nullopt;
    const std::size_t high = digits.find(text[at + 2]);
    const std::size_t low = digits.find(text[at + 3]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    path += static_cast<char>(high << 4 | low);
    at += 3;
  }
  if (shown(path) != text) return std::nullopt;  // one text a path
  return path;
}

std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace truenas::mover
