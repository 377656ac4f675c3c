// What failure answers mean: the kind callers branch on, and the text people read.

#include "lib/kube/status.h"

#include "lib/base/text.h"
#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {
namespace {

Call get_call() {
  Call call;
  call.what = "get pods mypod";
  return call;
}

Error error_of(int code, const std::string& body, std::vector<http::Header> headers = {}) {
  http::Response response;
  response.status = code;
  response.body = body;
  response.headers = std::move(headers);
  return status_error(read_status(response, get_call()), get_call());
}

}  // namespace

TEST_CASE("the kind follows the reason first, the code second (S2)") {
  struct Row {
    int code;
    const char* reason;
    Kind kind;
  };
  for (const Row& row : {Row{404, "NotFound", Kind::not_found},
                         Row{409, "Conflict", Kind::conflict},
                         Row{409, "AlreadyExists", Kind::conflict},
                         Row{401, "Unauthorized", Kind::auth},
                         Row{403, "Forbidden", Kind::auth},
                         Row{429, "TooManyRequests", Kind::unavailable},
                         Row{500, "InternalError", Kind::unavailable},
                         Row{500, "ServerTimeout", Kind::unavailable},
                         Row{504, "Timeout", Kind::unavailable},
                         Row{410, "Expired", Kind::unavailable},
                         Row{410, "Gone", Kind::unavailable},
                         Row{503, "ServiceUnavailable", Kind::unavailable},
                         Row{422, "Invalid", Kind::refused},
                         Row{400, "BadRequest", Kind::refused},
                         Row{415, "UnsupportedMediaType", Kind::refused},
                         Row{413, "", Kind::refused},
                         Row{404, "", Kind::not_found},
                         Row{409, "", Kind::conflict},
                         Row{418, "", Kind::refused},
                         Row{599, "", Kind::unavailable},
                         Row{500, "NotFound", Kind::not_found},
                         Row{418, "NewReason", Kind::refused}}) {
    CAPTURE(row.code);
    CAPTURE(row.reason);
    const Error error = error_of(row.code, status_body(row.code, row.reason, "text"));
    CHECK(error.kind == row.kind);
    CHECK(contains(error.what, "text"));
  }
}

TEST_CASE("answers that are no Status speak as client-go does (S3)") {
  const std::vector<http::Header> html{{"Content-Type", "text/html; charset=utf-8"}};
  CHECK(
      error_of(502, "<html>\nBad\x1b Gateway</html>", html).what ==
      R"(an error on the server ("<html>\nBad\x1b Gateway</html>") has prevented the request from succeeding (get pods mypod))");
  CHECK(error_of(502, "x", {{"Content-Type", "image/png"}}).what ==
        R"(an error on the server ("unknown") has prevented the request from succeeding (get pods mypod))");
  CHECK(error_of(404, "").what == "the server could not find the requested resource (get pods mypod)");
  CHECK(error_of(401, "").what ==
        "you must be logged in to the server (the server has asked for the client to provide credentials "
        "(get pods "
        "mypod))");
  CHECK(error_of(429, "").what ==
        "the server has received too many requests and has asked us to try again later (get pods mypod)");
  const Error long_page = error_of(500, std::string(100000, 'x'), html);
  CHECK(long_page.what.size() < 2300);
}

TEST_CASE("a redirect is an error of the configuration, not followed") {
  const Error error = error_of(302, "", {{"Location", "https://elsewhere/login"}});
  CHECK(error.kind == Kind::config);
  CHECK(contains(error.what, "https://elsewhere/login"));
}

TEST_CASE("invalid objects name each field once (S5)") {
  const std::string cause = R"({"reason":"FieldValueInvalid","field":"spec.x","message":"must be 1"})";
  const std::string other = R"({"reason":"FieldValueRequired","message":"no field"})";
  const std::string details =
      R"(,"details":{"kind":"Pod","name":"p","causes":[)" + cause + "," + cause + "," + other + "]}";
  CHECK(error_of(422, status_body(422, "Invalid", "m", details)).what ==
        R"(the Pod "p" is invalid: spec.x: must be 1; no field)");
  CHECK(error_of(422, status_body(422, "Invalid", "plain")).what == "the request is invalid: plain");
  CHECK(error_of(422, status_body(422, "Invalid", "m", R"(,"details":{"kind":"Pod","name":"p"})")).what ==
        R"(the Pod "p" is invalid: m)");
}

TEST_CASE("odd Status objects do not break the reading") {
  for (const char* body :
       {R"({"kind":"Status"})", R"({"kind":"Status","code":"x","reason":5,"message":[1]})",
        R"({"kind":"Status","code":99999999999})", R"([])", R"({"kind":"Status","details":"x"})"}) {
    const Error error = error_of(503, body);
    CHECK(error.kind == Kind::unavailable);
    CHECK_FALSE(error.what.empty());
  }
}

TEST_CASE("a 200 with a Status Failure is an error, an empty 200 too, a Success is none (S4)") {
  Stage stage;
  stage.answer(200, status_body(404, "NotFound", "gone"));
  stage.answer(200, "");
  stage.answer(200, R"({"kind":"Status","status":"Success"})");
  Status status;
  const Error error = stage.session.call_json(get_call(), &status).error();
  CHECK(error.kind == Kind::not_found);
  CHECK(error.what == "gone");
  CHECK(status.reason == "NotFound");
  const Error empty = stage.session.call_json(get_call()).error();
  CHECK(empty.kind == Kind::format);
  CHECK(empty.what == "reply to get pods mypod: empty");
  CHECK(stage.session.call_json(get_call()).ok());
}

TEST_CASE("a bare 404 is no proof that an object is absent") {
  Stage stage;
  stage.answer(404, "404 page not found\n", {{"Content-Type", "text/plain"}});
  CHECK(stage.reader.find(k_volume, "", "pv-1").error().kind == Kind::unavailable);
  stage.answer(404, "<html>", {{"Content-Type", "text/html"}});
  CHECK(stage.reader.get(k_pod, "ns", "p").error().kind == Kind::unavailable);
  // The server's own answer about a type that a known group does not have.
  stage.answer(404, status_body(404, "NotFound", "the server could not find the requested resource",
                                R"(,"details":{})"));
  CHECK(stage.reader.find(k_cluster, "ns", "c").error().kind == Kind::unavailable);
  stage.answer(404, not_found_body("pv-2"));
  CHECK(stage.reader.find(k_volume, "", "pv-1").error().kind == Kind::unavailable);
  stage.answer(404, not_found_body("pv-1"));
  const Result<std::optional<json::Value>> found = stage.reader.find(k_volume, "", "pv-1");
  REQUIRE(found.ok());
  CHECK_FALSE(found->has_value());
  stage.answer(404, not_found_body("pv-1"));
  const Error error = stage.reader.get(k_volume, "", "pv-1").error();
  CHECK(error.kind == Kind::not_found);
  CHECK(error.what == "things \"pv-1\" not found");
}

TEST_CASE("forbidden, broken and unauthenticated reads never look like absence") {
  for (const int code : {401, 403, 500, 502, 504, 410, 302}) {
    Stage stage;
    stage.answer(code, "");
    const auto found = stage.reader.find(k_pod, "ns", "p");
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind != Kind::not_found);
  }
}

TEST_CASE("an answer about another object is not taken") {
  Stage stage;
  stage.answer(200, pod_body("q"));
  CHECK(stage.reader.get(k_pod, "ns", "p").error().kind == Kind::format);
}

}  // namespace truenas::kube
