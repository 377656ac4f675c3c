#include "lib/json/view.h"

#include <fmt/format.h>

#include "lib/json/value_internal.h"

namespace truenas::json {
namespace {

std::string found(const Value* value) {
  if (value == nullptr) return "nothing";
  switch (value->type()) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return "boolean";
    case Value::Type::number:
      return "number " + std::string(value->spelled());
    case Value::Type::string:
      return "string";
    case Value::Type::array:
      return "array";
    case Value::Type::object:
      return "object";
  }
  return "nothing";
}

Error wrong(const View& view, std::string_view pointer, std::string_view expected, const Value* value) {
  const std::string place = view.place() + std::string(pointer);
  return make_error(Kind::format, fmt::format("{}: {}: expected {}, found {}", view.source(),
                                              place.empty() ? "/" : place, expected, found(value)));
}

bool absent(const Value* value) {
  return value == nullptr || value->is_null();
}

}  // namespace

Result<std::string> View::get_string(std::string_view pointer) const {
  const Value* value = value_->at(pointer);
  if (value == nullptr || !value->is_string()) return wrong(*this, pointer, "string", value);
  return value->text();
}

Result<std::int64_t> View::get_integer(std::string_view pointer) const {
  const Value* value = value_->at(pointer);
  if (value != nullptr && value->type() == Value::Type::number) {
    if (const auto number = to_integer(value->spelled())) return *number;
  }
  return wrong(*this, pointer, "integer", value);
}

Result<bool> View::get_boolean(std::string_view pointer) const {
  const Value* value = value_->at(pointer);
  if (value == nullptr || value->type() != Value::Type::boolean) {
    return wrong(*this, pointer, "boolean", value);
  }
  return value->boolean_or(false);
}

Result<View> View::get_object(std::string_view pointer) const {
  const Value* value = value_->at(pointer);
  if (value == nullptr || !value->is_object()) return wrong(*this, pointer, "object", value);
  return View(value, source_, place_ + std::string(pointer));
}

Result<std::vector<View>> View::get_items(std::string_view pointer) const {
  const Value* value = value_->at(pointer);
  if (value == nullptr || !value->is_array()) return wrong(*this, pointer, "array", value);
  std::vector<View> views;
  for (const Value& item : value->items()) {
    views.push_back(View(&item, source_, fmt::format("{}{}/{}", place_, pointer, views.size())));
  }
  return views;
}

Result<std::string> View::find_string(std::string_view pointer, std::string fallback) const {
  if (absent(value_->at(pointer))) return fallback;
  return get_string(pointer);
}

Result<std::int64_t> View::find_integer(std::string_view pointer, std::int64_t fallback) const {
  if (absent(value_->at(pointer))) return fallback;
  return get_integer(pointer);
}

Result<bool> View::find_boolean(std::string_view pointer, bool fallback) const {
  if (absent(value_->at(pointer))) return fallback;
  return get_boolean(pointer);
}

Result<std::vector<std::pair<std::string, std::string>>> View::find_strings(std::string_view pointer) const {
  std::vector<std::pair<std::string, std::string>> strings;
  const Value* value = value_->at(pointer);
  if (absent(value)) return strings;
  if (!value->is_object()) return wrong(*this, pointer, "object", value);
  for (const auto& [key, text] : value->members()) {
    if (!text.is_string()) {
      return wrong(*this, std::string(pointer) + "/" + pointer_token(key), "string", &text);
    }
    strings.emplace_back(key, text.text());
  }
  return strings;
}

}  // namespace truenas::json
