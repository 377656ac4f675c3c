#include "lib/json/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace truenas::json {
namespace {

constexpr std::array<std::string_view, 11> k_true{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                  "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> k_false{"n",     "N",     "no",  "No",  "NO", "false",
                                                   "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> k_null{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> k_not_json{".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                                      "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t digits_at(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - from;
}

// Go's ParseInt(text, 0, 64) and ParseUint: decimal, 0x, 0b, 0o and a bare leading 0 for octal.
std::optional<std::string> integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  const bool is_signed = negative || text.starts_with('+');
  if (is_signed) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t magnitude = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, magnitude, base);
  if (text.empty() || failure != std::errc{} || rest != end) return std::nullopt;
  const std::uint64_t limit = std::uint64_t{1} << 63;
  if ((negative && magnitude > limit) || (is_signed && !negative && magnitude >= limit)) return std::nullopt;
  return (negative && magnitude != 0 ? "-" : "") + std::to_string(magnitude);
}

// ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$, respelled so that it is a JSON number.
std::optional<std::string> floating(std::string_view text) {
  std::string spelled;
  if (text.starts_with('-')) spelled = "-";
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t whole = digits_at(text, 0);
  const std::string_view digits = text.substr(0, whole);
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), whole);
  spelled += zeros == whole ? "0" : std::string(digits.substr(zeros));
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    const std::size_t fraction = digits_at(text, 1);
    if (whole + fraction == 0) return std::nullopt;
    if (fraction > 0) spelled += text.substr(0, fraction + 1);
    text.remove_prefix(fraction + 1);
  } else if (whole == 0) {
    return std::nullopt;
  }
  if (!text.empty()) {
    if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
    const std::size_t sign = text.size() > 1 && (text[1] == '-' || text[1] == '+') ? 1 : 0;
    const std::size_t exponent = digits_at(text, 1 + sign);
    if (exponent == 0 || 1 + sign + exponent != text.size()) return std::nullopt;
    spelled += text;
  }
  double value = 0;
  const auto [rest, failure] = std::from_chars(spelled.data(), spelled.data() + spelled.size(), value);
  if (failure != std::errc{}) return std::nullopt;  // too large for Go's float64: stays text there too
  return spelled;
}

// Takes between `least` and `most` digits at the front of `text`.
bool take_digits(std::string_view& text, std::size_t least, std::size_t most) {
  const std::size_t count = digits_at(text, 0);
  if (count < least || count > most) return false;
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The formats that Go's YAML would read as a time and therefore quotes.
bool is_timestamp(std::string_view text) {
  if (!take_digits(text, 4, 4) || !take(text, "-") || !take_digits(text, 1, 2) || !take(text, "-") ||
      !take_digits(text, 1, 2)) {
    return false;
  }
  if (text.empty()) return true;
  const bool zoned = text.front() != ' ';
  if (!take(text, "Tt ") || !take_digits(text, 1, 2) || !take(text, ":") || !take_digits(text, 1, 2) ||
      !take(text, ":") || !take_digits(text, 1, 2)) {
    return false;
  }
  if (take(text, ".") && !take_digits(text, 1, 9)) return false;
  if (!zoned || text == "Z") return zoned ? true : text.empty();
  return take(text, "+-") && take_digits(text, 2, 2) && take(text, ":") && take_digits(text, 2, 2) &&
         text.empty();
}

// "1:30", "190:20:30.15": numbers to the base of 60 in YAML 1.1; Go quotes them for other readers.
bool is_base_60(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || c == ':' || c == '.' || c == '_' || c == '-' || c == '+';
  });
}

}  // namespace

Result<Value> resolve_plain_scalar(const std::string& text) {
  if (is_one_of(k_null, text)) return Value();
  if (is_one_of(k_true, text)) return Value(true);
  if (is_one_of(k_false, text)) return Value(false);
  if (is_one_of(k_not_json, text)) return make_error(Kind::format, text + " has no form in JSON");
  if (text[0] != '.' && text[0] != '+' && text[0] != '-' && !is_digit(text[0])) return Value(text);
  if (text[0] == '.') {
    if (auto number = floating(text)) return Value::number(std::move(*number));
    return Value(text);
  }
  std::string plain = text;
  std::erase(plain, '_');
  if (auto number = integer(plain)) return Value::number(std::move(*number));
  if (auto number = floating(plain)) return Value::number(std::move(*number));
  return Value(text);
}

bool resolves_to_string(const std::string& text) {
  if (text == "<<" || text == "=" || is_timestamp(text) || is_base_60(text)) return false;
  const Result<Value> value = resolve_plain_scalar(text);
  return value.ok() && value->is_string();
}

bool is_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead == 0) return false;
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 0 || lead > 0xf4 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      const unsigned low = k == 1 && lead == 0xe0 ? 0xa0 : k == 1 && lead == 0xf0 ? 0x90 : 0x80;
      const unsigned high = k == 1 && lead == 0xed ? 0x9f : k == 1 && lead == 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace truenas::json
