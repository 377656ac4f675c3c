#pragma once
// What an HCL expression certainly is: a literal, a list, an object, a text with holes. No evaluation beyond
// quotes, templates, parentheses, locals, lower(), upper(), tostring(), format() and join(); everything else
// is a hole that names its expression. Private to lib/coder.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/coder/hcl_body.h"
#include "lib/coder/setting.h"

namespace truenas::coder {

// An expression of some file of the template. An empty range is an expression that cannot be looked at.
struct Expression {
  const TokenList* list = nullptr;
  TokenRange range;
};
// The template's locals by name; one that is set twice or by an override file has no list.
using Locals = std::map<std::string, Expression, std::less<>>;

// As written, from the first to the last token.
std::string source_of(const Expression& expression);
// Its tokens without the white space between them.
std::string squeezed(const Expression& expression);

// What the expression is once parentheses and `local.name` are followed.
Expression followed(const Expression& expression, const Locals& locals);
bool is_null(const Expression& expression);
// The items of [a, b]; nullopt for anything else, also for a `for` expression.
std::optional<std::vector<Expression>> list_items(const Expression& expression);
struct ObjectItem {
  std::string key;
  Expression value;
};
// The items of { a = b } in order; nullopt for anything else, also when a key is an expression.
std::optional<std::vector<ObjectItem>> object_items(const Expression& expression);

// The text that the expression makes. Neighbouring literals are one piece.
std::vector<Piece> pieces_of(const Expression& expression, const Locals& locals);
// An attribute's setting; absent where it is null in either sense.
Setting setting_of(const TokenList& list, const Attribute* attribute, const Locals& locals);
// A setting that something else than an attribute hides (a dynamic block).
Setting undecided_setting(const Expression& expression);

}  // namespace truenas::coder
