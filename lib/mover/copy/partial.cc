#include "lib/mover/copy/partial.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <ctime>

namespace truenas::mover {
namespace {

constexpr std::string_view k_start = ".volume-mover-";
constexpr std::string_view k_end = ".partial";
constexpr std::size_t k_digits = 16;

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits)) return bits;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return (static_cast<std::uint64_t>(now.tv_sec) << 30 | static_cast<std::uint64_t>(now.tv_nsec)) ^
         static_cast<std::uint64_t>(::getpid()) << 48;
}

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

PartialNames::PartialNames() : start_(k_start) {
  const std::uint64_t bits = random_bits();
  for (std::size_t digit = k_digits; digit-- > 0;) start_ += "0123456789abcdef"[bits >> (4 * digit) & 15];
  start_ += '-';
}

std::string PartialNames::next() {
  return start_ + std::to_string(number_++) + std::string(k_end);
}

bool is_partial_name(std::string_view name) {
  if (!name.starts_with(k_start) || !name.ends_with(k_end)) return false;
  const std::string_view middle = name.substr(k_start.size(), name.size() - k_start.size() - k_end.size());
  return middle.size() > k_digits + 1 && middle[k_digits] == '-' &&
         all_of(middle.substr(0, k_digits), "0123456789abcdef") &&
         all_of(middle.substr(k_digits + 1), "0123456789");
}

}  // namespace truenas::mover
