#include "lib/base/quantity.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "lib/base/text.h"

namespace truenas {
namespace {

__extension__ using Wide =
    unsigned __int128;  // __extension__: GCC and Clang both have it, -Wpedantic objects

// A decimal number's digits and exponent, so that no binary fraction ever rounds a byte away.
struct Decimal {
  Wide digits = 0;
  int exponent = 0;
};

Result<Decimal> parse_decimal(std::string_view text, std::string_view whole) {
  const auto bad = [&] {
    return make_error(Kind::format, fmt::format("{} is not a quantity", quote(whole)));
  };
  Decimal number;
  bool point = false, any = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      if (number.digits > (static_cast<Wide>(1) << 96)) return bad();
      number.digits = number.digits * 10 + static_cast<unsigned>(c - '0');
      number.exponent -= point ? 1 : 0;
      any = true;
    } else {
      return bad();
    }
  }
  if (!any) return bad();
  return number;
}

Result<std::int64_t> scaled(Decimal number, Wide factor, std::string_view whole) {
  const auto too_big = [&] { return make_error(Kind::format, fmt::format("{} is too large", quote(whole))); };
  constexpr auto limit = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
  Wide value = number.digits;
  if (factor > 1 && value > (~static_cast<Wide>(0)) / factor) return too_big();
  value *= factor;
  for (; number.exponent > 0; --number.exponent) {
    if (value > limit) return too_big();
    value *= 10;
  }
  bool rest = false;
  for (; number.exponent < 0 && value > 0; ++number.exponent) {
    rest = rest || value % 10 != 0;
    value /= 10;
  }
  if (rest) ++value;
  if (value > limit) return too_big();
  return static_cast<std::int64_t>(value);
}

}  // namespace

Result<std::int64_t> parse_quantity(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  TM_TRY_ASSIGN(Decimal number, parse_decimal(text.substr(0, end), text));
  const std::string_view suffix = end == std::string_view::npos ? "" : text.substr(end);
  constexpr std::array<std::pair<std::string_view, int>, 6> binary = {
      {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}, {"Pi", 50}, {"Ei", 60}}};
  for (const auto& [name, bits] : binary) {
    if (suffix == name) return scaled(number, static_cast<Wide>(1) << bits, text);
  }
  constexpr std::array<std::pair<std::string_view, int>, 10> decimal = {{{"", 0},
                                                                         {"n", -9},
                                                                         {"u", -6},
                                                                         {"m", -3},
                                                                         {"k", 3},
                                                                         {"M", 6},
                                                                         {"G", 9},
                                                                         {"T", 12},
                                                                         {"P", 15},
                                                                         {"E", 18}}};
  for (const auto& [name, exponent] : decimal) {
    if (suffix == name) {
      number.exponent += exponent;
      return scaled(number, 1, text);
    }
  }
  if ((suffix[0] == 'e' || suffix[0] == 'E') && suffix.size() > 1 && suffix.size() < 5) {
    const bool negative = suffix[1] == '-';
    const std::string_view digits = suffix.substr(negative || suffix[1] == '+' ? 2 : 1);
    int exponent = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9')
        return make_error(Kind::format, fmt::format("{} is not a quantity", quote(text)));
      exponent = exponent * 10 + (c - '0');
    }
    if (!digits.empty()) {
      number.exponent += negative ? -exponent : exponent;
      return scaled(number, 1, text);
    }
  }
  return make_error(Kind::format, fmt::format("{} is not a quantity", quote(text)));
}

std::string format_bytes(std::int64_t bytes) {
  constexpr std::array<std::string_view, 7> suffixes = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  double value = static_cast<double>(bytes);
  std::size_t step = 0;
  while (value >= 1024 && step + 1 < suffixes.size()) {
    value /= 1024;
    ++step;
  }
  if (step == 0 || value == std::floor(value)) return fmt::format("{:.0f}{}", value, suffixes[step]);
  return fmt::format("{:.1f}{}", value, suffixes[step]);
}

std::string format_age(std::chrono::seconds age) {
  const long long s = age.count();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  const long long m = s / 60, h = m / 60, d = h / 24;
  const auto pair = [](long long big, char b, long long small, char l) {
    return small == 0 ? fmt::format("{}{}", big, b) : fmt::format("{}{}{}{}", big, b, small, l);
  };
  if (s < 120) return fmt::format("{}s", s);
  if (m < 10) return pair(m, 'm', s % 60, 's');
  if (m < 180) return fmt::format("{}m", m);
  if (h < 8) return pair(h, 'h', m % 60, 'm');
  if (h < 48) return fmt::format("{}h", h);
  if (d < 8) return pair(d, 'd', h % 24, 'h');
  if (d < 365LL * 2) return fmt::format("{}d", d);
  if (d < 365LL * 8) return pair(d / 365, 'y', d % 365, 'd');
  return fmt::format("{}y", d / 365);
}

std::string format_elapsed(std::chrono::milliseconds elapsed) {
  const long long ms = elapsed.count(), s = ms / 1000;
  if (ms < 10000) return fmt::format("{}.{}s", s, ms % 1000 / 100);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}h{:02}m", s / 3600, s % 3600 / 60);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return make_error(
        Kind::usage,
        fmt::format("{} is not a duration: an integer of seconds, or numbers with units (1s | 2m | 3h)",
                    quote(text)));
  };
  if (text.empty() || text.size() > 32) return bad();
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    if (text.size() > 10) return bad();
    return std::chrono::milliseconds(std::stoll(std::string(text)) * 1000);
  }
  constexpr std::array<std::pair<std::string_view, double>, 7> units = {
      {{"ms", 1}, {"us", 1e-3}, {"\u00b5s", 1e-3}, {"ns", 1e-6}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}}};
  double total = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos || digits > 12) return bad();
    const std::string number(text.substr(0, digits));
    if (number == "." || number.find('.') != number.rfind('.')) return bad();
    text.remove_prefix(digits);
    bool found = false;
    for (const auto& [name, scale] : units) {
      if (text.substr(0, name.size()) == name) {
        total += std::stod(number) * scale;
        text.remove_prefix(name.size());
        found = true;
        break;
      }
    }
    if (!found) return bad();
  }
  if (total > 3.15e12) return bad();  // a hundred years
  return std::chrono::milliseconds(static_cast<long long>(std::ceil(total)));
}

}  // namespace truenas
