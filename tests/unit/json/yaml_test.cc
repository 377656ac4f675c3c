#include <doctest/doctest.h>

#include <string>

#include "lib/json/value.h"

using truenas::Kind;
using truenas::json::parse;
using truenas::json::parse_yaml;
using truenas::json::Value;
using truenas::json::write;
using truenas::json::write_yaml;

namespace {

std::string as_json(std::string_view yaml) {
  const auto value = parse_yaml(yaml, "file");
  return value.ok() ? write(value.value()) : "error: " + value.error().what;
}

}  // namespace

TEST_CASE("plain scalars mean what kubectl makes of them") {
  const std::pair<const char*, const char*> cases[] = {
      {"yes", "true"},
      {"Yes", "true"},
      {"y", "true"},
      {"on", "true"},
      {"TRUE", "true"},
      {"no", "false"},
      {"off", "false"},
      {"N", "false"},
      {"null", "null"},
      {"~", "null"},
      {"", "null"},
      {"0123", "83"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"0b101", "5"},
      {"-0x10", "-16"},
      {"1_000", "1000"},
      {"08", "8"},
      {"+5", "5"},
      {"1.50", "1.50"},
      {".5", "0.5"},
      {"1.", "1"},
      {"1e3", "1e3"},
      {"+1.5", "1.5"},
      {"-0", "0"},
      {"tRue", "\"tRue\""},
      {"1.2.3", "\"1.2.3\""},
      {"10Gi", "\"10Gi\""},
      {"-", "error"},
      {"0x", "\"0x\""},
      {"2026-11-22", "\"2026-11-22\""},
      {"1:30", "\"1:30\""},
      {"'yes'", "\"yes\""},
      {"\"012\"", "\"012\""},
      {"18446744073709551615", "18446744073709551615"},
      {"1e999", "\"1e999\""},
      {"_1", "\"_1\""},
      {"v1", "\"v1\""},
  };
  for (const auto& [yaml, json] : cases) {
    CAPTURE(yaml);
    if (std::string_view(yaml) == "-") {
      CHECK(as_json(std::string("- ") + yaml) == "[[null]]");
      continue;
    }
    CHECK(as_json(std::string("- ") + yaml) == std::string("[") + json + "]");
    CHECK(as_json(std::string("k: ") + yaml) == std::string("{\"k\":") + json + "}");
  }
  CHECK(as_json("a: .nan").find("no form in JSON") != std::string::npos);
}

TEST_CASE("keys become strings as kubectl does it") {
  CHECK(as_json("yes: 1\n012: 2\n'x y': 3\n1.5: 4\n") == R"({"true":1,"10":2,"x y":3,"1.5":4})");
  CHECK(as_json("~: 1").find("a key must be a scalar and not null") != std::string::npos);
  CHECK(as_json("[a]: 1").find("a key must be a scalar") != std::string::npos);
}

TEST_CASE("block scalars, anchors, comments, several forms in one document") {
  CHECK(
      as_json(
          "# comment\na: &x {b: [1, 'two']}\nc: *x\nd: |\n  line 1\n\n  line 2\ne: >-\n  folded\n  text\n") ==
      R"({"a":{"b":[1,"two"]},"c":{"b":[1,"two"]},"d":"line 1\n\nline 2\n","e":"folded text"})");
  CHECK(as_json("{\"json\": [1.50, \"\\u00e9\"]}") == "{\"json\":[1.50,\"\xc3\xa9\"]}");
  CHECK(as_json("") == "null");
  CHECK(as_json("# nothing\n") == "null");
  CHECK(as_json("a: 1\n---\n") == R"({"a":1})");
  CHECK(as_json("---\na: 1\n...\n") == R"({"a":1})");
  CHECK(as_json("a: 1\na: 2\n") == R"({"a":2})");
  CHECK(as_json("\xef\xbb\xbf"
                "a: 1\n") == R"({"a":1})");
}

TEST_CASE("what is not one plain YAML document is refused with its place") {
  for (std::string_view yaml :
       {"a: 1\n---\nb: 2\n", "a: !!str 5", "a: !custom {}", "<<: {a: 1}", "a: [1", "a: 'x", "\ta: 1",
        "a: b: c", "a: *unknown", "a: &x [*x]", "- a\nb: 1", "a: \"\\q\"", "{a: 1", "@x", "%YAML 9"}) {
    CAPTURE(yaml);
    const auto value = parse_yaml(yaml, "file");
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == Kind::format);
    CHECK(value.error().what.starts_with("file: "));
  }
  CHECK(as_json("a: 1\nb: !x 2\n") ==
        "error: file: not valid YAML at line 2, column 4: tags (!x) are not supported");
  CHECK(as_json("a: \xff") == "error: file: not UTF-8 text");
  CHECK(as_json(std::string("a\0b", 3)) == "error: file: not UTF-8 text");
}

