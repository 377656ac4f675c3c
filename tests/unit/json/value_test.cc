#include "lib/json/value.h"

#include <doctest/doctest.h>

using truenas::json::parse;
using truenas::json::pointer_token;
using truenas::json::Value;
using truenas::json::write;

namespace {

Value document(std::string_view text) {
  auto value = parse(text, "document");
  REQUIRE(value.ok());
  return std::move(value).value();
}

}  // namespace

TEST_CASE("reading what is absent or of another type is neutral, never a crash") {
  const Value value = document(R"({"s":"text","n":7,"b":true,"a":[1,"two",{"x":null}],"o":{"k":"v"}})");
  CHECK(value.text_at("/s") == "text");
  CHECK(value.text_at("/n").empty());
  CHECK(value.integer_at("/n") == 7);
  CHECK(value.integer_at("/s", -1) == -1);
  CHECK(value.boolean_at("/b"));
  CHECK_FALSE(value.boolean_at("/missing"));
  CHECK(value.text_at("/a/1") == "two");
  CHECK(value.at("/a/2/x")->is_null());
  for (const char* pointer :
       {"/a/3", "/a/-", "/a/01", "/a/x", "/s/deeper", "a", "/o~", "/o/k/z", "/a/99999999999999999999"}) {
    CAPTURE(pointer);
    CHECK(value.at(pointer) == nullptr);
  }
  CHECK(value.at("") == &value);
  CHECK(value.items_at("/o").empty());
  CHECK(value.members_at("/a").empty());
  CHECK(Value().find("x") == nullptr);
  CHECK(Value(3).text().empty());
}

TEST_CASE("integers: fractions and overflow give the fallback, 1e3 is an integer") {
  CHECK(document("1e3").integer_or(-1) == 1000);
  CHECK(document("1.0").integer_or(-1) == 1);
  CHECK(document("-0.0").integer_or(-1) == 0);
  CHECK(document("1.5").integer_or(-1) == -1);
  CHECK(document("9223372036854775807").integer_or(-1) == 9223372036854775807);
  CHECK(document("9223372036854775808").integer_or(-1) == -1);
  CHECK(document("1e99").integer_or(-1) == -1);
  CHECK(document("1e-99999999999999999999").integer_or(-1) == -1);
  CHECK(document("2.5").double_or(0) == doctest::Approx(2.5));
}

TEST_CASE("equality: member order does not matter, numbers by value, array order does") {
  CHECK(document(R"({"a":1,"b":[1,2]})") == document(R"({"b":[1.0,2e0],"a":10e-1})"));
  CHECK_FALSE(document("[1,2]") == document("[2,1]"));
  CHECK_FALSE(document(R"({"a":1})") == document(R"({"a":1,"b":null})"));
  CHECK_FALSE(document("1") == document("\"1\""));
  CHECK_FALSE(document("9007199254740993") == document("9007199254740992"));
  CHECK(document("-0") == document("0.0e5"));
  CHECK_FALSE(Value::number("1e400") == Value::number("1e401"));
}

TEST_CASE("building by pointer makes objects on the way and appends to arrays") {
  Value value;
  value.set_at("/metadata/labels", Value::object()).set("app.kubernetes.io/name", "x");
  value.set_at("/metadata/annotations/" + pointer_token("a/b~c"), "y");
  value.set_at("/list", Value::array({1, 2}));
  value.set_at("/list/2", 3);
  value.set_at("/list/-", 4);
  value.set_at("/list/0", 0);
  value.set_at("/list/9/x", "lost on purpose: past the end");
  CHECK(write(value) ==
        R"({"metadata":{"labels":{"app.kubernetes.io/name":"x"},"annotations":{"a/b~c":"y"}},)"
        R"("list":[0,2,3,4]})");
  CHECK(value.text_at("/metadata/annotations/a~1b~0c") == "y");
  CHECK(value.remove_at("/metadata/labels/app.kubernetes.io~1name"));
  CHECK_FALSE(value.remove_at("/metadata/labels/app.kubernetes.io~1name"));
  CHECK_FALSE(value.remove_at("/nothing/here"));
  CHECK_FALSE(value.remove_at(""));
  CHECK(value.members_at("/metadata/labels").empty());
}

TEST_CASE("a malformed pointer never replaces the document") {
  Value value = document(R"({"keep":1})");
  value.set_at("no-slash", 2);
  CHECK(value.integer_at("/keep") == 1);
}

TEST_CASE("object literals keep the last of two equal keys") {
  CHECK(write(Value::object({{"a", 1}, {"a", 2}})) == R"({"a":2})");
}
