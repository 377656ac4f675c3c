#pragma once
// Writes JSON objects and arrays of one line each. It only writes: the mover reads no JSON, so it needs no
// library for it. Whatever bytes go in, what comes out is valid JSON in UTF-8.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace truenas::mover {

// `text` as a JSON string; bytes that are not UTF-8 become U+FFFD (for people; paths use json_path).
std::string json_text(std::string_view text);
// A path as a JSON string; path_text.h says how, and takes it back.
std::string json_path(std::string_view path);
// `"key":value`; `value` is JSON already.
std::string json_member(std::string_view key, std::string_view value);

// One object; members in the order in which they were added.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) { return json(key, json_text(value)); }
  JsonObject& path(std::string_view key, std::string_view value) { return json(key, json_path(value)); }
  JsonObject& number(std::string_view key, std::uint64_t value) { return json(key, std::to_string(value)); }
  JsonObject& flag(std::string_view key, bool value) { return json(key, value ? "true" : "false"); }
  // `value` is JSON already.
  JsonObject& json(std::string_view key, std::string_view value);
  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// An object that must fit somewhere: members are given most important first, and what does not fit is left
// out from the end, lists element by element, and `"truncated":true` says so.
class BoundedObject {
 public:
  // `value` is JSON already.
  void add(std::string key, std::string value);
  // A list that may be cut; each element is JSON already.
  void add_list(std::string key, std::vector<std::string> elements);
  // An object that may be cut; each member is `"key":value` already (json_member).
  void add_object(std::string key, std::vector<std::string> members);
  // At most `limit` bytes, always valid JSON; everything when limit is 0.
  std::string str(std::size_t limit = 0) const;

 private:
  struct Member {
    std::string key;
    std::string value;                  // when not a list
    std::vector<std::string> elements;  // when it has parts
    std::string_view brackets;          // "[]" or "{}" when it has parts
  };
  std::vector<Member> members_;
};

}  // namespace truenas::mover
