#pragma once
// The text of a template as the stand-in coderd reads it: a small reader of its own, so that a mistake of
// lib/coder's cannot hide behind itself. It knows what the tests' templates need; anything else is an error
// that the build fails with, never a guess.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace truenas::fakes {

struct TextExpression {
  // raw: an operator or a `for` is in it; `text` holds it as written.
  enum class Kind { text, reference, list, object, call, raw } kind = Kind::raw;
  std::string text;  // a quoted text without its quotes; a reference or number; a call's function
  std::vector<TextExpression> items;
  std::vector<std::pair<std::string, TextExpression>> members;
};

struct TextBlock {
  std::string type;
  std::vector<std::string> labels;
  std::vector<std::pair<std::string, TextExpression>> attributes;
  std::vector<TextBlock> blocks;
  const TextExpression* find(std::string_view name) const;
  const TextBlock* find_block(std::string_view block_type) const;  // the first
};

// Kind::format, "template: line 12: …".
Result<TextBlock> parse_text(std::string_view text);

// What stands in a hole of a text.
Result<TextExpression> parse_text_expression(std::string_view text);

// What references stand for: "data.coder_workspace.me.id", "var.namespace", "local.name" too.
using TextValues = std::map<std::string, std::string, std::less<>>;
// The text that an expression makes; "null" for null. Kind::format for what this reader cannot evaluate.
Result<std::string> evaluate(const TextExpression& expression, const TextValues& values);

}  // namespace truenas::fakes
