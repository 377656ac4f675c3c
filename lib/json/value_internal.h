#pragma once
// What the files of this folder need of Value's inside. Private to lib/json.

#include <optional>
#include <string>
#include <string_view>

#include "lib/json/value.h"

namespace truenas::json {

// The way into Value's state for those that build documents piece by piece.
struct ValueAccess {
  static Value::Array* array(Value& value) { return std::get_if<Value::Array>(&value.state_); }
  static Value::Object* object(Value& value) { return std::get_if<Value::Object>(&value.state_); }
  static Value from_object(Value::Object members) {
    Value value;
    value.state_.emplace<Value::Object>(std::move(members));
    return value;
  }
};

// Deepest nesting that any document of this project may have; one more is refused.
inline constexpr std::size_t k_depth_limit = 200;

// A decimal number as value: digits * 10^exponent, without leading or trailing zeros; zero has no digits.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};
// nullopt when `spelled` is no JSON number or its exponent has more than 15 digits.
std::optional<Decimal> parse_decimal(std::string_view spelled);
// The number as a 64-bit integer; nullopt when it has a fraction or does not fit.
std::optional<std::int64_t> to_integer(std::string_view spelled);

// Splits an RFC 6901 pointer into unescaped tokens; nullopt when it is malformed ("a", "/~2").
std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer);
// An array index as RFC 6901 spells it: "0", "12", never "01"; nullopt otherwise.
std::optional<std::size_t> array_index(std::string_view token);

// Removes members whose key comes again later in the same object (the last one wins).
void drop_repeated_keys(Value::Object& members);

}  // namespace truenas::json
