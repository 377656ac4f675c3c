// Lists: nothing left out, nothing counted twice, and nothing that is no list taken for an empty one.

#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {
namespace {

std::string page(const std::string& items, const std::string& next = "", const std::string& version = "100") {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")" + version +
         R"(","continue":")" + next + R"("},"items":[)" + items + "]}";
}

std::string item(const std::string& name) {
  return R"({"metadata":{"name":")" + name + R"("},"spec":{"a":1}})";
}

std::vector<std::string> names_of(const std::vector<json::Value>& items) {
  std::vector<std::string> names;
  for (const json::Value& value : items) names.push_back(value.text_at("/metadata/name"));
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("pages are followed, an empty one too, with the same selectors (L1)") {
  Stage stage;
  stage.answer(200, page(item("a") + "," + item("b"), "t 1"));
  stage.answer(200, page("", "t2"));
  stage.answer(200, page(item("c"), "", "105"));
  ListOptions options;
  options.label_selector = "app in (a,b)";
  options.field_selector = "spec.x=1";
  options.limit = 2;
  const auto items = stage.reader.list(k_pod, "ns", options);
  REQUIRE(items.ok());
  CHECK(names_of(*items) == Names{"a", "b", "c"});
  CHECK(items->front().text_at("/kind") == "Pod");  // L5
  CHECK(items->front().text_at("/apiVersion") == "v1");
  CHECK(stage.script.requests[0].target ==
        "/api/v1/namespaces/ns/pods?fieldSelector=spec.x%3D1&labelSelector=app%20in%20%28a%2Cb%29&limit=2");
  CHECK(stage.script.requests[1].target ==
        "/api/v1/namespaces/ns/"
        "pods?continue=t%201&fieldSelector=spec.x%3D1&labelSelector=app%20in%20%28a%2Cb%29&"
        "limit=2");
}

TEST_CASE("the list's resourceVersion is what a watch starts from") {
  Stage stage;
  stage.answer(200, page(item("a"), "", "4711"));
  ItemSink sink;
  sink.item = [](json::Value) { return Result<void>(); };
  CHECK(*stage.reader.list(k_pod, "ns", {}, sink) == "4711");
}

TEST_CASE("a page that expired makes the list begin again, without what came before (L2)") {
  Stage stage;
  stage.answer(200, page(item("a") + "," + item("b"), "t1"));
  stage.answer(410, status_body(410, "Expired", "too old"));
  stage.answer(200, page(item("a"), "t2"));
  stage.answer(200, page(item("c")));
  const auto items = stage.reader.list(k_pod, "ns");
  REQUIRE(items.ok());
  CHECK(names_of(*items) == Names{"a", "c"});
  CHECK(stage.script.requests[2].target == "/api/v1/namespaces/ns/pods?limit=500");
}

TEST_CASE("a list that expires again and again is asked for whole at last, then fails") {
  Stage stage;
  for (int i = 0; i < 4; ++i) {
    stage.answer(200, page(item("a"), "t"));
    stage.answer(410, status_body(410, "Expired", "too old"));
  }
  const auto items = stage.reader.list(k_pod, "ns");
  REQUIRE_FALSE(items.ok());
  CHECK(items.error().kind == Kind::unavailable);
  CHECK(stage.script.requests.size() == 8);
  CHECK(stage.script.requests[6].target == "/api/v1/namespaces/ns/pods");
}

TEST_CASE("without a way to forget, an expired page is an error, not a list with doubles") {
  Stage stage;
  stage.answer(200, page(item("a"), "t1"));
  stage.answer(410, status_body(410, "Expired", "too old"));
  ItemSink sink;
  sink.item = [](json::Value) { return Result<void>(); };
  CHECK_FALSE(stage.reader.list(k_pod, "ns", {}, sink).ok());
}

TEST_CASE("410 on the first page is an error") {
  Stage stage;
  stage.answer(410, status_body(410, "Expired", "too old"));
  CHECK(stage.reader.list(k_pod, "ns").error().kind == Kind::unavailable);
  CHECK(stage.script.requests.size() == 1);
}

TEST_CASE("a cut body is an error, wherever it was cut") {
  const std::string whole = page(item("a") + "," + item("b"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Stage stage;
    stage.answer(200, whole.substr(0, length));
    CAPTURE(length);
    CHECK_FALSE(stage.reader.list(k_pod, "ns").ok());
  }
}

TEST_CASE("a body split anywhere gives the same list") {
  const std::string whole = page(item("a") + "," + item("b"));
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    Stage stage;
    stage.script.answers.push_back({200, {whole.substr(0, cut), whole.substr(cut)}, {}, std::nullopt, {}});
    const auto items = stage.reader.list(k_pod, "ns");
    REQUIRE(items.ok());
    CHECK(names_of(*items) == Names{"a", "b"});
  }
}

TEST_CASE("what is no list is never an empty list") {
  for (const char* body : {"{}", "[]", "null", R"({"kind":"Pod","metadata":{}})",
                           R"({"kind":"PodList","items":{}})", "<html></html>"}) {
    Stage stage;
    stage.answer(200, body);
    CAPTURE(body);
    CHECK(stage.reader.list(k_pod, "ns").error().kind == Kind::format);
  }
  Stage failure;
  failure.answer(200, status_body(403, "Forbidden", "no"));
  CHECK(failure.reader.list(k_pod, "ns").error().kind == Kind::auth);
}

TEST_CASE("an empty list as Go writes it") {
  Stage stage;
  stage.answer(200,
               R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":null})");
  const auto items = stage.reader.list(k_pod, "ns");
  REQUIRE(items.ok());
  CHECK(items->empty());
}

TEST_CASE("only the wanted fields are kept, and the type is still told") {
  Stage stage;
  stage.answer(200, page(R"({"metadata":{"name":"a","labels":{"x":"y"}},"spec":{"big":[1,2,3]}})"));
  ListOptions options;
  options.wanted = {"/metadata/name"};
  const auto items = stage.reader.list(k_pod, "ns", options);
  REQUIRE(items.ok());
  CHECK(json::write(items->front()) == R"({"metadata":{"name":"a"},"apiVersion":"v1","kind":"Pod"})");
}

TEST_CASE("an unknown resource type is named as such (S6)") {
  Stage stage;
  stage.answer(404, "404 page not found\n", {{"Content-Type", "text/plain"}});
  const Error error = stage.reader.list(k_cluster, "ns").error();
  CHECK(error.kind == Kind::not_found);
  CHECK(
      error.what ==
      R"(the server doesn't have a resource type "clusters" in group "postgresql.cnpg.io" and version "v1")");
}

TEST_CASE("the receiver of items can stop the list with its own error") {
  Stage stage;
  stage.answer(200, page(item("a") + "," + item("b"), "t"));
  ItemSink sink;
  sink.item = [](json::Value) -> Result<void> { return make_error(Kind::mismatch, "enough"); };
  CHECK(stage.reader.list(k_pod, "ns", {}, sink).error().kind == Kind::mismatch);
  CHECK(stage.script.requests.size() == 1);
}

}  // namespace truenas::kube
