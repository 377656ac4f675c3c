// Retries, credentials, timeouts and warnings: what reaches the server, and how often.

#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {
namespace {

Call get_call() {
  Call call;
  call.path = "/api/v1/namespaces/ns/pods/p";
  call.what = "get pods ns/p";
  return call;
}

Call write_call(const char* method) {
  Call call;
  call.method = method;
  call.path = "/api/v1/namespaces/ns/pods/p";
  call.what = "change pods ns/p";
  call.body = "{}";
  call.read_only = false;
  return call;
}

}  // namespace

TEST_CASE("a write whose reply was lost is sent once and its outcome is unknown") {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    Stage stage;
    stage.no_answer(lost_reply());
    const Result<json::Value> result = stage.session.call_json(write_call(method));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == Kind::outcome_unknown);
    CHECK(stage.script.requests.size() == 1);
    CHECK(stage.script.clock.slept.empty());
  }
}

TEST_CASE("a write that never left is unavailable and is not sent again") {
  Stage stage;
  stage.no_answer(refused_connection());
  CHECK(stage.session.call_json(write_call("PATCH")).error().kind == Kind::unavailable);
  CHECK(stage.script.requests.size() == 1);
}

TEST_CASE("a write answered by 5xx may have been carried out") {
  for (const int code : {500, 502, 503, 504}) {
    Stage stage;
    stage.answer(code, "<html>Bad Gateway</html>", {{"Content-Type", "text/html"}});
    CHECK(stage.session.call_json(write_call("POST")).error().kind == Kind::outcome_unknown);
    CHECK(stage.script.requests.size() == 1);
  }
}

TEST_CASE("a write whose 2xx reply cannot be read is done, but its outcome is not known") {
  for (const char* body : {"", "{\"kind\":\"Pod\"", "not json"}) {
    Stage stage;
    stage.answer(201, body);
    CHECK(stage.session.call_json(write_call("POST")).error().kind == Kind::outcome_unknown);
  }
}

TEST_CASE("a GET whose connection broke is sent again after a second, ten times at most (Y2)") {
  Stage stage;
  stage.no_answer(broken_connection());
  stage.answer(200, pod_body("p"));
  REQUIRE(stage.session.call_json(get_call()).ok());
  CHECK(stage.script.clock.slept == std::vector<Milliseconds>{Milliseconds(1000)});

  Stage hopeless;
  for (int i = 0; i < 20; ++i) hopeless.no_answer(broken_connection());
  CHECK(hopeless.session.call_json(get_call()).error().kind == Kind::unavailable);
  CHECK(hopeless.script.requests.size() == 11);
}

TEST_CASE("a GET to a server that is not there is not repeated") {
  Stage stage;
  stage.no_answer(refused_connection());
  CHECK(stage.session.call_json(get_call()).error().what == refused_connection().what);
  CHECK(stage.script.requests.size() == 1);
}

TEST_CASE("a GET of whose body a part was handed on is not repeated") {
  Stage stage;
  stage.script.answers.push_back({200, {"half"}, {}, broken_connection(), Milliseconds(0)});
  std::string seen;
  const auto sink = [&](std::string_view piece) -> Result<void> {
    seen += piece;
    return {};
  };
  CHECK(stage.session.call(get_call(), sink).error().kind == Kind::unavailable);
  CHECK(seen == "half");
  CHECK(stage.script.requests.size() == 1);
}

TEST_CASE("429 and 5xx with Retry-After in seconds are retried for every verb (Y1)") {
  for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) {
    for (const int code : {429, 500, 503}) {
      Stage stage;
      stage.answer(code, "", {{"retry-after", "2"}});
      stage.answer(200, pod_body("p"));
      Call call = write_call(method);
      call.read_only = call.method == "GET";
      REQUIRE(stage.session.call_json(call).ok());
      CHECK(stage.script.clock.slept == std::vector<Milliseconds>{Milliseconds(2000)});
      CHECK(stage.script.requests.size() == 2);
    }
  }
}

TEST_CASE("Retry-After that is a date, negative, absent or endless") {
  for (const char* value : {"Wed, 21 Oct 2026 07:28:00 GMT", "", "1.5", "2x", "86400"}) {
    Stage stage;
    stage.answer(429, "", {{"Retry-After", value}});
    CHECK(stage.session.call_json(get_call()).error().kind == Kind::unavailable);
    CHECK(stage.script.requests.size() == 1);
  }
}

