#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "tests/fakes/coderd_text.h"

namespace truenas::fakes {
namespace {

Result<std::string> fill_holes(const std::string& text, const TextValues& values) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 3, "$${") == 0) {
      result += "${", at += 3;
    } else if (text.compare(at, 2, "${") == 0) {
      const std::size_t close = text.find('}', at);
      if (close == std::string::npos) return make_error(Kind::format, "template: a hole does not end");
      TM_TRY_ASSIGN(const TextExpression hole,
                    parse_text_expression(std::string_view(text).substr(at + 2, close - at - 2)));
      TM_TRY_ASSIGN(const std::string filled, evaluate(hole, values));
      result += filled, at = close + 1;
    } else {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      result += text[at++];
    }
  }
  return result;
}

}  // namespace

Result<std::string> evaluate(const TextExpression& expression, const TextValues& values) {
  if (expression.kind == TextExpression::Kind::text) return fill_holes(expression.text, values);
  if (expression.kind == TextExpression::Kind::reference) {
    const std::string& name = expression.text;
    const bool is_number = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number || name == "null" || name == "true" || name == "false") return name;
    if (const auto found = values.find(name); found != values.end()) return found->second;
  }
  if (expression.kind == TextExpression::Kind::call && expression.text == "lower" &&
      expression.items.size() == 1) {
    TM_TRY_ASSIGN(const std::string inner, evaluate(expression.items.front(), values));
    return lower(inner);
  }
  return make_error(Kind::format,
                    fmt::format("template: the stand-in cannot evaluate {}", quote(expression.text)));
}

}  // namespace truenas::fakes
