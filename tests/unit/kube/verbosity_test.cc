// The -v log: what kubectl shows at each level, and what must never be shown at any.

#include "lib/kube/verbosity.h"

#include "lib/base/text.h"
#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {
namespace {

SessionOptions at(int verbosity) {
  SessionOptions options;
  options.verbosity = verbosity;
  return options;
}

std::string log_of(int verbosity, const std::string& path, const std::string& body, bool streamed = false) {
  Stage stage(at(verbosity));
  stage.script.answers.push_back(
      {200, {body}, {{"Set-Cookie", "s3cret"}, {"X-A", "b"}}, std::nullopt, Milliseconds(12)});
  Call call;
  call.path = path;
  call.body = body;
  call.method = "POST";
  call.what = "test";
  const auto sink = [](std::string_view) { return Result<void>(); };
  REQUIRE(stage.session.call(call, streamed ? http::BodySink(sink) : http::BodySink()).ok());
  return stage.all_log();
}

}  // namespace

TEST_CASE("each level shows what kubectl shows (O12)") {
  CHECK(log_of(5, "/api/v1/pods", "{}").empty());
  CHECK(log_of(6, "/api/v1/pods", "{}") ==
        "POST https://example.test:6443/api/v1/pods 200 OK in 12 milliseconds\n");
  CHECK(log_of(7, "/api/v1/pods", "{}") ==
        "POST https://example.test:6443/api/v1/pods\nRequest Headers:\n    Accept: application/json, */*\n"
        "    Content-Type: application/json\n    Authorization: Bearer <masked>\n"
        "Response Status: 200 OK in 12 milliseconds\n");
  const std::string eight = log_of(8, "/api/v1/pods", std::string(2000, 'x'));
  CHECK(contains(eight, "Response Headers:\n    Set-Cookie: <masked>\n    X-A: b\n"));
  CHECK(contains(eight, "Request Body: " + std::string(1024, 'x') + " [truncated 976 chars]\n"));
  CHECK(contains(eight, "Response Body: " + std::string(1024, 'x') + " [truncated 976 chars]\n"));
  CHECK(
      contains(log_of(9, "/api/v1/pods", "{}"),
               R"(curl -v -XPOST  -H "Accept: application/json, */*" -H "Content-Type: application/json" -H )"
               R"("Authorization: Bearer <masked>" 'https://example.test:6443/api/v1/pods')"));
  CHECK(contains(log_of(10, "/api/v1/pods", std::string(50000, 'x'), true), std::string(50000, 'x')));
}

TEST_CASE("bodies of Secrets and credentials are shown at no level") {
  for (int verbosity = 0; verbosity <= 11; ++verbosity) {
    for (const char* path : {"/api/v1/namespaces/ns/secrets/db", "/api/v1/secrets"}) {
      for (const bool streamed : {false, true}) {
        const std::string log = log_of(verbosity, path, "hunter2", streamed);
        CHECK_FALSE(contains(log, "hunter2"));
        CHECK_FALSE(contains(log, "token-0"));
        CHECK_FALSE(contains(log, "s3cret"));
      }
    }
  }
}

TEST_CASE("a password in the Authorization header is masked whatever its scheme") {
  CHECK(masked_authorization(Secret("Bearer abc")) == "Bearer <masked>");
  CHECK(masked_authorization(Secret("basic YTpi")) == "basic <masked>");
  CHECK(masked_authorization(Secret("abc")) == "<masked>");
  CHECK(masked_authorization(Secret("Bearer")) == "<masked>");
  CHECK(masked_authorization(Secret("Custom abc")) == "<masked>");
  CHECK(masked_authorization(Secret()).empty());
}

TEST_CASE("failures are logged too, and no body can drive the terminal") {
  Stage stage(at(6));
  stage.no_answer(refused_connection());
  Call call;
  call.path = "/version";
  call.what = "test";
  CHECK_FALSE(stage.session.call(call).ok());
  CHECK(contains(stage.all_log(), "GET https://example.test:6443/version failed in 0 milliseconds"));
  CHECK_FALSE(contains(log_of(10, "/api/v1/pods", "\x1b[2J"), "\x1b"));
}

}  // namespace truenas::kube
