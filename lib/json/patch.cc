#include <fmt/format.h>

#include "lib/json/value_internal.h"

namespace truenas::json {
namespace {

// RFC 6902 over one document. Every function returns what went wrong, without the operation's place.
class JsonPatch {
 public:
  explicit JsonPatch(Value document) : document_(std::move(document)) {}

  Result<void> apply(const Value& operation) {
    const std::string& op = operation.text_at("/op");
    const Value* path = operation.find("path");
    const Value* value = operation.find("value");
    if (path == nullptr || !path->is_string()) return malformed("it has no path");
    if (value == nullptr && (op == "add" || op == "replace" || op == "test")) {
      return malformed("it has no value");
    }
    if (op == "add") return add(path->text(), *value);
    if (op == "replace") return replace(path->text(), *value);
    if (op == "test") return test(path->text(), *value);
    if (op == "remove") return remove(path->text());
    if (op == "move" || op == "copy") return transfer(op == "move", operation.find("from"), path->text());
    return malformed("unknown operation \"" + op + "\"");
  }

  Value take() { return std::move(document_); }

 private:
  static Error malformed(std::string why) { return make_error(Kind::format, std::move(why)); }

  // The container of `pointer`'s last token, which is put into `last`.
  Result<Value*> parent_of(const std::string& pointer, std::string& last) {
    auto tokens = pointer_tokens(pointer);
    if (!tokens || tokens->empty()) return malformed(fmt::format("{} is no place in the document", pointer));
    last = std::move(tokens->back());
    std::string parent;
    for (std::size_t i = 0; i + 1 < tokens->size(); ++i) parent += "/" + pointer_token((*tokens)[i]);
    Value* container = document_.at(parent);
    if (container == nullptr || !(container->is_object() || container->is_array())) {
      return malformed(fmt::format("{} does not exist", parent.empty() ? "/" : parent));
    }
    return container;
  }

  Result<void> add(const std::string& pointer, const Value& value) {
    if (pointer.empty()) {
      document_ = Value(value);
      return {};
    }
    std::string last;
    TM_TRY_ASSIGN(Value * container, parent_of(pointer, last));
    Value::Array* items = ValueAccess::array(*container);
    if (items == nullptr) {
      container->set(last, value);
      return {};
    }
    const std::size_t index = last == "-" ? items->size() : array_index(last).value_or(items->size() + 1);
    if (index > items->size()) return malformed(fmt::format("{} is outside the array", pointer));
    items->insert(items->begin() + static_cast<std::ptrdiff_t>(index), value);
    return {};
  }

  Result<void> remove(const std::string& pointer) {
    std::string last;
    TM_TRY_ASSIGN(Value * container, parent_of(pointer, last));
    Value::Array* items = ValueAccess::array(*container);
    if (items == nullptr) {
      if (container->remove(last)) return {};
      return malformed(fmt::format("{} does not exist", pointer));
    }
    const std::size_t index = array_index(last).value_or(items->size());
    if (index >= items->size()) return malformed(fmt::format("{} is outside the array", pointer));
    items->erase(items->begin() + static_cast<std::ptrdiff_t>(index));
    return {};
  }

  Result<void> replace(const std::string& pointer, const Value& value) {
    Value* place = document_.at(pointer);
    if (place == nullptr) return malformed(fmt::format("{} does not exist", pointer));
    *place = Value(value);
    return {};
  }

  Result<void> test(const std::string& pointer, const Value& value) {
    const Value* place = document_.at(pointer);
    if (place != nullptr && *place == value) return {};
    return make_error(Kind::conflict, fmt::format("{} is {}, not {}", pointer,
                                                  place == nullptr ? "absent" : write(*place), write(value)));
  }

  Result<void> transfer(bool move, const Value* from, const std::string& pointer) {
    if (from == nullptr || !from->is_string()) return malformed("it has no from");
    const Value* source = document_.at(from->text());
    if (source == nullptr) return malformed(fmt::format("{} does not exist", from->text()));
    if (move && from->text() == pointer) return {};
    if (move && pointer.starts_with(from->text() + "/")) {
      return malformed(fmt::format("{} cannot be moved into itself", from->text()));
    }
    const Value value = *source;
    if (move) TM_TRY(remove(from->text()));
    return add(pointer, value);
  }

  Value document_;
};

}  // namespace

Value apply_merge_patch(const Value& target, const Value& patch) {
  if (!patch.is_object()) return patch;
  Value result = target.is_object() ? target : Value::object();
  for (const auto& [key, value] : patch.members()) {
    if (value.is_null()) {
      result.remove(key);
      continue;
    }
    const Value* present = result.find(key);
    result.set(key, apply_merge_patch(present != nullptr ? *present : Value(), value));
  }
  return result;
}

Result<Value> apply_json_patch(const Value& target, const Value& patch) {
  if (!patch.is_array()) return make_error(Kind::format, "a JSON patch must be an array");
  JsonPatch work(target);
  std::size_t index = 0;
  for (const Value& operation : patch.items()) {
    const Result<void> outcome = work.apply(operation);
    if (!outcome.ok()) {
      return outcome.error().in(fmt::format("JSON patch operation {} ({} {})", index,
                                            operation.text_at("/op"), operation.text_at("/path")));
    }
    ++index;
  }
  return work.take();
}

}  // namespace truenas::json
