#include "lib/mover/flags.h"

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::mover {
namespace {

Error usage(std::string what) {
  return make_error(Kind::usage, std::move(what));
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view name) const {
  const std::vector<std::string> all = values(name);
  if (all.empty()) return std::nullopt;
  return all.back();
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  std::vector<std::string> result;
  for (const Given& given : given_) {
    if (given.name == name) result.push_back(given.value);
  }
  return result;
}

bool Arguments::has(std::string_view name) const {
  return std::any_of(given_.begin(), given_.end(), [&](const Given& given) { return given.name == name; });
}

Result<Arguments> parse_arguments(const std::vector<std::string>& words, const std::vector<Flag>& flags,
                                  std::size_t paths) {
  Arguments result;
  bool only_paths = false;
  for (const std::string& word : words) {
    if (!only_paths && word == "--") {
      only_paths = true;
      continue;
    }
    if (only_paths || !word.starts_with("--")) {
      if (word.empty()) return usage("a path is empty");
      if (!only_paths && word.front() == '-') return usage("unknown flag " + quote(word));
      result.paths_.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [&](const Flag& known) { return known.name == name; });
    if (flag == flags.end()) return usage("unknown flag " + quote("--" + name));
    const bool has_value = equals != std::string::npos;
    if (has_value && flag->takes == Flag::Takes::nothing) return usage("--" + name + " takes no value");
    if (!has_value && flag->takes == Flag::Takes::value) {
      return usage("--" + name + " needs a value: --" + name + "=VALUE");
    }
    if (!flag->repeatable && result.has(name)) return usage("--" + name + " is given twice");
    result.given_.push_back({name, has_value ? word.substr(equals + 1) : std::string()});
  }
  if (result.paths_.size() != paths) {
    return usage("expected " + count_of(paths, "path") + ", got " + std::to_string(result.paths_.size()));
  }
  return result;
}

Result<std::uint64_t> parse_number(std::string_view flag, std::string_view text, std::uint64_t limit) {
  std::uint64_t number = 0;
  bool good = !text.empty();
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (c < '0' || c > '9' || number > (limit - std::min(digit, limit)) / 10) {
      good = false;
      break;
    }
    number = number * 10 + digit;
  }
  if (good && number <= limit) return number;
  return usage("--" + std::string(flag) + ": " + quote(text) + " is not a number from 0 to " +
               std::to_string(limit));
}

}  // namespace truenas::mover
