#include "plugin/arguments.h"

#include <fmt/format.h>

#include <charconv>

// A value may contain commas (groups, selectors): never split it.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <algorithm>
#include <cxxopts.hpp>

#include "lib/base/text.h"

namespace truenas::plugin {
namespace {

std::vector<std::string> names_of(const std::vector<FlagGroup>& groups) {
  std::vector<std::string> names;
  for (const FlagGroup& group : groups) {
    for (const Flag& flag : group.flags) names.push_back(flag.name);
  }
  return names;
}

// "-n=coder" and "--v=6" are kubectl's spellings that cxxopts does not take.
std::vector<std::string> normalised(std::vector<std::string> words) {
  std::vector<std::string> result;
  bool flags = true;
  for (std::string& word : words) {
    if (word == "--") flags = false;
    const bool one_letter = word.size() > 2 && word[0] == '-' && word[1] != '-' && word[2] == '=';
    const bool one_letter_long = word.size() > 3 && word.rfind("--", 0) == 0 && word[3] == '=';
    if (flags && one_letter) {
      result.push_back(word.substr(0, 2));
      result.push_back(word.substr(3));
    } else if (flags && (one_letter_long || (word.size() == 3 && word.rfind("--", 0) == 0))) {
      result.push_back("-" + word.substr(2, 1));
      if (one_letter_long) result.push_back(word.substr(4));
    } else {
      result.push_back(std::move(word));
    }
  }
  return result;
}

cxxopts::Options build_options(const std::vector<FlagGroup>& groups) {
  cxxopts::Options options("kubectl truenas-migrate");
  for (const FlagGroup& group : groups) {
    for (const Flag& flag : group.flags) {
      const bool both = flag.short_name != 0 && flag.name.size() > 1;
      const std::string name = both ? fmt::format("{},{}", flag.short_name, flag.name) : flag.name;
      if (flag.value.empty()) {
        options.add_options()(name, flag.help, cxxopts::value<bool>());
      } else if (!flag.bare.empty()) {
        options.add_options()(name, flag.help,
                              cxxopts::value<std::vector<std::string>>()->implicit_value(flag.bare));
      } else {
        options.add_options()(name, flag.help, cxxopts::value<std::vector<std::string>>());
      }
    }
  }
  options.add_options()("positionals", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional("positionals");
  return options;
}

// cxxopts names the flag in its text, between quotation marks of its own.
Error usage_error(const std::string& what, const std::vector<FlagGroup>& groups,
                  const std::vector<std::string>& words) {
  const std::vector<std::string> names = names_of(groups);
  for (const std::string& word : words) {
    if (word.rfind("--", 0) != 0) continue;
    const std::string name = word.substr(2, word.find('=') - 2);
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) continue;
    Error error = make_error(Kind::usage, fmt::format("unknown flag: --{}", printable(name)));
    if (const auto near = nearest(name, names))
      error.hints.push_back(fmt::format("did you mean --{}?", *near));
    return error;
  }
  std::string text = what;
  for (const std::string_view mark : {"\u2018", "\u2019"}) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
      text.replace(at, mark.size(), "'");
    }
  }
  return make_error(Kind::usage, lower(text.substr(0, 1)) + printable(text.substr(1)));
}

}  // namespace

bool Arguments::given(const std::string& name) const {
  return values_.count(name) > 0;
}

std::optional<std::string> Arguments::optional_text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.back();
}

std::string Arguments::text(const std::string& name) const {
  if (const auto given_text = optional_text(name)) return *given_text;
  const auto fallback = fallbacks_.find(name);
  return fallback == fallbacks_.end() ? "" : fallback->second;
}

std::vector<std::string> Arguments::texts(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

bool Arguments::yes(const std::string& name) const {
  return optional_text(name) == "true";
}

Result<Arguments> parse_arguments(const std::vector<FlagGroup>& groups, std::vector<std::string> words) {
  words = normalised(std::move(words));
  std::vector<const char*> argv = {"kubectl-truenas_migrate"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  Arguments arguments;
  try {
    cxxopts::Options options = build_options(groups);
    const auto parsed = options.parse(static_cast<int>(argv.size()), argv.data());
    for (const FlagGroup& group : groups) {
      for (const Flag& flag : group.flags) {
        if (!flag.fallback.empty()) arguments.fallbacks_[flag.name] = flag.fallback;
        if (parsed.count(flag.name) == 0) continue;
        if (flag.value.empty()) {
          arguments.values_[flag.name] = {parsed[flag.name].as<bool>() ? "true" : "false"};
        } else {
          arguments.values_[flag.name] = parsed[flag.name].as<std::vector<std::string>>();
        }
      }
    }
    if (parsed.count("positionals") > 0) {
      arguments.positionals_ = parsed["positionals"].as<std::vector<std::string>>();
    }
  } catch (const cxxopts::exceptions::exception& exception) {
    return usage_error(exception.what(), groups, words);
  }
  return arguments;
}

Result<std::size_t> read_count(const Arguments& arguments, const std::string& flag, std::size_t least,
                               std::size_t most) {
  const std::string text = arguments.text(flag);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return make_error(Kind::usage, fmt::format("--{} wants a number from {} to {}, got {}", flag, least, most,
                                               quote(text)));
  }
  return number;
}

std::string render_flags(const std::vector<FlagGroup>& groups) {
  std::string text;
  for (const FlagGroup& group : groups) {
    text += fmt::format("\n{}:\n", group.title);
    for (const Flag& flag : group.flags) {
      std::string left = flag.short_name ? fmt::format("  -{}, --{}", flag.short_name, flag.name)
                                         : fmt::format("      --{}", flag.name);
      if (!flag.value.empty()) left += "=" + flag.value;
      std::string help = flag.help;
      if (flag.repeated) help += " Repeatable.";
      if (!flag.fallback.empty()) help += fmt::format(" (default {})", flag.fallback);
      text += fmt::format("{:<36} {}\n", left, help);
    }
  }
  return text;
}

}  // namespace truenas::plugin