TEST_CASE("a storm of Retry-After ends after ten retries with the server's words") {
  Stage stage;
  for (int i = 0; i < 30; ++i) {
    stage.answer(429, status_body(429, "TooManyRequests", "try later"), {{"Retry-After", "1"}});
  }
  Status status;
  const Result<json::Value> result = stage.session.call_json(get_call(), &status);
  CHECK(result.error().what == "try later");
  CHECK(status.reason == "TooManyRequests");
  CHECK(stage.script.requests.size() == 11);
}

TEST_CASE("the error tells what the attempt before died of (Y3)") {
  Stage stage;
  stage.no_answer(broken_connection());
  stage.answer(403, status_body(403, "Forbidden", "pods is forbidden"));
  const Error error = stage.session.call_json(get_call()).error();
  CHECK(error.kind == Kind::auth);
  CHECK(error.what == "pods is forbidden - error from a previous attempt: " + broken_connection().what);
}

TEST_CASE("a 401 is returned, and the next request carries a fresh credential (E7)") {
  Stage stage;
  stage.answer(401, status_body(401, "Unauthorized", "Unauthorized"));
  stage.answer(200, pod_body("p"));
  const Error error = stage.session.call_json(get_call()).error();
  CHECK(error.kind == Kind::auth);
  CHECK(error.what == "you must be logged in to the server (Unauthorized)");
  CHECK(stage.last().authorization.reveal() == "Bearer token-0");
  REQUIRE(stage.session.call_json(get_call()).ok());
  CHECK(stage.last().authorization.reveal() == "Bearer token-1");
}

TEST_CASE("prefix, impersonation, user agent and request timeout reach the server") {
  SessionOptions options;
  options.path_prefix = "/k8s/clusters/c-1";
  options.user_agent = "kubectl-truenas_migrate/v0.1.0 (linux/amd64)";
  options.extra_headers = {{"Impersonate-User", "jane"}};
  options.request_timeout = Milliseconds(90000);
  Stage stage(options);
  stage.answer(200, pod_body("p"));
  REQUIRE(stage.session.call_json(get_call()).ok());
  CHECK(stage.last().target == "/k8s/clusters/c-1/api/v1/namespaces/ns/pods/p?timeout=1m30s");
  CHECK(stage.last().timeout == Milliseconds(90000));
  CHECK(stage.last().stall == Milliseconds(0));
  const std::vector<http::Header> expected{{"Accept", "application/json, */*"},
                                           {"User-Agent", "kubectl-truenas_migrate/v0.1.0 (linux/amd64)"},
                                           {"Impersonate-User", "jane"}};
  CHECK(stage.last().headers == expected);
}

TEST_CASE("the request timeout bounds the retries too") {
  SessionOptions options;
  options.request_timeout = Milliseconds(5000);
  Stage stage(options);
  for (int i = 0; i < 20; ++i) stage.answer(503, "", {{"Retry-After", "2"}});
  CHECK(stage.session.call_json(get_call()).error().kind == Kind::unavailable);
  CHECK(stage.script.requests.size() == 3);
}

TEST_CASE("requests beyond the burst wait their turn, watches do not (Y5)") {
  SessionOptions options;
  options.qps = 10;
  options.burst = 2;
  Stage stage(options);
  for (int i = 0; i < 5; ++i) stage.answer(200, pod_body("p"));
  for (int i = 0; i < 4; ++i) REQUIRE(stage.session.call_json(get_call()).ok());
  CHECK(stage.script.clock.slept == std::vector<Milliseconds>{Milliseconds(100), Milliseconds(100)});
  Call watch = get_call();
  watch.watch = true;
  REQUIRE(stage.session.call_json(watch).ok());
  CHECK(stage.script.clock.slept.size() == 2);
}

TEST_CASE("warnings of the server are shown once, and cannot drive a terminal (D7)") {
  Stage stage;
  stage.answer(200, pod_body("p"),
               {{"Warning", R"(299 - "old \"API\"", 299 x "two" "Wed, 21 Oct", 199 - "no")"}});
  stage.answer(200, pod_body("p"), {{"warning", R"(299 - "two")"}, {"Warning", "299 - \"a\x1b[31m\""}});
  REQUIRE(stage.session.call_json(get_call()).ok());
  REQUIRE(stage.session.call_json(get_call()).ok());
  CHECK(stage.log == std::vector<std::string>{"Warning: old \"API\"", "Warning: two", "Warning: a\\x1b[31m"});
}

}  // namespace truenas::kube
