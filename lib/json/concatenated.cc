#include <optional>

#include "lib/json/piece_parser.h"
#include "lib/json/stream.h"

namespace truenas::json {

struct ConcatenatedReader::State {
  State(std::string name, OnValue value)
      : source(std::move(name)), on_value(std::move(value)), piece(source, nullptr) {}

  Result<void> feed(std::string_view bytes) {
    while (!bytes.empty()) {
      if (piece.idle() && is_white(bytes.front())) {
        bytes.remove_prefix(1);
        ++position;
        continue;
      }
      TM_TRY_ASSIGN(std::optional<Value> value, piece.take(bytes, position));
      if (value) TM_TRY(on_value(std::move(*value)));
    }
    return {};
  }

  std::string source;
  OnValue on_value;
  PieceParser piece;
  std::uint64_t position = 0;
  std::optional<Error> failed;
};

ConcatenatedReader::ConcatenatedReader(std::string source, OnValue on_value)
    : state_(std::make_unique<State>(std::move(source), std::move(on_value))) {}
ConcatenatedReader::~ConcatenatedReader() = default;

Result<void> ConcatenatedReader::feed(std::string_view bytes) {
  if (state_->failed) return *state_->failed;
  Result<void> outcome = state_->feed(bytes);
  if (!outcome.ok()) state_->failed = outcome.error();
  return outcome;
}

bool ConcatenatedReader::at_boundary() const {
  return !state_->failed && state_->piece.idle();
}

}  // namespace truenas::json
