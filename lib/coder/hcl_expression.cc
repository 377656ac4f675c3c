#include "lib/coder/hcl_expression.h"

#include "lib/base/text.h"

namespace truenas::coder {
namespace {

constexpr int k_locals_followed = 8;

const Token& token(const Expression& expression, std::size_t index) {
  return expression.list->tokens[index];
}

// Without the new lines around it, which mean nothing inside brackets.
Expression trimmed(Expression expression) {
  if (expression.list == nullptr) return expression;
  TokenRange& range = expression.range;
  while (!range.empty() && token(expression, range.first).kind == TokenKind::newline) ++range.first;
  while (!range.empty() && token(expression, range.last - 1).kind == TokenKind::newline) --range.last;
  return expression;
}

// Whether the whole expression is one pair that begins with `opening`.
bool is_pair(const Expression& expression, std::string_view opening) {
  const TokenRange& range = expression.range;
  return !range.empty() && token(expression, range.first).partner == range.last - 1 &&
         range.last - 1 > range.first && expression.list->of(range.first) == opening;
}

Expression inside(const Expression& expression) {
  return trimmed({expression.list, {expression.range.first + 1, expression.range.last - 1}});
}

bool begins_with_for(const Expression& expression) {
  return !expression.range.empty() && expression.list->of(expression.range.first) == "for";
}

// Splits at commas, and at new lines where `lines` says so; empty parts are left out.
std::vector<Expression> parts_of(const Expression& expression, bool lines) {
  std::vector<Expression> parts;
  std::size_t begin = expression.range.first;
  const auto part = [&](std::size_t end) {
    const Expression one = trimmed({expression.list, {begin, end}});
    if (!one.range.empty()) parts.push_back(one);
    begin = end + 1;
  };
  for (std::size_t at = begin; at < expression.range.last;) {
    const Token& here = token(expression, at);
    if ((here.kind == TokenKind::symbol && expression.list->of(at) == ",") ||
        (lines && here.kind == TokenKind::newline)) {
      part(at);
    }
    at = here.partner > at ? here.partner + 1 : at + 1;
  }
  part(expression.range.last);
  return parts;
}

// "key" or key; nullopt where it is an expression.
std::optional<std::string> key_of(const Expression& key) {
  const TokenRange& range = key.range;
  if (range.last - range.first == 1) {
    const TokenKind kind = token(key, range.first).kind;
    if (kind != TokenKind::identifier && kind != TokenKind::number) return std::nullopt;
    return std::string(key.list->of(range.first));
  }
  if (!is_pair(key, "\"") || range.last - range.first != 3) return std::nullopt;
  if (token(key, range.first + 1).kind != TokenKind::literal) return std::nullopt;
  const auto value = literal_value(*key.list, range.first + 1, true);
  return value.ok() ? std::optional(value.value()) : std::nullopt;
}

}  // namespace

std::string source_of(const Expression& given) {
  const Expression expression = trimmed(given);
  if (expression.list == nullptr || expression.range.empty()) return "";
  const std::size_t begin = token(expression, expression.range.first).begin;
  return std::string(
      expression.list->text.substr(begin, token(expression, expression.range.last - 1).end - begin));
}

std::string squeezed(const Expression& expression) {
  std::string text;
  if (expression.list == nullptr) return text;
  for (std::size_t at = expression.range.first; at < expression.range.last; ++at) {
    if (token(expression, at).kind != TokenKind::newline) text += expression.list->of(at);
  }
  return text;
}

Expression followed(const Expression& given, const Locals& locals) {
  Expression expression = trimmed(given);
  for (int steps = 0; steps < k_locals_followed && expression.list != nullptr; ++steps) {
    while (is_pair(expression, "(")) expression = inside(expression);
    const TokenRange& range = expression.range;
    const bool is_local = range.last - range.first == 3 && expression.list->of(range.first) == "local" &&
                          expression.list->of(range.first + 1) == "." &&
                          token(expression, range.first + 2).kind == TokenKind::identifier;
    const auto local = is_local ? locals.find(expression.list->of(range.first + 2)) : locals.end();
    if (local == locals.end() || local->second.list == nullptr) return expression;
    expression = trimmed(local->second);
  }
  return expression;
}

bool is_null(const Expression& expression) {
  return expression.list != nullptr && expression.range.last == expression.range.first + 1 &&
         expression.list->of(expression.range.first) == "null";
}

std::optional<std::vector<Expression>> list_items(const Expression& expression) {
  if (expression.list == nullptr || !is_pair(expression, "[")) return std::nullopt;
  const Expression items = inside(expression);
  if (begins_with_for(items)) return std::nullopt;
  return parts_of(items, false);
}

std::optional<std::vector<ObjectItem>> object_items(const Expression& expression) {
  if (expression.list == nullptr || !is_pair(expression, "{")) return std::nullopt;
  const Expression body = inside(expression);
  if (begins_with_for(body)) return std::nullopt;
  std::vector<ObjectItem> items;
  for (const Expression& part : parts_of(body, true)) {
    std::size_t sign = part.range.first;
    while (sign < part.range.last && part.list->of(sign) != "=" && part.list->of(sign) != ":") {
      const std::size_t partner = token(part, sign).partner;
      sign = partner > sign ? partner + 1 : sign + 1;
    }
    const auto key = key_of({part.list, {part.range.first, sign}});
    const Expression value = trimmed({part.list, {sign + 1, part.range.last}});
    if (!key || sign >= part.range.last || value.range.empty()) return std::nullopt;
    items.push_back({*key, value});
  }
  return items;
}

Setting undecided_setting(const Expression& expression) {
  Setting setting;
  setting.state = Setting::State::undecided;
  setting.expression = source_of(expression);
  setting.pieces.push_back({squeezed(expression), false, Piece::Letters::as_written});
  if (expression.list != nullptr) {
    setting.file = expression.list->file;
    setting.line = token(expression, expression.range.first).line;
  }
  return setting;
}

Setting setting_of(const TokenList& list, const Attribute* attribute, const Locals& locals) {
  Setting setting;
  if (attribute == nullptr) return setting;
  const Expression expression = {&list, attribute->value};
  if (is_null(followed(expression, locals))) return setting;
  setting.expression = source_of(expression);
  setting.file = list.file;
  setting.line = list.tokens[attribute->name_token].line;
  setting.pieces = pieces_of(expression, locals);
  setting.state = Setting::State::undecided;
  if (setting.pieces.empty() || (setting.pieces.size() == 1 && setting.pieces.front().literal)) {
    setting.state = Setting::State::literal;
    setting.value = setting.pieces.empty() ? "" : setting.pieces.front().text;
  }
  return setting;
}

}  // namespace truenas::coder
