#include <algorithm>
#include <charconv>

#include "lib/json/value_internal.h"

namespace truenas::json {
namespace {

std::optional<std::string> unescape(std::string_view token) {
  std::string result;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      result += token[i];
      continue;
    }
    if (++i == token.size()) return std::nullopt;
    if (token[i] != '0' && token[i] != '1') return std::nullopt;
    result += token[i] == '0' ? '~' : '/';
  }
  return result;
}

// What set_at() returns when its pointer leads past the end of an array: nothing is changed then.
thread_local Value nowhere;

template <class ValueType>
ValueType* step(ValueType* value, const std::string& token) {
  if (value->is_object()) return value->find(token);
  const std::optional<std::size_t> index = array_index(token);
  if (!index || *index >= value->items().size()) return nullptr;
  return const_cast<ValueType*>(&value->items()[*index]);
}

template <class ValueType>
ValueType* walk(ValueType* value, std::string_view pointer) {
  const auto tokens = pointer_tokens(pointer);
  if (!tokens) return nullptr;
  for (const std::string& token : *tokens) {
    value = step(value, token);
    if (value == nullptr) return nullptr;
  }
  return value;
}

}  // namespace

std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') return std::nullopt;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::optional<std::string> token = unescape(pointer.substr(0, end));
    if (!token) return std::nullopt;
    tokens.push_back(std::move(*token));
    pointer.remove_prefix(end);
  }
  return tokens;
}

std::optional<std::size_t> array_index(std::string_view token) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  const char* end = token.data() + token.size();
  const auto [rest, failure] = std::from_chars(token.data(), end, index);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return index;
}

std::string pointer_token(std::string_view key) {
  std::string result;
  for (const char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

const Value* Value::find(std::string_view key) const {
  for (const Member& member : members()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

const Value* Value::at(std::string_view pointer) const {
  return walk(this, pointer);
}
Value* Value::at(std::string_view pointer) {
  return walk(this, pointer);
}

const std::string& Value::text_at(std::string_view pointer) const {
  static const std::string none;
  const Value* value = at(pointer);
  return value != nullptr ? value->text() : none;
}

std::int64_t Value::integer_at(std::string_view pointer, std::int64_t fallback) const {
  const Value* value = at(pointer);
  return value != nullptr ? value->integer_or(fallback) : fallback;
}

bool Value::boolean_at(std::string_view pointer, bool fallback) const {
  const Value* value = at(pointer);
  return value != nullptr ? value->boolean_or(fallback) : fallback;
}

const Value::Array& Value::items_at(std::string_view pointer) const {
  static const Array none;
  const Value* value = at(pointer);
  return value != nullptr ? value->items() : none;
}

const Value::Object& Value::members_at(std::string_view pointer) const {
  static const Object none;
  const Value* value = at(pointer);
  return value != nullptr ? value->members() : none;
}

Value& Value::set(std::string_view key, Value value) {
  if (Value* present = find(key)) {
    *present = std::move(value);
    return *present;
  }
  if (!is_object()) *this = object();
  Object& all = std::get<Object>(state_);
  return all.emplace_back(std::string(key), std::move(value)).second;
}

Value& Value::set_at(std::string_view pointer, Value value) {
  // A malformed pointer is taken as one key: the document around it must not be replaced by accident.
  const auto tokens = pointer_tokens(pointer).value_or(std::vector<std::string>{std::string(pointer)});
  Value* place = this;
  for (const std::string& token : tokens) {
    Value* next = step(place, token);
    if (next == nullptr && place->is_array()) {
      if (token != "-" && array_index(token) != place->items().size()) return nowhere = Value();
      next = &place->push_back(Value());
    }
    place = next != nullptr ? next : &place->set(token, Value());
  }
  *place = std::move(value);
  return *place;
}

bool Value::remove(std::string_view key) {
  Object* all = std::get_if<Object>(&state_);
  if (all == nullptr) return false;
  return std::erase_if(*all, [&](const Member& member) { return member.first == key; }) > 0;
}

bool Value::remove_at(std::string_view pointer) {
  auto tokens = pointer_tokens(pointer);
  if (!tokens || tokens->empty()) return false;
  const std::string last = std::move(tokens->back());
  tokens->pop_back();
  Value* place = this;
  for (const std::string& token : *tokens) {
    place = step(place, token);
    if (place == nullptr) return false;
  }
  return place->remove(last);
}

Value& Value::push_back(Value value) {
  if (!is_array()) *this = array();
  return std::get<Array>(state_).emplace_back(std::move(value));
}

}  // namespace truenas::json
