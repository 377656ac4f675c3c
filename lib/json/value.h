#pragma once
// Value: one JSON document as a value (copyable, comparable), and the only form in which objects of the
// cluster travel through this project: whole, with every field the tool does not know. Numbers keep their
// spelling, so reading and writing back changes nothing. It must not know Kubernetes, and no accessor can
// assert, throw or crash.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lib/base/result.h"

namespace truenas::json {

class Value {
 public:
  enum class Type { null, boolean, number, string, array, object };
  using Array = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Object = std::vector<Member>;  // in order of appearance; keys are unique

  Value() = default;
  Value(std::nullptr_t) {}                                       // NOLINT: implicit by design
  Value(bool b) : state_(b) {}                                   // NOLINT
  Value(int n) : state_(Number{std::to_string(n)}) {}            // NOLINT
  Value(std::int64_t n) : state_(Number{std::to_string(n)}) {}   // NOLINT
  Value(std::uint64_t n) : state_(Number{std::to_string(n)}) {}  // NOLINT
  Value(const char* s) : state_(std::string(s)) {}               // NOLINT
  Value(std::string s) : state_(std::move(s)) {}                 // NOLINT
  Value(std::string_view s) : state_(std::string(s)) {}          // NOLINT
  Value(Array items) : state_(std::move(items)) {}               // NOLINT
  // A number exactly as spelled; the caller vouches that it is JSON ("1.50").
  static Value number(std::string spelled);
  static Value object(std::initializer_list<Member> members = {});
  static Value array(std::initializer_list<Value> items = {});

  Type type() const;
  bool is_null() const { return type() == Type::null; }
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_string() const { return type() == Type::string; }

  // Read without failing: the neutral value of the asked type where the value has another one.
  bool boolean_or(bool fallback) const;
  std::int64_t integer_or(std::int64_t fallback) const;  // also fallback for fractions and overflow
  double double_or(double fallback) const;
  const std::string& text() const;   // "" unless a string
  std::string_view spelled() const;  // a number's digits, "" otherwise
  const Array& items() const;        // empty unless an array
  const Object& members() const;     // empty unless an object

  // Member of an object, null pointer if absent (also where this is no object).
  const Value* find(std::string_view key) const;
  // Steps through objects and arrays by RFC 6901 pointer ("/spec/csi/volumeHandle"); null pointer if absent.
  const Value* at(std::string_view pointer) const;
  // The string at `pointer`, "" if there is none.
  const std::string& text_at(std::string_view pointer) const;
  std::int64_t integer_at(std::string_view pointer, std::int64_t fallback = 0) const;
  bool boolean_at(std::string_view pointer, bool fallback = false) const;
  // The items/members at `pointer`; empty if absent or of another type.
  const Array& items_at(std::string_view pointer) const;
  const Object& members_at(std::string_view pointer) const;

  // Building. set() replaces or appends a member (turns anything else into an object); set_at() makes the
  // objects on the way, steps through arrays and appends at "-" or the index after the last; past that it
  // changes nothing.
  Value& set(std::string_view key, Value value);
  Value& set_at(std::string_view pointer, Value value);
  bool remove(std::string_view key);         // true if it was there
  bool remove_at(std::string_view pointer);  // objects only
  Value& push_back(Value value);             // turns null into an array
  Value* find(std::string_view key);
  Value* at(std::string_view pointer);

  // Equal as JSON: member order does not matter; numbers by value (1 == 1.0).
  friend bool operator==(const Value& a, const Value& b);

 private:
  struct Number {
    std::string spelled;
  };
  std::variant<std::monostate, bool, Number, std::string, Array, Object> state_;
  friend struct ValueAccess;
};

// Parses exactly one JSON document (RFC 8259, UTF-8 checked, at most 200 levels deep; duplicate keys: the
// last wins). `source` names it in errors ("reply to GET persistentvolumes/pv-1").
Result<Value> parse(std::string_view text, std::string_view source);
// Parses YAML 1.2 core schema or JSON (a superset), one document; no tags, no merge keys beyond yaml-cpp's
// aliases; refuses alias bombs (expansion over 1e6 nodes). Plain scalars become null, booleans and numbers as
// Go's sigs.k8s.io/yaml has it; "yes"/"on" too are booleans there.
Result<Value> parse_yaml(std::string_view text, std::string_view source);
// Compact JSON, keys in order of appearance.
std::string write(const Value& value);
// Indented by four spaces, as kubectl -o json prints.
std::string write_pretty(const Value& value);
// Block-style YAML as kubectl -o yaml prints (keys sorted, strings quoted where YAML would read them
// otherwise).
std::string write_yaml(const Value& value);

// RFC 7386.
Value apply_merge_patch(const Value& target, const Value& patch);
// RFC 6902: add, remove, replace, move, copy, test. Kind::conflict if a test fails, Kind::format on anything
// malformed.
Result<Value> apply_json_patch(const Value& target, const Value& patch);
// RFC 6901 escaping of one reference token.
std::string pointer_token(std::string_view key);

}  // namespace truenas::json
