#include "lib/coder/name_pattern.h"

#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <charconv>

#include "lib/base/text.h"

namespace truenas::coder {
namespace {

constexpr std::size_t k_longest = 256;
// What the counted repetitions of a pattern may multiply to: "[0-9a-f]{8}-…{12}" for a UUID is 6144.
constexpr std::size_t k_most_repeated = 10000;

// The product of the upper bounds of all "{n,m}".
std::size_t repetition(const std::string& text) {
  std::size_t product = 1;
  for (std::size_t i = text.find('{'); i != std::string::npos; i = text.find('{', i + 1)) {
    std::size_t bound = 1;
    for (std::size_t at = i; at < text.size() && text[at] != '}'; ++at) {
      std::size_t number = 0;
      std::from_chars(text.data() + at, text.data() + text.size(), number);
      bound = std::max(bound, number);
    }
    if (bound > k_most_repeated / product) return k_most_repeated + 1;
    product *= bound;
  }
  return product;
}

bool refers_back(const std::string& text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    if (text[i + 1] >= '1' && text[i + 1] <= '9') return true;
    ++i;
  }
  return false;
}

}  // namespace

struct NamePattern::Compiled {
  regex_t automaton{};
  bool made = false;
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (made) regfree(&automaton);
  }
};

Result<NamePattern> NamePattern::compile(const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    return make_error(Kind::usage, fmt::format("pattern {}: {}", quote(text.substr(0, 80)), why));
  };
  if (text.size() > k_longest) return refuse("longer than 256 characters");
  if (text.find('\0') != std::string::npos) return refuse("has a NUL in it");
  if (refers_back(text)) return refuse("references to groups are not supported");
  if (repetition(text) > k_most_repeated) return refuse("its repetitions multiply to too much");
  const auto compiled = std::make_shared<Compiled>();
  const int code = regcomp(&compiled->automaton, text.c_str(), REG_EXTENDED | REG_NOSUB);
  if (code != 0) {
    char why[128] = "";
    regerror(code, &compiled->automaton, why, sizeof why);
    return refuse(lower(std::string(why).substr(0, 1)) + std::string(why).substr(1));
  }
  compiled->made = true;
  NamePattern pattern;
  pattern.compiled_ = compiled;
  return pattern;
}

bool NamePattern::matches(const std::string& name) const {
  return compiled_ != nullptr && regexec(&compiled_->automaton, name.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace truenas::coder