TEST_CASE("alias bombs and deep nesting are refused quickly") {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) bomb += "," + last;
    bomb += "]\n";
  }
  CHECK(as_json(bomb).find("expands to over 1000000 values") != std::string::npos);
  std::string fat = "a: &a " + std::string(1u << 20, 'x') + "\nl:\n";
  for (int i = 0; i < 100; ++i) fat += "- *a\n";
  CHECK(as_json(fat).find("over 64 MiB") != std::string::npos);
  for (const std::size_t depth : {201u, 2000u, 200000u}) {
    const auto deep = parse_yaml("a: " + std::string(depth, '['), "file");
    CHECK_FALSE(deep.ok());
  }
  CHECK(parse_yaml("[" + std::string(300, '-') + "]", "file").ok());
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes += "- ";
  CHECK_FALSE(parse_yaml(dashes, "file").ok());
}

TEST_CASE("write_yaml looks as kubectl prints it") {
  const auto value =
      parse(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","labels":{},"annotations":)"
            R"({"b":"true","a":"a: b","n":"","t":"2026-11-22T13:28:34Z","m":"l1\nl2\n"}},)"
            R"("spec":{"list":[{"name":"c","args":["-c","x"]},[1,[2]],"s"],"none":[],"nil":null}})",
            "document");
  REQUIRE(value.ok());
  CHECK(
      write_yaml(value.value()) ==
      "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    a: 'a: b'\n    b: \"true\"\n    m: |\n      "
      "l1\n"
      "      l2\n    \"n\": \"\"\n    t: \"2026-11-22T13:28:34Z\"\n  labels: {}\n  name: x\nspec:\n  list:\n"
      "  - args:\n    - -c\n    - x\n    name: c\n  - - 1\n    - - 2\n  - s\n  nil: null\n  none: []\n");
  CHECK(write_yaml(Value("x")) == "x\n");
  CHECK(write_yaml(Value::object()) == "{}\n");
}

TEST_CASE("every string survives write_yaml and parse_yaml") {
  Value all = Value::array();
  for (const char* text : {"",
                           " ",
                           "a",
                           "yes",
                           "No",
                           "~",
                           "null",
                           "012",
                           "0x1",
                           "1e3",
                           ".5",
                           "1_0",
                           "-",
                           "- a",
                           "?",
                           "? a",
                           ":",
                           "a:",
                           "a: b",
                           "a:b",
                           "#",
                           "a #b",
                           "a#b",
                           "'",
                           "\"",
                           "it's",
                           "\\",
                           "!x",
                           "&x",
                           "*x",
                           "|",
                           ">",
                           "%x",
                           "@x",
                           "`x",
                           "{",
                           "}",
                           "[",
                           "]",
                           ",",
                           "a,b",
                           " lead",
                           "trail ",
                           "\ttab",
                           "a\tb",
                           "a\nb",
                           "a\n",
                           "\n",
                           "\n\n",
                           "a\n\n",
                           "a \nb",
                           "a\n b\n",
                           " a\nb",
                           "\na",
                           "a\n\nb",
                           "a\r\nb",
                           "---",
                           "--- x",
                           "...",
                           "<<",
                           "=",
                           "2026-11-22",
                           "1:30",
                           "\x01",
                           "\x7f",
                           "\xc2\x85",
                           "\xe2\x80\xa8",
                           "\xef\xbb\xbf",
                           "\xf0\x9f\x98\x80",
                           "\xc3\xa9",
                           "a: |\n  b\n",
                           ".inf",
                           "{{ .x }}",
                           "a\n...\nb",
                           "a\n---\nb\n",
                           "#a\nb",
                           "a\n#b\n",
                           "a\n  \nb",
                           "a\n\n\n",
                           "x\ny ",
                           "0o8",
                           "+",
                           "."}) {
    all.push_back(text);
    const auto alone = parse_yaml(write_yaml(Value(text)), "own output");
    CAPTURE(text);
    REQUIRE(alone.ok());
    CHECK(alone->text() == text);
  }
  Value nested =
      Value::object({{"list", all}, {"map", Value::object()}, {"deep", Value::array({Value::array({all})})}});
  for (const Value& text : all.items()) nested.find("map")->set(text.text(), Value::object({{"k", text}}));
  nested.set(std::string(2000, 'k'), all);
  nested.find("map")->set(std::string(500, '\t'), Value::object({{"k", "v"}}));
  nested.find("map")->set(std::string(600, '\t'), Value());
  const auto back = parse_yaml(write_yaml(nested), "own output");
  REQUIRE(back.ok());
  CHECK(back.value() == nested);
}
