#include "lib/json/stream.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using truenas::Kind;
using truenas::make_error;
using truenas::Result;
using truenas::json::ConcatenatedReader;
using truenas::json::ListReader;
using truenas::json::Value;
using truenas::json::write;

namespace {

struct Listing {
  std::vector<std::string> items;
  std::string rest, error;
  bool saw_items = false;
};

// Feeds `body` cut at every position in `cuts`.
Listing read_list(std::string_view body, std::vector<std::size_t> cuts,
                  std::vector<std::string> wanted = {}) {
  Listing listing;
  ListReader reader(
      "reply to GET pods",
      [&](Value item) -> Result<void> {
        listing.items.push_back(write(item));
        return {};
      },
      std::move(wanted));
  cuts.push_back(body.size());
  std::size_t start = 0;
  Result<void> outcome;
  for (const std::size_t cut : cuts) {
    outcome = reader.feed(body.substr(start, cut - start));
    if (!outcome.ok()) break;
    start = cut;
  }
  if (outcome.ok()) outcome = reader.finish();
  if (!outcome.ok()) listing.error = outcome.error().what;
  listing.rest = write(reader.rest());
  listing.saw_items = reader.saw_items();
  return listing;
}

const std::string k_list = R"({"kind":"PodList", "metadata":{"resourceVersion":"7","items":["not these"]} ,)"
                           R"("items" : [ {"a":"}]\"\\","n":1.50} , {"b":{"c":[1,[2]]}},{} ] ,"tail":"x"})";

}  // namespace

TEST_CASE("a list split at every byte gives the same items") {
  const std::vector<std::string> expected{R"({"a":"}]\"\\","n":1.50})", R"({"b":{"c":[1,[2]]}})", "{}"};
  for (std::size_t cut = 0; cut <= k_list.size(); ++cut) {
    CAPTURE(cut);
    const Listing listing = read_list(k_list, {cut});
    CHECK(listing.error.empty());
    CHECK(listing.items == expected);
    CHECK(listing.rest ==
          R"({"kind":"PodList","metadata":{"resourceVersion":"7","items":["not these"]},"tail":"x"})");
  }
  std::vector<std::size_t> every_byte;
  for (std::size_t cut = 1; cut < k_list.size(); ++cut) every_byte.push_back(cut);
  CHECK(read_list(k_list, every_byte).items == expected);
}

TEST_CASE("a list that ends early is an error at every byte: a short list must not look complete") {
  for (std::size_t length = 0; length < k_list.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(read_list(k_list.substr(0, length), {length / 2}).error.empty());
  }
}

TEST_CASE("malformed lists are refused") {
  for (std::string_view body :
       {R"({"items":[{},,{}]})", R"({"items":[{} {}]})", R"({"items":[{},]})", R"({"items":[}]})",
        R"({"items":[{}]]})", R"({"items":[{}}})", R"({"items":[{"a":tru}]})", R"({"items" [{}]})",
        R"({"items":[{}],"items":[{}]})", R"({"items":[{}],"items":null})", R"({"\u0069tems":[{"lost":1}]})",
        R"({"items":[{}]} x)", "[{}]", "<html><body>Bad Gateway</body></html>", R"({"items":[{}],})",
        R"({"a":"items":[{}]})"}) {
    CAPTURE(body);
    CHECK_FALSE(read_list(body, {}).error.empty());
  }
  CHECK(read_list("<html>", {}).error == "reply to GET pods: not valid JSON at byte 0: expected an object");
  CHECK(read_list("", {}).error == "reply to GET pods: it is empty");
}

TEST_CASE("no items, null items and a Status are told apart") {
  CHECK(read_list(R"({"kind":"PodList","items":[]})", {}).saw_items);
  const Listing null_items = read_list(R"({"kind":"PodList","items":null})", {});
  CHECK(null_items.error.empty());
  CHECK_FALSE(null_items.saw_items);
  const Listing status = read_list(R"({"kind":"Status","code":410})", {});
  CHECK(status.error.empty());
  CHECK(status.rest == R"({"kind":"Status","code":410})");
  CHECK_FALSE(status.saw_items);
}

