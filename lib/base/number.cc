#include "lib/base/number.h"

#include <charconv>

namespace truenas {

int leading_number(std::string_view text) {
  int number = 0;
  if (text.empty() || text.front() == '-') return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  static_cast<void>(end);
  return error == std::errc() ? number : 0;
}

}  // namespace truenas
