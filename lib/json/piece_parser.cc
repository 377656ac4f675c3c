#include "lib/json/piece_parser.h"

#include <fmt/format.h>

namespace truenas::json {

Error unexpected(std::string_view source, std::uint64_t at, std::string_view why) {
  return make_error(Kind::format, fmt::format("{}: not valid JSON at byte {}: {}", source, at, why));
}

Result<std::optional<Value>> PieceParser::take(std::string_view& bytes, std::uint64_t& position) {
  if (scanner_.idle()) start_ = position;
  const std::size_t length = scanner_.take(bytes);
  const std::string_view part = bytes.substr(0, length);
  bytes.remove_prefix(length);
  position += length;
  if (!scanner_.done() || !kept_.empty()) {
    if (kept_.size() + part.size() > k_piece_limit) return unexpected(source_, start_, "item too large");
    kept_ += part;
  }
  if (!scanner_.done()) return std::optional<Value>();
  Result<Value> value =
      parse_filtered(kept_.empty() ? part : std::string_view(kept_), source_, start_, filter_);
  scanner_.reset();
  kept_.clear();
  if (!value.ok()) return std::move(value).take_error();
  return std::optional<Value>(std::move(value).value());
}

}  // namespace truenas::json
