#pragma once
// Finds where one JSON value ends in a body that arrives in pieces, without looking at what it means:
// strings, escapes and brackets only. Whether the value is well-formed is the parser's business. Private to
// lib/json.

#include <cstddef>
#include <string_view>

namespace truenas::json {

class ValueScanner {
 public:
  // How many bytes of `bytes` still belong to the value; done() says whether it is complete. A number or a
  // literal at the top ends only at the byte after it, which is not taken.
  std::size_t take(std::string_view bytes);
  bool done() const { return state_ == State::done; }
  // True before the value's first byte (white space in front of it is not taken).
  bool idle() const { return state_ == State::start; }
  void reset() { *this = ValueScanner(); }

 private:
  enum class State { start, container, string, escape, scalar, done };
  State state_ = State::start;
  std::size_t depth_ = 0;
};

inline bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace truenas::json
