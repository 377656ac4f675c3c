// Logs, events, access, discovery, version and identity.

#include "lib/base/text.h"
#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {

TEST_CASE("logs: what is asked for, and pieces as they come") {
  Stage stage;
  stage.script.answers.push_back({200, {"a\n", "b", "\n"}, {}, std::nullopt, {}});
  LogOptions options;
  options.container = "c";
  options.follow = true;
  options.tail_lines = 0;
  options.limit_bytes = 10;
  options.stall = Milliseconds(1000);
  std::vector<std::string> pieces;
  REQUIRE(stage.reader
              .logs("ns", "p", options,
                    [&](std::string_view piece) {
                      pieces.emplace_back(piece);
                      return Result<void>();
                    })
              .ok());
  CHECK(pieces == std::vector<std::string>{"a\n", "b", "\n"});
  CHECK(stage.last().target ==
        "/api/v1/namespaces/ns/pods/p/log?container=c&follow=true&limitBytes=10&tailLines=0");
  CHECK_FALSE(stage.last().compressed);
  CHECK(stage.last().stall == Milliseconds(1000));
  CHECK(stage.last().timeout == Milliseconds(0));
}

TEST_CASE("a log that broke off is an error, not a short log") {
  Stage stage;
  stage.script.answers.push_back({200, {"half"}, {}, broken_connection(), {}});
  CHECK(stage.reader.logs("ns", "p", LogOptions()).error().kind == Kind::unavailable);
  stage.answer(400, status_body(400, "BadRequest", "container is waiting to start"));
  CHECK(stage.reader.logs("ns", "p", LogOptions()).error().what == "container is waiting to start");
  stage.answer(200, "all");
  CHECK(*stage.reader.logs("ns", "p", LogOptions()) == "all");
}

TEST_CASE("events of an object, oldest first, old and new style") {
  Stage stage;
  stage.answer(200, R"({"kind":"EventList","metadata":{},"items":[
    {"type":"Warning","reason":"B","message":"second","count":4,"lastTimestamp":"2026-01-01T00:00:10Z"},
    {"type":"Normal","reason":"A","message":"first","eventTime":"2026-01-01T00:00:09.500000Z"},
    {"type":"Normal","reason":"C","message":"third","eventTime":"2026-01-01T00:00:01.000000Z",
     "series":{"count":7,"lastObservedTime":"2026-01-01T00:00:11.000000Z"}}]})");
  const auto events = stage.reader.events_of("ns", "u-1");
  REQUIRE(events.ok());
  REQUIRE(events->size() == 3);
  CHECK((*events)[0].reason == "A");
  CHECK((*events)[0].count == 1);
  CHECK((*events)[1].count == 4);
  CHECK((*events)[2].count == 7);
  CHECK((*events)[2].last_seen == "2026-01-01T00:00:11.000000Z");
  CHECK(contains(stage.last().target, "fieldSelector=involvedObject.uid%3Du-1"));
  CHECK(stage.reader.events_of("ns", "").error().kind == Kind::bug);
  stage.answer(200, R"({"kind":"EventList","metadata":{},"items":[]})");
  CHECK(stage.reader.events_of("", "u-2")->empty());
  CHECK(contains(stage.last().target, "/namespaces/default/events"));
}

TEST_CASE("access is what the server says, and nothing else") {
  Stage stage;
  stage.answer(201, R"({"kind":"SelfSubjectAccessReview","status":{"allowed":true}})");
  AccessQuery query{"create", "", "pods", "exec", "ns", ""};
  CHECK(*stage.reader.can_i(query));
  CHECK(stage.last().method == "POST");
  CHECK(stage.last().target == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  CHECK(*json::parse(stage.last().body, "body") ==
        *json::parse(R"({"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":
          {"resourceAttributes":{"verb":"create","resource":"pods","subresource":"exec","namespace":"ns"}}})",
                     "expected"));
  stage.answer(201, R"({"status":{"allowed":false}})");
  CHECK_FALSE(*stage.reader.can_i(query));
  stage.answer(201, R"({"status":{}})");
  CHECK(stage.reader.can_i(query).error().kind == Kind::format);
  stage.no_answer(lost_reply());
  CHECK(stage.reader.can_i(query).error().kind == Kind::unavailable);
}

TEST_CASE("whether a type is served is learned from discovery, not from a 404") {
  const std::string groups =
      R"({"kind":"APIGroupList","groups":[{"name":"apps"},{"name":"postgresql.cnpg.io"}]})";
  Stage stage;
  stage.answer(200, R"({"kind":"APIGroupList","groups":[{"name":"apps"}]})");
  CHECK_FALSE(*stage.reader.serves(k_cluster));
  stage.answer(200, groups);
  stage.answer(200,
               R"({"kind":"APIResourceList","resources":[{"name":"clusters"},{"name":"clusters/status"}]})");
  CHECK(*stage.reader.serves(k_cluster));
  CHECK(stage.last().target == "/apis/postgresql.cnpg.io/v1");
  stage.answer(200, groups);
  stage.answer(404, "404 page not found");
  CHECK_FALSE(*stage.reader.serves(k_cluster));
  stage.answer(404, "404 page not found");
  CHECK_FALSE(stage.reader.serves(k_cluster).ok());
  stage.answer(200, "{}");
  CHECK_FALSE(stage.reader.serves(k_cluster).ok());
  stage.answer(403, status_body(403, "Forbidden", "no"));
  CHECK_FALSE(stage.reader.serves(k_cluster).ok());
  stage.answer(200, R"({"kind":"APIResourceList","resources":[{"name":"pods"}]})");
  CHECK(*stage.reader.serves(k_pod));
  CHECK(stage.last().target == "/api/v1");
}

TEST_CASE("version and identity of the cluster") {
  Stage stage;
  stage.answer(200, R"({"major":"1","gitVersion":"v1.35.4"})");
  CHECK(*stage.reader.server_version() == "v1.35.4");
  stage.answer(200, R"({"kind":"Namespace","metadata":{"name":"kube-system","uid":"u-k"}})");
  CHECK(*stage.reader.cluster_uid() == "u-k");
  stage.answer(200, R"({"kind":"Namespace","metadata":{"name":"kube-system"}})");
  CHECK(stage.reader.cluster_uid().error().kind == Kind::format);
}

}  // namespace truenas::kube
