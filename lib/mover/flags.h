#pragma once
// The command line of volume-mover: `volume-mover MODE [--name[=value]]… PATH…`. Only the grammar; what a
// flag means is its mode's business. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace truenas::mover {

struct Flag {
  std::string_view name;  // without the dashes
  enum class Takes { nothing, value } takes = Takes::value;
  bool repeatable = false;
};

class Arguments {
 public:
  // The last value of a flag, if it was given.
  std::optional<std::string> value(std::string_view name) const;
  // All its values, in order.
  std::vector<std::string> values(std::string_view name) const;
  bool has(std::string_view name) const;
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  friend Result<Arguments> parse_arguments(const std::vector<std::string>&, const std::vector<Flag>&,
                                           std::size_t);
  struct Given {
    std::string name, value;
  };
  std::vector<Given> given_;
  std::vector<std::string> paths_;
};

// `words` are those behind the mode; exactly `paths` of them must not be flags. A value is given with "=",
// also an empty one; "--" ends the flags. Errors are Kind::usage: unknown flag, missing or unexpected value,
// a flag twice that is not repeatable, another number of paths, an empty path.
Result<Arguments> parse_arguments(const std::vector<std::string>& words, const std::vector<Flag>& flags,
                                  std::size_t paths);

// A non-negative decimal number of at most `limit`; Kind::usage names `flag`.
Result<std::uint64_t> parse_number(std::string_view flag, std::string_view text, std::uint64_t limit);

}  // namespace truenas::mover
