#include "lib/base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
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
  int year, month, day, hour, minute, second, used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6 ||
      used == 0) {
    return bad();
  }
  std::tm parts{};
  parts.tm_year = year - 1900, parts.tm_mon = month - 1, parts.tm_mday = day;
  parts.tm_hour = hour, parts.tm_min = minute, parts.tm_sec = second;
  std::chrono::microseconds result = std::chrono::seconds(timegm(&parts));
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(used));
  if (!rest.empty() && rest.front() == '.') {
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
  int offset_hours, offset_minutes;
  char sign;
  if (rest.size() != 6 ||
      std::sscanf(std::string(rest).c_str(), "%c%2d:%2d", &sign, &offset_hours, &offset_minutes) != 3 ||
      (sign != '+' && sign != '-')) {
    return bad();
  }
  const auto offset = std::chrono::minutes(offset_hours * 60 + offset_minutes);
  return sign == '+' ? result - offset : result + offset;
}

}  // namespace truenas
