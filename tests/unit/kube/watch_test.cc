// Watches: no event lost, none invented, and an end that is told apart from silence.

#include "lib/base/text.h"
#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {
namespace {

std::string event(const std::string& type, const std::string& name, const std::string& version,
                  const std::string& uid = "u-1") {
  return R"({"type":")" + type + R"(","object":{"kind":"Pod","metadata":{"name":")" + name + R"(","uid":")" +
         uid + R"(","resourceVersion":")" + version + "\"}}}";
}

std::string error_event(int code, const std::string& reason, const std::string& more = "") {
  return R"({"type":"ERROR","object":)" + status_body(code, reason, "text", more) + "}";
}

// Collects what a watch hands over, as "ADDED a 5" and the like.
struct Watched {
  std::vector<std::string> seen;
  std::size_t stop_after = 1000;
  Result<void> result;

  Watched& run(Stage& stage, Milliseconds deadline = Milliseconds(60000)) {
    result = stage.reader.watch(k_pod, "ns", {}, "4", deadline, [this](const WatchEvent& e) -> Result<bool> {
      const char* names[] = {"added", "modified", "deleted", "bookmark", "gone"};
      seen.push_back(std::string(names[static_cast<int>(e.type)]) + " " + identity_of(e.object).name + " " +
                     identity_of(e.object).resource_version);
      return seen.size() < stop_after;
    });
    return *this;
  }
};

void stream(Stage& stage, std::vector<std::string> pieces, std::optional<Error> failure = std::nullopt,
            Milliseconds took = Milliseconds(5000)) {
  stage.script.answers.push_back({200, std::move(pieces), {}, std::move(failure), took});
}

using Seen = std::vector<std::string>;

}  // namespace

TEST_CASE("a watch asks for bookmarks, from the given version, without gzip, for a bounded time (W1, H6)") {
  Stage stage;
  stream(stage, {event("ADDED", "a", "5")});
  Watched watched;
  watched.stop_after = 1;
  CHECK(watched.run(stage, Milliseconds(3600000)).result.ok());
  CHECK(
      stage.last().target ==
      "/api/v1/namespaces/ns/pods?allowWatchBookmarks=true&resourceVersion=4&timeoutSeconds=300&watch=true");
  CHECK_FALSE(stage.last().compressed);
  CHECK(stage.last().timeout == Milliseconds(315000));
}

TEST_CASE("events split anywhere arrive whole and once") {
  const std::string text =
      event("ADDED", "a", "5") + "\n" + event("MODIFIED", "a", "6") + event("DELETED", "a", "7");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Stage stage;
    stream(stage, {text.substr(0, cut), text.substr(cut)});
    Watched watched;
    watched.stop_after = 3;
    CHECK(watched.run(stage).result.ok());
    CHECK(watched.seen == Seen{"added a 5", "modified a 6", "deleted a 7"});
  }
}

TEST_CASE("a clean end is resumed from the last version seen, a bookmark's too (W2)") {
  Stage stage;
  stream(stage, {event("ADDED", "a", "5"), event("BOOKMARK", "", "90")});
  stream(stage, {event("MODIFIED", "a", "91")});
  Watched watched;
  watched.stop_after = 3;
  CHECK(watched.run(stage).result.ok());
  CHECK(watched.seen == Seen{"added a 5", "bookmark  90", "modified a 91"});
  CHECK(contains(stage.last().target, "resourceVersion=90"));
  CHECK(stage.script.clock.slept.empty());
}

TEST_CASE("an event cut by the end of its connection is asked for again") {
  Stage stage;
  const std::string second = event("MODIFIED", "a", "6");
  stream(stage, {event("ADDED", "a", "5"), second.substr(0, second.size() / 2)});
  stream(stage, {second});
  Watched watched;
  watched.stop_after = 2;
  CHECK(watched.run(stage).result.ok());
  CHECK(watched.seen == Seen{"added a 5", "modified a 6"});
  CHECK(contains(stage.last().target, "resourceVersion=5"));
}

TEST_CASE("broken and refused connections are resumed with growing pauses") {
  Stage stage;
  stream(stage, {event("ADDED", "a", "5")}, broken_connection());
  stage.no_answer(refused_connection());
  stage.no_answer(refused_connection());
  stage.no_answer(refused_connection());
  stream(stage, {event("MODIFIED", "a", "6")});
  Watched watched;
  watched.stop_after = 2;
  CHECK(watched.run(stage).result.ok());
  CHECK(stage.script.clock.slept == std::vector<Milliseconds>{Milliseconds(1000), Milliseconds(1000),
                                                              Milliseconds(1600), Milliseconds(3200)});
}

