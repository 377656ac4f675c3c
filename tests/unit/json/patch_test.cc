#include <doctest/doctest.h>

#include "lib/json/value.h"

using truenas::Kind;
using truenas::json::apply_json_patch;
using truenas::json::apply_merge_patch;
using truenas::json::parse;
using truenas::json::Value;
using truenas::json::write;

namespace {

Value document(std::string_view text) {
  auto value = parse(text, "document");
  REQUIRE(value.ok());
  return std::move(value).value();
}

}  // namespace

TEST_CASE("RFC 7386 appendix A") {
  const char* cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, expected] : cases) {
    CAPTURE(target);
    CAPTURE(patch);
    CHECK(write(apply_merge_patch(document(target), document(patch))) == expected);
  }
}

TEST_CASE("RFC 6902 appendix A") {
  const char* cases[][3] = {
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
       R"({"foo":["bar","qux","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux"})", R"([{"op":"replace","path":"/baz","value":"boo"}])", R"({"baz":"boo"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"foo":"bar","child":{"grandchild":{}}})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])", R"({"a":{"b":1},"c":{"b":1}})"},
  };
  for (const auto& [target, patch, expected] : cases) {
    CAPTURE(patch);
    const auto result = apply_json_patch(document(target), document(patch));
    REQUIRE(result.ok());
    CHECK(write(result.value()) == expected);
  }
}

TEST_CASE("a failed test is a conflict that names place and values") {
  const auto result = apply_json_patch(document(R"({"spec":{"n":1}})"),
                                       document(R"([{"op":"test","path":"/spec/n","value":2}])"));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().kind == Kind::conflict);
  CHECK(result.error().what == "JSON patch operation 0 (test /spec/n): /spec/n is 1, not 2");
  CHECK(apply_json_patch(document("{}"), document(R"([{"op":"test","path":"/x","value":null}])"))
            .error()
            .kind == Kind::conflict);
}

TEST_CASE("malformed patches are refused") {
  for (const char* patch :
       {R"({})", R"([1])", R"([{"op":"add","value":1}])", R"([{"op":"add","path":"/a"}])",
        R"([{"op":"add","path":"/no/such","value":1}])", R"([{"op":"remove","path":"/no"}])",
        R"([{"op":"replace","path":"/no","value":1}])", R"([{"op":"move","path":"/b"}])",
        R"([{"op":"move","from":"/o","path":"/o/x"}])", R"([{"op":"frobnicate","path":"/a"}])",
        R"([{"op":"add","path":"/list/5","value":1}])", R"([{"op":"remove","path":"/list/-"}])",
        R"([{"op":"remove","path":""}])", R"([{"op":"add","path":"x","value":1}])",
        R"([{"op":"add","path":"/list/x","value":1}])", R"([{"op":"add","path":"/s/x","value":1}])"}) {
    CAPTURE(patch);
    const auto result =
        apply_json_patch(document(R"({"a":1,"o":{"x":1},"list":[1],"s":"text"})"), document(patch));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == Kind::format);
  }
}
