#include "lib/json/scanner.h"

namespace truenas::json {
namespace {

// The first of `"` and `\` in `bytes` from `from` on.
std::size_t string_stop(std::string_view bytes, std::size_t from) {
  while (from < bytes.size() && bytes[from] != '"' && bytes[from] != '\\') ++from;
  return from;
}

bool ends_scalar(char c) {
  return is_white(c) || c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"' || c == ':';
}

}  // namespace

std::size_t ValueScanner::take(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size() && state_ != State::done) {
    const char c = bytes[i];
    switch (state_) {
      case State::string:
        i = string_stop(bytes, i);
        if (i == bytes.size()) return i;
        if (bytes[i] == '\\') {
          state_ = State::escape;
        } else {
          state_ = depth_ == 0 ? State::done : State::container;
        }
        break;
      case State::escape:
        state_ = State::string;
        break;
      case State::scalar:
        if (ends_scalar(c)) {
          state_ = State::done;
          return i;
        }
        break;
      case State::start:
        state_ = State::scalar;
        [[fallthrough]];
      default:
        if (c == '"') {
          state_ = State::string;
        } else if (c == '{' || c == '[') {
          ++depth_;
          state_ = State::container;
        } else if ((c == '}' || c == ']') && depth_ > 0 && --depth_ == 0) {
          state_ = State::done;
        }
    }
    ++i;
  }
  return i;
}

}  // namespace truenas::json