TEST_CASE("expired versions end the watch with one gone event (W3)") {
  for (const int way : {0, 1, 2}) {
    Stage stage;
    if (way == 0) stage.answer(410, status_body(410, "Expired", "too old"));
    if (way == 1) stream(stage, {event("ADDED", "a", "5"), error_event(410, "Expired")});
    if (way == 2) stream(stage, {error_event(410, "Gone")});
    Watched watched;
    CHECK(watched.run(stage).result.ok());
    CHECK(watched.seen.back().starts_with("gone"));
    CHECK(stage.script.requests.size() == 1);
  }
}

TEST_CASE("an ERROR event of 500 is retried after the time that it names") {
  Stage stage;
  stream(stage, {error_event(500, "InternalError", R"(,"details":{"retryAfterSeconds":7})")});
  stream(stage, {event("ADDED", "a", "5")});
  Watched watched;
  watched.stop_after = 1;
  CHECK(watched.run(stage).result.ok());
  CHECK(stage.script.clock.slept == std::vector<Milliseconds>{Milliseconds(7000)});
}

TEST_CASE("401, 403 and a refused selector are fatal") {
  for (const int code : {401, 403, 400, 422}) {
    Stage stage;
    stage.answer(code, "");
    CHECK_FALSE(Watched().run(stage).result.ok());
    CHECK(stage.script.requests.size() == 1);
  }
  Stage stage;
  stream(stage, {error_event(403, "Forbidden")});
  CHECK(Watched().run(stage).result.error().kind == Kind::auth);
}

TEST_CASE("a credential that ran out during a watch is renewed once") {
  Stage stage;
  stream(stage, {event("ADDED", "a", "5")});
  stage.answer(401, "");
  stage.answer(401, "");
  CHECK(Watched().run(stage).result.error().kind == Kind::auth);
  CHECK(stage.script.requests.size() == 3);
  CHECK(stage.last().authorization.reveal() == "Bearer token-1");
}

TEST_CASE("what is no watch stream fails at once instead of waiting for the deadline") {
  for (const char* body :
       {"<html></html>", R"({"kind":"PodList","items":[]})", R"({"type":"NEW","object":{}})"}) {
    Stage stage;
    stream(stage, {body});
    CAPTURE(body);
    CHECK(Watched().run(stage).result.error().kind == Kind::format);
    CHECK(stage.script.requests.size() == 1);
  }
}

TEST_CASE("a watch never starts from nowhere (W4)") {
  for (const char* version : {"", "0"}) {
    Stage stage;
    const auto never = [](const WatchEvent&) -> Result<bool> { return true; };
    CHECK(stage.reader.watch(k_pod, "ns", {}, version, Milliseconds(1000), never).error().kind == Kind::bug);
    CHECK(stage.script.requests.empty());
  }
}

TEST_CASE("the deadline ends a watch that sees nothing, and a server that hangs up does not make it spin") {
  Stage stage;
  for (int i = 0; i < 100; ++i) stream(stage, {}, std::nullopt, Milliseconds(0));
  CHECK(Watched().run(stage, Milliseconds(10000)).result.ok());
  CHECK(stage.script.requests.size() == 10);
}

TEST_CASE("an error of the receiver ends the watch with that error, and the event is not passed over") {
  Stage stage;
  stream(stage, {event("ADDED", "a", "5") + event("ADDED", "b", "6")});
  int calls = 0;
  const Result<void> result =
      stage.reader.watch(k_pod, "ns", {}, "4", Milliseconds(1000), [&](const WatchEvent&) -> Result<bool> {
        ++calls;
        return make_error(Kind::mismatch, "mine");
      });
  CHECK(result.error().kind == Kind::mismatch);
  CHECK(calls == 1);
}

TEST_CASE("an interrupt ends a watch") {
  Stage stage;
  stream(stage, {}, make_error(Kind::interrupted, "interrupted"));
  CHECK(Watched().run(stage).result.error().kind == Kind::interrupted);
}

TEST_CASE("an object has ended when it was deleted or another bears its name (W7)") {
  const auto make = [](WatchEvent::Type type, const char* uid) {
    return WatchEvent{type, *json::parse(pod_body("p", uid), "test")};
  };
  using Type = WatchEvent::Type;
  CHECK(ended(make(Type::deleted, "u-1"), "p", "u-1"));
  CHECK(ended(make(Type::added, "u-2"), "p", "u-1"));
  CHECK(ended(make(Type::modified, "u-2"), "p", "u-1"));
  CHECK_FALSE(ended(make(Type::modified, "u-1"), "p", "u-1"));
  CHECK_FALSE(ended(make(Type::deleted, "u-0"), "p", "u-1"));  // the one before
  CHECK_FALSE(ended(make(Type::deleted, "u-1"), "q", "u-1"));
  CHECK_FALSE(ended(make(Type::bookmark, "u-2"), "p", "u-1"));
}

}  // namespace truenas::kube
