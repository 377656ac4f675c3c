#include "tests/fakes/selector.h"

#include <algorithm>
#include <string>
#include <vector>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

// Splits at commas that are not inside parentheses.
std::vector<std::string> requirements(std::string_view selector) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : selector) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.push_back(std::exchange(part, {}));
    } else {
      part += c;
    }
  }
  parts.push_back(part);
  return parts;
}

const std::string* label(const json::Value& object, std::string_view key) {
  const json::Value* labels = object.at("/metadata/labels");
  const json::Value* value = labels != nullptr ? labels->find(key) : nullptr;
  return value != nullptr ? &value->text() : nullptr;
}

// "key in (a, b)" and "key notin (a)".
std::optional<bool> set_requirement(const std::string& text, const json::Value& object) {
  const std::size_t open = text.find('('), close = text.find(')');
  if (close != text.size() - 1 || open == std::string::npos) return std::nullopt;
  const std::vector<std::string> words = split(trim(std::string_view(text).substr(0, open)), ' ');
  if (words.size() < 2 || (words.back() != "in" && words.back() != "notin")) return std::nullopt;
  const std::string* value = label(object, words.front());
  const auto values = split(std::string_view(text).substr(open + 1, close - open - 1), ',');
  const bool found =
      value != nullptr &&
      std::any_of(values.begin(), values.end(), [&](const std::string& one) { return trim(one) == *value; });
  return words.back() == "in" ? found : !found;
}

struct Equation {
  std::string left, right;
  bool equal = true;
};

std::optional<Equation> equation(const std::string& text) {
  for (const std::string_view sign : {"!=", "==", "="}) {
    const std::size_t at = text.find(sign);
    if (at == std::string::npos) continue;
    return Equation{std::string(trim(text.substr(0, at))), std::string(trim(text.substr(at + sign.size()))),
                    sign != "!="};
  }
  return std::nullopt;
}

std::optional<bool> label_requirement(const std::string& text, const json::Value& object) {
  if (text.find('(') != std::string::npos) return set_requirement(text, object);
  if (const auto both = equation(text)) {
    const std::string* value = label(object, both->left);
    return (value != nullptr && *value == both->right) == both->equal;
  }
  if (text.starts_with('!')) return label(object, trim(std::string_view(text).substr(1))) == nullptr;
  if (text.empty() || text.find(' ') != std::string::npos) return std::nullopt;
  return label(object, text) != nullptr;
}

std::optional<bool> field_requirement(const std::string& text, const json::Value& object) {
  const auto both = equation(text);
  if (!both) return std::nullopt;
  std::string pointer;
  for (const std::string& part : split(both->left, '.')) pointer += "/" + part;
  return (object.text_at(pointer) == both->right) == both->equal;
}

using Requirement = std::optional<bool> (*)(const std::string&, const json::Value&);

std::optional<bool> all_of(std::string_view selector, const json::Value& object, Requirement requirement) {
  if (trim(selector).empty()) return true;
  bool matches = true;
  for (const std::string& part : requirements(selector)) {
    const std::optional<bool> one = requirement(std::string(trim(part)), object);
    if (!one) return std::nullopt;
    matches = matches && *one;
  }
  return matches;
}

}  // namespace

std::optional<bool> matches_labels(std::string_view selector, const json::Value& object) {
  return all_of(selector, object, label_requirement);
}

std::optional<bool> matches_fields(std::string_view selector, const json::Value& object) {
  return all_of(selector, object, field_requirement);
}

}  // namespace truenas::fakes
