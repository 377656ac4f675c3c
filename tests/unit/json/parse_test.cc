#include <doctest/doctest.h>

#include <string>

#include "lib/json/value.h"

using truenas::Kind;
using truenas::json::parse;
using truenas::json::Value;
using truenas::json::write;
using truenas::json::write_pretty;

namespace {

std::string round_trip(std::string_view text) {
  const auto value = parse(text, "document");
  return value.ok() ? write(value.value()) : "error: " + value.error().what;
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

TEST_CASE("numbers keep their spelling, because a changed digit is a changed object") {
  for (const char* number :
       {"0", "-0", "1", "-1", "1.50", "1e3", "1E+3", "-2.5e-10", "123456789012345678901234567890",
        "9007199254740993", "18446744073709551615", "0.1000000000000000055511151231257827"}) {
    CAPTURE(number);
    CHECK(round_trip(number) == number);
    CHECK(round_trip(std::string("{\"n\":[") + number + "]}") == std::string("{\"n\":[") + number + "]}");
  }
}

TEST_CASE("every field survives, in order, also those the tool does not know") {
  const std::string text = R"({"z":1,"a":{"unknown":[null,true,false,"x",{}]},"":"empty key","m":[]})";
  CHECK(round_trip(text) == text);
}

TEST_CASE("strings survive with escapes, surrogates and control characters") {
  CHECK(round_trip(R"("a\"b\\c\/d\b\f\n\r\t\u0000\u00e9\ud83d\ude00")") ==
        "\"a\\\"b\\\\c/d\\u0008\\u000c\\n\\r\\t\\u0000\xc3\xa9\xf0\x9f\x98\x80\"");
}

TEST_CASE("a key that comes twice: the last one wins") {
  CHECK(round_trip(R"({"a":1,"b":2,"a":3})") == R"({"b":2,"a":3})");
  std::string large = "{";
  for (int i = 0; i < 100; ++i) large += "\"k" + std::to_string(i % 50) + "\":" + std::to_string(i) + ",";
  large.back() = '}';
  const auto value = parse(large, "document");
  REQUIRE(value.ok());
  CHECK(value->members().size() == 50);
  CHECK(value->integer_at("/k7") == 57);
}

TEST_CASE("200 levels are read, 201 are refused, a million do not use up the stack") {
  CHECK(parse(nested(200), "document").ok());
  const auto deep = parse(nested(201), "document");
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().kind == Kind::format);
  CHECK(deep.error().what == "document: not valid JSON at byte 200: nested deeper than 200 levels");
  CHECK_FALSE(parse(std::string(1000000, '['), "document").ok());
  CHECK_FALSE(parse(std::string(1000000, '{'), "document").ok());
}

TEST_CASE("what is not JSON is refused with its place") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "document: it is empty"},
      {" \n", "document: it is empty"},
      {"{", "document: not valid JSON at byte 1: it ends too early"},
      {R"({"a":)", "document: not valid JSON at byte 5: it ends too early"},
      {R"({"a":"b)", "document: not valid JSON at byte 7: it ends too early"},
      {R"(["a",tru)", "document: not valid JSON at byte 8: it ends too early"},
      {"1e400", "document: not valid JSON at byte 0: number too big to be stored in double"},
      {"<html>", "document: not valid JSON at byte 0: invalid value"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const auto value = parse(text, "document");
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == Kind::format);
    CHECK(value.error().what == message);
  }
  for (std::string_view text : {"{} {}", "[1,]", "{\"a\" 1}", "{a:1}", "01", "+1", ".5", "1.", "NaN", "'a'",
                                "{\"a\":1,}", "[1 2]", "\"\\x\"", "\"\\ud800\"", "nul", "--1", "\"a\tb\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse(text, "document").ok());
  }
}

TEST_CASE("every truncation of a document is refused") {
  const std::string text = R"({"kind":"Pod","n":[1.5,-2,true,null,{"a\"b":"\u00e9"}],"s":"x"})";
  REQUIRE(parse(text, "document").ok());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(parse(text.substr(0, length), "document").ok());
  }
}

TEST_CASE("bytes that are not UTF-8, and NUL bytes, are refused") {
  for (const std::string& bytes :
       {std::string("\xff"), std::string("\xc3"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"),
        std::string("\xf4\x90\x80\x80"), std::string("a\0b", 3)}) {
    CAPTURE(bytes);
    CHECK_FALSE(parse("\"" + bytes + "\"", "document").ok());
    CHECK_FALSE(parse("{\"" + bytes + "\":1}", "document").ok());
  }
  CHECK_FALSE(parse(std::string("{}\0{", 4), "document").ok());
  CHECK_FALSE(parse(std::string("{}\0", 3), "document").ok());
}

TEST_CASE("pretty JSON as kubectl prints it") {
  const auto value = parse(R"({"a":[1,{"b":"c"}],"d":{},"e":[]})", "document");
  REQUIRE(value.ok());
  CHECK(write_pretty(value.value()) ==
        "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"c\"\n        }\n    ],\n"
        "    \"d\": {},\n    \"e\": []\n}");
}
