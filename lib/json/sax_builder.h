#pragma once
// Builds a Value out of RapidJSON's events, leaving out what a Filter does not want. Private to lib/json.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/filter.h"
#include "lib/json/value.h"

namespace truenas::json {

// RapidJSON's Handler concept (the names are its). Every event returns false to stop: too deep.
class SaxBuilder {
 public:
  // With a filter: it must outlive the builder.
  explicit SaxBuilder(const Filter* filter = nullptr) : filter_(filter) {}

  bool Null() { return scalar(Value()); }
  bool Bool(bool b) { return scalar(Value(b)); }
  bool RawNumber(const char* text, unsigned length, bool);
  bool String(const char* text, unsigned length, bool);
  bool StartObject() { return open(Value::object()); }
  bool StartArray() { return open(Value::array()); }
  bool Key(const char* text, unsigned length, bool);
  bool EndObject(unsigned);
  bool EndArray(unsigned);
  // Numbers arrive spelled out only.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool too_deep() const { return too_deep_; }
  Value take() { return std::move(result_); }

 private:
  struct Frame {
    Value container;
    std::string key;      // of the member being read
    Filter::Place place;  // only while the filter still chooses
    bool everything = true;
  };
  // What is wanted of the value that comes next.
  struct Want {
    bool wanted = true;
    bool everything = true;
    Filter::Place place;
  };
  Want want_next() const;
  bool open(Value container);
  bool close();
  bool scalar(Value value);
  void put(Value value);

  const Filter* filter_;
  std::vector<Frame> frames_;
  std::size_t skipping_ = 0;  // levels open inside something unwanted
  bool too_deep_ = false;
  Value result_;
};

}  // namespace truenas::json