TEST_CASE("only wanted members are built") {
  const std::string body =
      R"({"items":[{"metadata":{"name":"a","uid":"u","managedFields":[{"x":[1,{"y":2}]}]},)"
      R"("spec":{"volumes":[{"name":"v","pvc":{"claim":"c","ro":true}},{"name":"w"}],"big":"text"},)"
      R"("status":"not an object"}]})";
  const std::vector<std::string> wanted{"/metadata/name", "/spec/volumes/*/pvc/claim", "/status/phase"};
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const Listing listing = read_list(body, {cut}, wanted);
    CAPTURE(cut);
    REQUIRE(listing.items.size() == 1);
    CHECK(
        listing.items[0] ==
        R"({"metadata":{"name":"a"},"spec":{"volumes":[{"pvc":{"claim":"c"}},{}]},"status":"not an object"})");
  }
  CHECK(
      read_list(body, {}, {"/metadata", "/status/phase"}).items[0] ==
      R"({"metadata":{"name":"a","uid":"u","managedFields":[{"x":[1,{"y":2}]}]},"status":"not an object"})");
  CHECK(read_list(body, {}, {"/spec/volumes/1/name"}).items[0] ==
        R"({"spec":{"volumes":[null,{"name":"w"}]}})");
  CHECK_FALSE(read_list(body, {}, {"no slash"}).error.empty());
}

TEST_CASE("an unwanted part is still checked") {
  CHECK_FALSE(read_list(R"({"items":[{"a":1,"skipped":[1,}]}]})", {}, {"/a"}).error.empty());
  const std::string deep = std::string(300, '[') + std::string(300, ']');
  CHECK_FALSE(read_list(R"({"items":[{"a":1,"skipped":)" + deep + "}]}", {}, {"/a"}).error.empty());
}

TEST_CASE("an error of the receiver stops the reading and stays") {
  int seen = 0;
  ListReader reader("reply", [&](Value) -> Result<void> {
    ++seen;
    return make_error(Kind::interrupted, "stop here");
  });
  const auto first = reader.feed(R"({"items":[{},{},{}]})");
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().what == "stop here");
  CHECK(seen == 1);
  CHECK(reader.feed("]}").error().what == "stop here");
  CHECK(reader.finish().error().what == "stop here");
}

TEST_CASE("watch events split anywhere, with and without white space between them") {
  const std::string body =
      "{\"type\":\"ADDED\",\"object\":{\"s\":\"}{\\\"\"}}{\"type\":\"B\"}\n\n [1] {}\r\n";
  const std::vector<std::string> expected{R"({"type":"ADDED","object":{"s":"}{\""}})", R"({"type":"B"})",
                                          "[1]", "{}"};
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); second += 3) {
      std::vector<std::string> values;
      ConcatenatedReader reader("watch", [&](Value value) -> Result<void> {
        values.push_back(write(value));
        return {};
      });
      CHECK(reader.feed(body.substr(0, first)).ok());
      CHECK(reader.feed(body.substr(first, second - first)).ok());
      CHECK(reader.feed(body.substr(second)).ok());
      CHECK(reader.at_boundary());
      CHECK(values == expected);
    }
  }
}

TEST_CASE("a stream cut inside an event is not at a boundary, garbage is an error") {
  const auto ignore = [](Value) -> Result<void> { return {}; };
  ConcatenatedReader cut("watch", ignore);
  CHECK(cut.at_boundary());
  CHECK(cut.feed(R"({"a":1}{"b")").ok());
  CHECK_FALSE(cut.at_boundary());
  for (std::string_view garbage : {"} ", "{]}", "<html> ", "{\"a\":}", "] {}", ", {}", "\"\xff\""}) {
    CAPTURE(garbage);
    ConcatenatedReader reader("watch", ignore);
    CHECK_FALSE(reader.feed(garbage).ok());
    CHECK_FALSE(reader.feed("{}").ok());
    CHECK_FALSE(reader.at_boundary());
  }
}
