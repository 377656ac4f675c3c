#pragma once
// Streaming readers for bodies that must not be held in memory whole: the items of a List page, and the
// concatenated objects of a watch (W1). Both are fed as bytes arrive, split anywhere. They must not buffer
// more than one item.

#include <functional>
#include <memory>
#include <string>

#include "lib/json/value.h"

namespace truenas::json {

// Reads {"metadata": {...}, "items": [ {...}, … ]}: each item is handed over and forgotten; everything else
// (kind, apiVersion, metadata, or a whole Status object instead of a list) is kept in rest().
class ListReader {
 public:
  // Called once an item; an error stops the reading and comes back from feed().
  using OnItem = std::function<Result<void>(Value item)>;
  // `wanted`: JSON pointers to keep of each item (empty: everything). A pointer keeps what lies below it; "*"
  // stands for any one token ("/status/conditions/*/type"). Unwanted members are skipped without being built.
  ListReader(std::string source, OnItem on_item, const std::vector<std::string>& wanted = {});
  ~ListReader();
  ListReader(const ListReader&) = delete;
  ListReader& operator=(const ListReader&) = delete;
  Result<void> feed(std::string_view bytes);
  // Must be called at the end of the body: Kind::format when the document is not complete.
  Result<void> finish();
  // Valid after finish(); without "items".
  const Value& rest() const;
  // Whether the document had an array "items": a List, and no other kind of answer.
  bool saw_items() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Splits a stream of concatenated JSON values (with or without white space between them).
class ConcatenatedReader {
 public:
  using OnValue = std::function<Result<void>(Value value)>;
  ConcatenatedReader(std::string source, OnValue on_value);
  ~ConcatenatedReader();
  ConcatenatedReader(const ConcatenatedReader&) = delete;
  ConcatenatedReader& operator=(const ConcatenatedReader&) = delete;
  Result<void> feed(std::string_view bytes);
  // True when the stream ended between two values, not inside one.
  bool at_boundary() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace truenas::json
