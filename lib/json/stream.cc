#include "lib/json/stream.h"

#include <fmt/format.h>

#include <optional>

#include "lib/json/piece_parser.h"

namespace truenas::json {
struct ListReader::State {
  State(std::string name, OnItem item) : source(std::move(name)), on_item(std::move(item)) {}

  // Where the next byte stands.
  enum class Place { before, envelope, before_item, in_item, after_item };

  Result<void> feed(std::string_view bytes);
  Result<void> feed_envelope(std::string_view& bytes);
  Result<void> feed_items(std::string_view& bytes);
  Result<void> feed_item(std::string_view& bytes);
  void note_envelope_byte(char c);

  std::string source;
  OnItem on_item;
  std::optional<Filter> filter;
  std::optional<PieceParser> piece;
  Place place = Place::before;
  std::uint64_t position = 0;
  // The body without its items ("items":[] in their place), for the parser at the end.
  std::string envelope;
  std::size_t depth = 0;
  bool in_string = false, in_escape = false;
  std::size_t string_start = 0;  // in envelope, behind the quote
  bool key_is_items = false;     // the string that ended last was "items", at depth 1
  bool colon_after_key = false;
  bool need_item = false;  // behind a comma
  bool saw_items = false;
  std::optional<Error> failed;
  Value rest;
};

void ListReader::State::note_envelope_byte(char c) {
  envelope += c;
  if (in_string) {
    if (in_escape) {
      in_escape = false;
    } else if (c == '\\') {
      in_escape = true;
    } else if (c == '"') {
      in_string = false;
      key_is_items =
          depth == 1 && std::string_view(envelope).substr(string_start) == std::string_view("items\"");
    }
    return;
  }
  if (is_white(c)) return;
  if (c == ':') {
    colon_after_key = key_is_items;
    return;
  }
  key_is_items = colon_after_key = false;
  if (c == '"') {
    in_string = true;
    string_start = envelope.size();
  } else if (c == '{' || c == '[') {
    ++depth;
  } else if ((c == '}' || c == ']') && depth > 0) {
    --depth;
  }
}

Result<void> ListReader::State::feed_envelope(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    bytes.remove_prefix(1);
    ++position;
    if (envelope.size() >= k_piece_limit) return unexpected(source, position, "too large");
    if (place == Place::before && !is_white(c)) {
      // Also what a proxy's HTML page looks like: no need to read on.
      if (c != '{') return unexpected(source, position - 1, "expected an object");
      place = Place::envelope;
    }
    if (c == '[' && depth == 1 && colon_after_key && !in_string) {
      if (saw_items) return unexpected(source, position - 1, "items a second time");
      saw_items = true;
      envelope += "[]";
      key_is_items = colon_after_key = need_item = false;
      place = Place::before_item;
      return {};
    }
    note_envelope_byte(c);
  }
  return {};
}

Result<void> ListReader::State::feed_items(std::string_view& bytes) {
  while (!bytes.empty() && is_white(bytes.front())) {
    bytes.remove_prefix(1);
    ++position;
  }
  if (bytes.empty()) return {};
  const char c = bytes.front();
  const bool may_end = place == Place::after_item || !need_item;
  if (c == ']' && may_end) {
    place = Place::envelope;
  } else if (place == Place::after_item && c == ',') {
    place = Place::before_item;
    need_item = true;
  } else if (place == Place::before_item && c != ']' && c != '}' && c != ',' && c != ':') {
    place = Place::in_item;
    return {};
  } else {
    return unexpected(source, position, "items must be separated by single commas");
  }
  bytes.remove_prefix(1);
  ++position;
  return {};
}

Result<void> ListReader::State::feed_item(std::string_view& bytes) {
  TM_TRY_ASSIGN(std::optional<Value> item, piece->take(bytes, position));
  if (!item) return {};
  place = Place::after_item;
  return on_item(std::move(*item));
}

Result<void> ListReader::State::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (place) {
      case Place::before:
      case Place::envelope:
        TM_TRY(feed_envelope(bytes));
        break;
      case Place::in_item:
        TM_TRY(feed_item(bytes));
        break;
      case Place::before_item:
      case Place::after_item:
        TM_TRY(feed_items(bytes));
        break;
    }
  }
  return {};
}

ListReader::ListReader(std::string source, OnItem on_item, const std::vector<std::string>& wanted)
    : state_(std::make_unique<State>(std::move(source), std::move(on_item))) {
  Result<Filter> filter = Filter::make(wanted);
  if (filter.ok()) {
    state_->filter = std::move(filter).value();
    state_->piece.emplace(state_->source, wanted.empty() ? nullptr : &*state_->filter);
  } else {
    state_->failed = std::move(filter).take_error();
  }
}

ListReader::~ListReader() = default;

Result<void> ListReader::feed(std::string_view bytes) {
  if (state_->failed) return *state_->failed;
  Result<void> outcome = state_->feed(bytes);
  if (!outcome.ok()) state_->failed = outcome.error();
  return outcome;
}

Result<void> ListReader::finish() {
  if (state_->failed) return *state_->failed;
  if (state_->position == 0) return make_error(Kind::format, state_->source + ": it is empty");
  if (state_->place != State::Place::before && state_->place != State::Place::envelope) {
    return unexpected(state_->source, state_->position, "it ends too early");
  }
  Result<Value> rest = parse(state_->envelope, state_->source);
  if (!rest.ok()) {
    // Positions in the envelope are not those of the body, unless nothing was left out of it.
    if (!state_->saw_items) return std::move(rest).take_error();
    return unexpected(state_->source, state_->position, "around the items: " + rest.error().what);
  }
  state_->rest = std::move(rest).value();
  // A key spelled with escapes, or one that came twice with something else: items would be lost unseen.
  const Value* items = state_->rest.find("items");
  const bool empty_array = items != nullptr && items->is_array() && items->items().empty();
  if (state_->saw_items ? !empty_array : items != nullptr && items->is_array()) {
    return make_error(Kind::format, state_->source + ": its items are ambiguous");
  }
  if (state_->saw_items) state_->rest.remove("items");
  return {};
}

const Value& ListReader::rest() const {
  return state_->rest;
}
bool ListReader::saw_items() const {
  return state_->saw_items;
}

}  // namespace truenas::json
