#pragma once
// Parses one value after another out of a body that arrives in pieces. Private to lib/json.

#include <optional>
#include <string>
#include <string_view>

#include "lib/json/parse_internal.h"
#include "lib/json/scanner.h"

namespace truenas::json {

// The API server accepts no object near this size; a body with a larger item is not one of its lists.
inline constexpr std::size_t k_piece_limit = 64u << 20;

// "<source>: not valid JSON at byte <at>: <why>".
Error unexpected(std::string_view source, std::uint64_t at, std::string_view why);

// Collects the bytes of one value after another and parses each; a value that lies whole in one piece is
// parsed where it lies.
class PieceParser {
 public:
  // `source` and `filter` (null: everything) must outlive it.
  PieceParser(const std::string& source, const Filter* filter) : source_(source), filter_(filter) {}

  // Takes from the front of `bytes` and moves `position` on; a value when it became complete.
  Result<std::optional<Value>> take(std::string_view& bytes, std::uint64_t& position);
  // True between two values.
  bool idle() const { return scanner_.idle(); }

 private:
  const std::string& source_;
  const Filter* filter_;
  ValueScanner scanner_;
  std::string kept_;
  std::uint64_t start_ = 0;
};

}  // namespace truenas::json
