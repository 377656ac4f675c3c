#include "lib/kube/label_selector.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/text.h"

namespace truenas::kube {
namespace {

// Commas within parentheses belong to a set.
std::vector<std::string_view> requirements_of(std::string_view selector) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool in_set = false;
  for (std::size_t at = 0; at <= selector.size(); ++at) {
    const char c = at < selector.size() ? selector[at] : ',';
    if (at == selector.size() || (c == ',' && !in_set)) {
      parts.push_back(trim(selector.substr(begin, at - begin)));
      begin = at + 1;
    }
    in_set = c == '(' || (in_set && c != ')');
  }
  return parts;
}

bool is_key(std::string_view text) {
  return !text.empty() && text.find_first_of(" ()=!<>,") == std::string_view::npos;
}

class Labels {
 public:
  explicit Labels(const json::Value& object) : labels_(object.at("/metadata/labels")) {}
  const std::string* find(std::string_view key) const {
    const json::Value* value = labels_ != nullptr ? labels_->find(key) : nullptr;
    return value != nullptr ? &value->text() : nullptr;
  }

 private:
  const json::Value* labels_;
};

std::optional<bool> in_set(std::string_view text, const Labels& labels) {
  const std::size_t open = text.find('(');
  if (text.back() != ')') return std::nullopt;
  std::string_view head = trim(text.substr(0, open));
  const std::size_t gap = head.find_last_of(' ');
  if (gap == std::string_view::npos) return std::nullopt;
  const std::string_view verb = head.substr(gap + 1), key = trim(head.substr(0, gap));
  if ((verb != "in" && verb != "notin") || !is_key(key)) return std::nullopt;
  const std::string* value = labels.find(key);
  bool found = false;
  for (const std::string& one : split(text.substr(open + 1, text.size() - open - 2), ',')) {
    found = found || (value != nullptr && trim(one) == *value);
  }
  return found == (verb == "in");
}

std::optional<bool> requirement(std::string_view text, const Labels& labels) {
  if (text.empty()) return std::nullopt;
  if (text.find('(') != std::string_view::npos) return in_set(text, labels);
  for (const std::string_view sign : {"!=", "==", "="}) {
    const std::size_t at = text.find(sign);
    if (at == std::string_view::npos) continue;
    const std::string_view key = trim(text.substr(0, at)), wanted = trim(text.substr(at + sign.size()));
    if (!is_key(key) || (!wanted.empty() && !is_key(wanted))) return std::nullopt;
    const std::string* value = labels.find(key);
    return (value != nullptr && *value == wanted) == (sign != "!=");
  }
  const bool absent = text.front() == '!';
  const std::string_view key = absent ? trim(text.substr(1)) : text;
  if (!is_key(key)) return std::nullopt;
  return (labels.find(key) == nullptr) == absent;
}

}  // namespace

std::optional<bool> matches_labels(std::string_view selector, const json::Value& object) {
  if (trim(selector).empty()) return true;
  const Labels labels(object);
  bool all = true;
  for (const std::string_view part : requirements_of(selector)) {
    const std::optional<bool> one = requirement(part, labels);
    if (!one) return std::nullopt;
    all = all && *one;
  }
  return all;
}

}  // namespace truenas::kube
