#include <doctest/doctest.h>

#include "lib/json/stream.h"
#include "lib/json/value.h"
#include "tests/fuzz/fuzz.h"

using namespace truenas;
using namespace truenas::fuzz;
using json::Value;

namespace {

const std::vector<std::string> k_documents{
    R"({"kind":"List","metadata":{"resourceVersion":"7"},"items":[{"a":"}]\"\\","n":1.50},{"b":[1,[2]]},{}]})",
    R"({"type":"ADDED","object":{"s":"\u00e9\ud83d\ude00"}}{"type":"BOOKMARK","object":null} [1,2] "x" true )",
    R"({"items":[],"x":{"y":{"z":[[[[]]]]}},"t":true,"f":false,"n":null,"e":-1.5e+10})",
    R"(["",0,-0,12345678901234567890,{"":""}])",
};
const std::vector<std::string> k_words{
    "{",       "}",           "[",         "]",    "\"",   "\\",       ",",
    ":",       "\"items\":[", "\"items\"", "null", "true", "1e999",    "-",
    "0",       "\\u0000",     "\\ud800",   "\n",   "\xff", "\xc3\xa9", std::string(1, '\0'),
    "{\"a\":", "[[",          "1.",        "e5"};

struct Outcome {
  std::vector<std::string> values;
  bool ok = true, complete = false;
  bool operator==(const Outcome&) const = default;
};

// Cuts the input into pieces of random sizes.
template <class Reader>
void feed(Reader& reader, const std::string& input, bool in_pieces, Generator& generator, Outcome& outcome) {
  std::size_t at = 0;
  while (at < input.size() && outcome.ok) {
    const std::size_t length = in_pieces ? generator.below(9) + 1 : input.size();
    outcome.ok = reader.feed(std::string_view(input).substr(at, length)).ok();
    at += length;
  }
}

Outcome read_list(const std::string& input, bool in_pieces, Generator& generator) {
  Outcome outcome;
  json::ListReader reader("fuzz", [&](Value item) -> Result<void> {
    outcome.values.push_back(write(item));
    return {};
  });
  feed(reader, input, in_pieces, generator, outcome);
  outcome.complete = reader.finish().ok();
  return outcome;
}

Outcome read_concatenated(const std::string& input, bool in_pieces, Generator& generator) {
  Outcome outcome;
  json::ConcatenatedReader reader("fuzz", [&](Value value) -> Result<void> {
    outcome.values.push_back(write(value));
    return {};
  });
  feed(reader, input, in_pieces, generator, outcome);
  outcome.complete = reader.at_boundary();
  return outcome;
}

}  // namespace

TEST_CASE("JSON: what is read is written, and reads the same again") {
  std::size_t accepted = 0;
  const std::size_t tried = run(k_documents, k_words, 20000, [&](const std::string& input, Generator&) {
    const auto value = json::parse(input, "fuzz");
    if (!value.ok()) return;
    ++accepted;
    const auto again = json::parse(write(value.value()), "fuzz");
    REQUIRE(again.ok());
    REQUIRE(again.value() == value.value());
  });
  CHECK(tried >= 20000);
  CHECK(accepted > 100);
}

TEST_CASE("lists: however the bytes arrive, the items are those of the whole document") {
  std::size_t complete = 0;
  run(k_documents, k_words, 10000, [&](const std::string& input, Generator& generator) {
    const Outcome whole = read_list(input, false, generator);
    const Outcome pieces = read_list(input, true, generator);
    REQUIRE(whole.values == pieces.values);
    REQUIRE(whole.complete == pieces.complete);
    if (!whole.complete) return;
    ++complete;
    // Accepted as a list means accepted as a document, with as many items.
    const auto document = json::parse(input, "fuzz");
    REQUIRE(document.ok());
    REQUIRE(document->items_at("/items").size() == whole.values.size());
  });
  CHECK(complete > 100);
}

TEST_CASE("watches: however the bytes arrive, the events are the same") {
  std::size_t complete = 0;
  run(k_documents, k_words, 10000, [&](const std::string& input, Generator& generator) {
    const Outcome whole = read_concatenated(input, false, generator);
    const Outcome pieces = read_concatenated(input, true, generator);
    REQUIRE(whole == pieces);
    complete += whole.complete ? 1 : 0;
  });
  CHECK(complete > 100);
}

TEST_CASE("patches: never a crash, and a merge patch of what is there changes nothing") {
  run({R"([{"op":"add","path":"/a/b/-","value":[1]},{"op":"move","from":"/a","path":"/c"}])",
       R"([{"op":"test","path":"/items/0/n","value":1.5},{"op":"copy","from":"/items/1","path":"/items/-"}])",
       R"({"items":null,"metadata":{"resourceVersion":null,"labels":{"a":"b"}}})"},
      {"/items/0", "/-", "\"\"", "~1", "~", "null", "{}", "[]", "/", "\"op\":\"remove\"",
       "99999999999999999999"},
      10000, [&](const std::string& input, Generator&) {
        const auto patch = json::parse(input, "fuzz");
        if (!patch.ok()) return;
        const Value target = json::parse(k_documents.front(), "seed").value();
        (void)json::apply_json_patch(target, patch.value());
        const Value merged = json::apply_merge_patch(target, patch.value());
        REQUIRE(json::apply_merge_patch(merged, patch.value()) == merged);
      });
}
