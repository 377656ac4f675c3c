// What the text between quotes or of a heredoc means, and the bytes of UTF-8.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/coder/hcl_token.h"
#include "lib/coder/hcl_utf8.h"

namespace truenas::coder {
namespace {

// Bytes that follow a first byte, and the range of the second (RFC 3629, section 4).
struct Sequence {
  std::size_t more;
  unsigned low, high;
};

std::optional<Sequence> sequence_of(unsigned first) {
  if (first < 0x80) return Sequence{0, 0x80, 0xbf};
  if (first >= 0xc2 && first <= 0xdf) return Sequence{1, 0x80, 0xbf};
  if (first >= 0xe0 && first <= 0xef)
    return Sequence{2, first == 0xe0 ? 0xa0u : 0x80u, first == 0xed ? 0x9fu : 0xbfu};
  if (first >= 0xf0 && first <= 0xf4)
    return Sequence{3, first == 0xf0 ? 0x90u : 0x80u, first == 0xf4 ? 0x8fu : 0xbfu};
  return std::nullopt;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code point of the `count` hex digits at `at`; nullopt where they are no digits.
std::optional<std::uint32_t> code_point(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

// Appends what the escape at `at` (a backslash) stands for; false where HCL knows no such escape.
bool append_escape(std::string_view text, std::size_t& at, std::string& value) {
  const char letter = at + 1 < text.size() ? text[at + 1] : '\0';
  if (letter == 'u' || letter == 'U') {
    const std::size_t digits = letter == 'u' ? 4 : 8;
    const auto point = code_point(text, at + 2, digits);
    const std::string bytes = point ? utf8_of(*point) : "";
    value += bytes;
    at += 2 + digits;
    return !bytes.empty();
  }
  constexpr std::string_view letters = "nrt\"\\", meant = "\n\r\t\"\\";
  const std::size_t known = letters.find(letter);
  if (known == std::string_view::npos) return false;
  value += meant[known];
  at += 2;
  return true;
}

}  // namespace

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at]));
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto sequence = sequence_of(byte(at));
    if (!sequence || at + sequence->more >= text.size()) return at;
    for (std::size_t i = 1; i <= sequence->more; ++i) {
      const unsigned low = i == 1 ? sequence->low : 0x80u, high = i == 1 ? sequence->high : 0xbfu;
      if (byte(at + i) < low || byte(at + i) > high) return at;
    }
    at += sequence->more + 1;
  }
  return std::nullopt;
}

std::string utf8_of(std::uint32_t point) {
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return "";
  const auto tail = [&](unsigned shift) { return static_cast<char>(0x80u | ((point >> shift) & 0x3fu)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0u | (point >> 6)), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0u | (point >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xf0u | (point >> 18)), tail(12), tail(6), tail(0)};
}

std::string_view without_space(std::string_view text) {
  static constexpr std::array<std::string_view, 25> spaces = {" ",
                                                              "\t",
                                                              "\n",
                                                              "\v",
                                                              "\f",
                                                              "\r",
                                                              "\xc2\x85",
                                                              "\xc2\xa0",
                                                              "\xe1\x9a\x80",
                                                              "\xe2\x80\x80",
                                                              "\xe2\x80\x81",
                                                              "\xe2\x80\x82",
                                                              "\xe2\x80\x83",
                                                              "\xe2\x80\x84",
                                                              "\xe2\x80\x85",
                                                              "\xe2\x80\x86",
                                                              "\xe2\x80\x87",
                                                              "\xe2\x80\x88",
                                                              "\xe2\x80\x89",
                                                              "\xe2\x80\x8a",
                                                              "\xe2\x80\xa8",
                                                              "\xe2\x80\xa9",
                                                              "\xe2\x80\xaf",
                                                              "\xe2\x81\x9f",
                                                              "\xe3\x80\x80"};
  const auto is_at_front = [&](std::string_view space) { return text.starts_with(space); };
  const auto is_at_back = [&](std::string_view space) { return text.ends_with(space); };
  for (auto space = spaces.begin(); space != spaces.end();) {
    space = std::find_if(spaces.begin(), spaces.end(), is_at_front);
    if (space != spaces.end()) text.remove_prefix(space->size());
  }
  for (auto space = spaces.begin(); space != spaces.end();) {
    space = std::find_if(spaces.begin(), spaces.end(), is_at_back);
    if (space != spaces.end()) text.remove_suffix(space->size());
  }
  return text;
}

Result<std::string> literal_value(const TokenList& list, std::size_t index, bool in_quotes) {
  const std::string_view text = list.of(index);
  std::string value;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("$${") || rest.starts_with("%%{")) {
      value += rest.substr(1, 2);
      at += 3;
    } else if (in_quotes && text[at] == '\\') {
      if (!append_escape(text, at, value)) {
        return make_error(Kind::format, fmt::format("{}:{}: HCL knows no escape {}", list.file,
                                                    list.tokens[index].line, quote(rest.substr(0, 2))));
      }
    } else {
      value += text[at++];
    }
  }
  return value;
}

}  // namespace truenas::coder
