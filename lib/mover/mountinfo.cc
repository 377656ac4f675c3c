#include <algorithm>
#include <charconv>

#include "lib/mover/tree.h"

namespace truenas::mover {
namespace {

// Space, tab, line feed and backslash are written as three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto digit = [&](std::size_t offset) {
      const bool there = at + offset < text.size() && text[at + offset] >= '0' && text[at + offset] <= '7';
      return there ? text[at + offset] - '0' : -1;
    };
    if (text[at] == '\\' && digit(1) >= 0 && digit(2) >= 0 && digit(3) >= 0) {
      plain += static_cast<char>(digit(1) * 64 + digit(2) * 8 + digit(3));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size();
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// id parent major:minor root point options [optional…] - type source super-options
bool parse_line(std::string_view line, Mount& mount) {
  const std::vector<std::string_view> words = words_of(line);
  std::size_t dash = 6;
  while (dash < words.size() && words[dash] != "-") ++dash;
  if (dash + 2 >= words.size()) return false;
  const std::size_t colon = words[2].find(':');
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  if (colon == std::string_view::npos || !read_number(words[2].substr(0, colon), major) ||
      !read_number(words[2].substr(colon + 1), minor) || !read_number(words[0], mount.id))
    return false;
  mount.device = (major << 32) | minor;
  mount.root = unescape(words[3]);
  mount.point = unescape(words[4]);
  mount.type = words[dash + 1];
  mount.source = unescape(words[dash + 2]);
  mount.options = words[5];
  if (dash + 3 < words.size()) mount.options += "," + std::string(words[dash + 3]);
  return true;
}

bool lies_on(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  return path.substr(0, point.size()) == point && (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Mount mount;
    if (parse_line(text.substr(0, end), mount)) mounts.push_back(std::move(mount));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return mounts;
}

const Mount* find_mount(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* found = nullptr;
  for (const Mount& mount : mounts)
    if (lies_on(path, mount.point) && (found == nullptr || mount.point.size() >= found->point.size()))
      found = &mount;
  return found;
}

}  // namespace truenas::mover
