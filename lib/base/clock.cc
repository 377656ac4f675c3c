#include "lib/base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"

namespace truenas {
namespace {

class SystemClock final : public Clock {
 public:
  Milliseconds steady() const override {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }
  std::chrono::microseconds wall() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
  }
  Result<void> sleep(Milliseconds duration) override {
    // Slices, because a signal handler can only set a flag.
    const Milliseconds end = steady() + duration;
    while (true) {
      if (interrupted()) return make_error(Kind::interrupted, "interrupted");
      const Milliseconds left = end - steady();
      if (left <= Milliseconds(0)) return {};
      std::this_thread::sleep_for(std::min(left, Milliseconds(50)));
    }
  }
};

std::tm broken_down(std::chrono::microseconds wall) {
  const std::time_t seconds = static_cast<std::time_t>(wall.count() / 1000000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

std::string date_and_time(std::chrono::microseconds wall) {
  const std::tm t = broken_down(wall);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     t.tm_hour, t.tm_min, t.tm_sec);
}

constexpr std::size_t k_date_and_time_length = 19;  // "2026-11-22T13:28:34"

// The decimal number of exactly `length` digits at `at`; -1 when there is none.
int number_at(std::string_view text, std::size_t at, std::size_t length) {
  if (at + length > text.size()) return -1;
  int number = 0;
  for (const char c : text.substr(at, length)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<std::chrono::seconds> take_date_and_time(std::string_view text) {
  if (text.size() < k_date_and_time_length) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  const int hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  const int year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days(date).time_since_epoch()) +
         std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string format_micro_time(std::chrono::microseconds wall) {
  return fmt::format("{}.{:06}Z", date_and_time(wall), wall.count() % 1000000);
}

std::string format_time(std::chrono::microseconds wall) {
  return date_and_time(wall) + "Z";
}

Result<std::chrono::microseconds> parse_time(std::string_view text) {
  const auto bad = [&] {
    return make_error(Kind::format, fmt::format("{} is not an RFC 3339 time", quote(text)));
  };
  const auto moment = take_date_and_time(text);
  if (!moment) return bad();
  std::chrono::microseconds result = *moment;
  std::string_view rest = text.substr(k_date_and_time_length);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    long scale = 100000;
    std::size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits, scale /= 10) {
      result += std::chrono::microseconds((rest[digits] - '0') * scale);
    }
    if (digits == 0) return bad();
    rest.remove_prefix(digits);
  }
  if (rest == "Z" || rest == "z") return result;
  const int hours = number_at(rest, 1, 2), minutes = number_at(rest, 4, 2);
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || hours < 0 || hours > 23 ||
      minutes < 0 || minutes > 59) {
    return bad();
  }
  const auto offset = std::chrono::minutes(hours * 60 + minutes);
  return rest[0] == '+' ? result - offset : result + offset;
}

}  // namespace truenas
