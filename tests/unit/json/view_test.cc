#include "lib/json/view.h"

#include <doctest/doctest.h>

using truenas::Kind;
using truenas::json::parse;
using truenas::json::Value;
using truenas::json::View;

namespace {

const std::string k_source = "reply to GET persistentvolumes/pv-1";

Value document(std::string_view text) {
  auto value = parse(text, "document");
  REQUIRE(value.ok());
  return std::move(value).value();
}

}  // namespace

TEST_CASE("a failure names source, place, what was expected and what was found") {
  const Value value = document(
      R"({"spec":{"csi":{"n":null,"list":[{"x":1}],"num":1.5,"t":true}},"metadata":{"labels":{"a/b":1}}})");
  const View view(value, k_source);
  CHECK(view.get_string("/spec/csi/volumeHandle").error().what ==
        "reply to GET persistentvolumes/pv-1: /spec/csi/volumeHandle: expected string, found nothing");
  CHECK(view.get_string("/spec/csi/volumeHandle").error().kind == Kind::format);
  CHECK(view.get_string("/spec/csi/n").error().what ==
        k_source + ": /spec/csi/n: expected string, found null");
  CHECK(view.get_integer("/spec/csi/num").error().what ==
        k_source + ": /spec/csi/num: expected integer, found number 1.5");
  CHECK(view.get_boolean("/spec/csi").error().what ==
        k_source + ": /spec/csi: expected boolean, found object");
  CHECK(view.get_object("/spec/csi/t").error().what ==
        k_source + ": /spec/csi/t: expected object, found boolean");
  CHECK(view.get_items("").error().what == k_source + ": /: expected array, found object");
  CHECK(view.find_strings("/metadata/labels").error().what ==
        k_source + ": /metadata/labels/a~1b: expected string, found number 1");
  CHECK(view.find_string("/spec/csi/t").error().kind == Kind::format);
  CHECK(view.find_integer("/spec/csi/t").error().kind == Kind::format);
  CHECK(view.find_boolean("/spec/csi/num").error().kind == Kind::format);
  const auto spec = view.get_object("/spec");
  REQUIRE(spec.ok());
  const auto items = spec->get_items("/csi/list");
  REQUIRE(items.ok());
  CHECK(items->at(0).get_string("/x").error().what ==
        k_source + ": /spec/csi/list/0/x: expected string, found number 1");
}

TEST_CASE("what is there is read, what may be absent has a fallback") {
  const Value value =
      document(R"({"s":"text","n":3,"b":false,"z":null,"m":{"k":"v","l":"w"},"items":[{"i":1},{"i":2}]})");
  const View view(value, k_source);
  CHECK(view.get_string("/s").value() == "text");
  CHECK(view.get_integer("/n").value() == 3);
  CHECK(view.get_boolean("/b").value() == false);
  CHECK(view.find_string("/none", "else").value() == "else");
  CHECK(view.find_string("/z", "else").value() == "else");
  CHECK(view.find_integer("/none", 9).value() == 9);
  CHECK(view.find_boolean("/none", true).value());
  CHECK(view.find_strings("/none").value().empty());
  CHECK(view.find_strings("/m").value() ==
        std::vector<std::pair<std::string, std::string>>{{"k", "v"}, {"l", "w"}});
  const auto items = view.get_items("/items");
  REQUIRE(items.ok());
  CHECK(items->at(1).get_integer("/i").value() == 2);
}
