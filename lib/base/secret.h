#pragma once
// Secret: a string that cannot be printed by accident. It has no operator<<, no formatter and no implicit
// conversion; reveal() is the one way out and is meant for the wire only, never for a message, a log or a
// journal.

#include <string>
#include <utility>

namespace truenas {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret& other) const = default;

 private:
  std::string value_;
};

}  // namespace truenas
