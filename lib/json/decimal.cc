#include <charconv>

#include "lib/json/value_internal.h"

namespace truenas::json {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front of `text`.
std::string_view take_digits(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

// "e+12" at the front of `text`; 0 when there is no exponent.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
  if (text.empty() || (text.front() != 'e' && text.front() != 'E')) return 0;
  text.remove_prefix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 15) return std::nullopt;
  std::int64_t exponent = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  return negative ? -exponent : exponent;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view spelled) {
  Decimal number;
  if (!spelled.empty() && spelled.front() == '-') {
    number.negative = true;
    spelled.remove_prefix(1);
  }
  const std::string_view whole = take_digits(spelled);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return std::nullopt;
  std::string_view fraction;
  if (!spelled.empty() && spelled.front() == '.') {
    spelled.remove_prefix(1);
    fraction = take_digits(spelled);
    if (fraction.empty()) return std::nullopt;
  }
  const std::optional<std::int64_t> exponent = take_exponent(spelled);
  if (!exponent || !spelled.empty()) return std::nullopt;
  number.digits = std::string(whole) + std::string(fraction);
  number.exponent = *exponent - static_cast<std::int64_t>(fraction.size());
  number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size()));
  while (!number.digits.empty() && number.digits.back() == '0') {
    number.digits.pop_back();
    ++number.exponent;
  }
  if (number.digits.empty()) return Decimal{};
  return number;
}

std::optional<std::int64_t> to_integer(std::string_view spelled) {
  std::int64_t plain = 0;
  const char* end = spelled.data() + spelled.size();
  const auto [rest, failure] = std::from_chars(spelled.data(), end, plain);
  if (failure == std::errc{} && rest == end) return plain;
  std::optional<Decimal> number = parse_decimal(spelled);
  if (!number || number->exponent < 0 || number->exponent > 18) return std::nullopt;
  std::string digits = (number->negative ? "-" : "") + number->digits;
  digits.append(static_cast<std::size_t>(number->exponent), '0');
  if (number->digits.empty()) return 0;
  end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, plain);
  if (error != std::errc{} || last != end) return std::nullopt;
  return plain;
}

}  // namespace truenas::json
