#include "lib/json/value.h"

#include <algorithm>
#include <charconv>

#include "lib/json/value_internal.h"

namespace truenas::json {
namespace {

const std::string k_no_text;
const Value::Array k_no_items;
const Value::Object k_no_members;

// Objects of cluster documents are small; beyond this many members looking each up one by one would take
// quadratic time.
constexpr std::size_t k_small_object = 16;

bool by_key(const Value::Member* a, const Value::Member* b) {
  return a->first < b->first;
}

std::vector<const Value::Member*> sorted(const Value::Object& members) {
  std::vector<const Value::Member*> order;
  order.reserve(members.size());
  for (const Value::Member& member : members) order.push_back(&member);
  std::stable_sort(order.begin(), order.end(), by_key);
  return order;
}

bool equal_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::optional<Decimal> left = parse_decimal(a);
  const std::optional<Decimal> right = parse_decimal(b);
  return left && right && *left == *right;
}

bool equal_objects(const Value::Object& a, const Value::Object& b) {
  if (a.size() != b.size()) return false;
  const auto left = sorted(a);
  const auto right = sorted(b);
  return std::equal(left.begin(), left.end(), right.begin(),
                    [](const Value::Member* x, const Value::Member* y) { return *x == *y; });
}

}  // namespace

Value Value::number(std::string spelled) {
  Value value;
  value.state_ = Number{std::move(spelled)};
  return value;
}

Value Value::object(std::initializer_list<Member> members) {
  Value value;
  value.state_.emplace<Object>(members);
  drop_repeated_keys(std::get<Object>(value.state_));
  return value;
}

Value Value::array(std::initializer_list<Value> items) {
  return Value(Array(items));
}

Value::Type Value::type() const {
  // The variant's alternatives are in the order of Type.
  return static_cast<Type>(state_.index());
}

bool Value::boolean_or(bool fallback) const {
  const bool* value = std::get_if<bool>(&state_);
  return value != nullptr ? *value : fallback;
}

std::int64_t Value::integer_or(std::int64_t fallback) const {
  const Number* value = std::get_if<Number>(&state_);
  return value != nullptr ? to_integer(value->spelled).value_or(fallback) : fallback;
}

double Value::double_or(double fallback) const {
  const Number* value = std::get_if<Number>(&state_);
  if (value == nullptr) return fallback;
  const char* end = value->spelled.data() + value->spelled.size();
  double result = 0;
  const auto [rest, failure] = std::from_chars(value->spelled.data(), end, result);
  return failure == std::errc{} && rest == end ? result : fallback;
}

const std::string& Value::text() const {
  const std::string* value = std::get_if<std::string>(&state_);
  return value != nullptr ? *value : k_no_text;
}

std::string_view Value::spelled() const {
  const Number* value = std::get_if<Number>(&state_);
  return value != nullptr ? std::string_view(value->spelled) : std::string_view();
}

const Value::Array& Value::items() const {
  const Array* value = std::get_if<Array>(&state_);
  return value != nullptr ? *value : k_no_items;
}

const Value::Object& Value::members() const {
  const Object* value = std::get_if<Object>(&state_);
  return value != nullptr ? *value : k_no_members;
}

bool operator==(const Value& a, const Value& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Value::Type::null:
      return true;
    case Value::Type::boolean:
      return a.boolean_or(false) == b.boolean_or(false);
    case Value::Type::number:
      return equal_numbers(a.spelled(), b.spelled());
    case Value::Type::string:
      return a.text() == b.text();
    case Value::Type::array:
      return a.items() == b.items();
    case Value::Type::object:
      return equal_objects(a.members(), b.members());
  }
  return false;
}

void drop_repeated_keys(Value::Object& members) {
  std::vector<bool> repeated(members.size(), false);
  bool any = false;
  if (members.size() <= k_small_object) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (std::size_t j = i + 1; j < members.size() && !repeated[i]; ++j) {
        if (members[i].first == members[j].first) any = repeated[i] = true;
      }
    }
  } else {
    const auto order = sorted(members);
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      if (order[i]->first != order[i + 1]->first) continue;
      any = repeated[static_cast<std::size_t>(order[i] - members.data())] = true;
    }
  }
  if (!any) return;
  std::size_t index = 0;
  std::erase_if(members, [&](const Value::Member&) { return repeated[index++]; });
}

}  // namespace truenas::json
