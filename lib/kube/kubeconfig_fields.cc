#include "lib/kube/kubeconfig_fields.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::kube {

using json::Value;
using json::View;

namespace {

Error wrong_type(const View& view, std::string_view pointer, std::string_view expected) {
  return make_error(Kind::config, fmt::format("{}: expected {}", place_of(view, pointer), expected));
}

}  // namespace

std::string place_of(const View& view, std::string_view pointer) {
  const std::string place = view.place() + std::string(pointer);
  return fmt::format("{}: {}", view.source(), place.empty() ? "/" : place);
}

Result<std::string> text_of(const View& view, std::string_view pointer) {
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->is_string()) return value->text();
  return wrong_type(view, pointer, "string");
}

Result<bool> flag_of(const View& view, std::string_view pointer) {
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return false;
  if (value->type() == Value::Type::boolean) return value->boolean_or(false);
  return wrong_type(view, pointer, "boolean");
}

Result<void> expect_object(const View& view) {
  if (view.value().is_object() || view.value().is_null()) return {};
  return wrong_type(view, "", "object");
}

Result<bool> has_object(const View& view, std::string_view pointer) {
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return false;
  if (value->is_object()) return true;
  return wrong_type(view, pointer, "object");
}

Result<std::vector<View>> entries_of(const View& view, std::string_view pointer) {
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return std::vector<View>{};
  if (!value->is_array()) return wrong_type(view, pointer, "array");
  TM_TRY_ASSIGN(std::vector<View> items, view.get_items(pointer));
  for (const View& item : items) TM_TRY(expect_object(item));
  return items;
}

Result<std::vector<std::string>> strings_of(const View& view, std::string_view pointer) {
  std::vector<std::string> result;
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return result;
  if (!value->is_array()) return wrong_type(view, pointer, "array of strings");
  for (const Value& item : value->items()) {
    if (!item.is_string() && !item.is_null()) return wrong_type(view, pointer, "array of strings");
    result.push_back(item.text());
  }
  return result;
}

Result<void> check_strings(const View& view, const std::string& pointer) {
  TM_TRY_ASSIGN(const bool present, has_object(view, pointer));
  if (!present) return {};
  for (const auto& [key, member] : view.value().at(pointer)->members()) {
    TM_TRY(text_of(view, pointer + "/" + json::pointer_token(key)));
  }
  return {};
}

Result<std::string> bytes_of(const View& view, std::string_view pointer) {
  TM_TRY_ASSIGN(const std::string encoded, text_of(view, pointer));
  const std::optional<std::string> decoded = base64_decode(encoded);
  if (!decoded) return make_error(Kind::config, place_of(view, pointer) + ": illegal base64 data");
  return *decoded;
}

}  // namespace truenas::kube
