// The conversation with a Coder that does not behave: limits, lost replies, strangers in front of it, replies
// that are not what they must be.

#include "lib/base/text.h"
#include "tests/unit/coder/scripted_coder.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

using Replies = std::deque<Result<http::Response>>;

const char* k_absent = R"({"message":"Resource not found or you do not have access to this resource"})";

http::Response slow_down(const char* seconds) {
  http::Response reply = response(429, R"({"message":"You've been rate limited"})");
  if (seconds != nullptr) reply.headers.emplace_back("Retry-After", seconds);
  return reply;
}

Error error_of(Result<http::Response> reply) {
  ScriptedCoder coder(Replies{std::move(reply)});
  const auto result = coder.reader().get_build("b1");
  REQUIRE_FALSE(result.ok());
  return result.error();
}

}  // namespace

TEST_CASE("coder session: the token goes out in Coder's header and nowhere else") {
  ScriptedCoder coder({response(200, R"({"version":"v2.28.1"})")});
  REQUIRE(coder.reader().version().ok());
  const http::Request request = coder.asked().at(0);
  CHECK(request.authorization_header == "Coder-Session-Token");
  CHECK(request.authorization.reveal() == "hunter2-secret");
  CHECK(contains(coder.log, "Coder-Session-Token: <masked>"));
  CHECK(contains(coder.log, "/api/v2/buildinfo"));
  CHECK_FALSE(contains(coder.log, "hunter2"));
  for (const auto& [name, value] : request.headers) CHECK_FALSE(contains(value, "hunter2"));
}

TEST_CASE("coder session: what may hold secrets is not logged") {
  ScriptedCoder coder({response(200, R"([{"name":"api_key","value":"sesame"}])")});
  REQUIRE(coder.reader().parameters("b1").ok());
  CHECK_FALSE(contains(coder.log, "sesame"));
  CHECK(contains(coder.log, "<masked>"));
}

TEST_CASE("coder session: a 429 is obeyed, with its Retry-After or without") {
  ScriptedCoder coder({slow_down("7"), slow_down(nullptr), response(200, R"({"version":"v2"})")});
  REQUIRE(coder.reader().version().ok());
  CHECK(coder.clock.sleeps == std::vector<std::int64_t>{7000, 5000});
  CHECK(contains(coder.log, "asked again in 7 s"));
  ScriptedCoder never({slow_down("1")});
  const auto result = never.reader().version();
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().kind == Kind::unavailable);
  CHECK(never.asked().size() == 11);
  ScriptedCoder tomorrow({slow_down("86400")});
  CHECK_FALSE(tomorrow.reader().version().ok());
  CHECK(tomorrow.clock.sleeps.empty());
}

TEST_CASE("coder session: the rate limit is passed by only for an owner") {
  const auto bypasses = [](const char* me) {
    ScriptedCoder coder({response(200, R"({"version":"v2"})")}, me);
    REQUIRE(coder.reader().version().ok());
    const http::Request request = coder.asked().at(0);
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Coder-Bypass-Ratelimit") return value == "true";
    }
    return false;
  };
  CHECK(bypasses(k_owner));
  CHECK_FALSE(bypasses(k_member));
  CHECK_FALSE(bypasses(R"({"id":"u1","username":"ada","roles":[{"name":"template-admin"}]})"));
  CHECK_FALSE(bypasses(R"({"roles":"owner"})"));
  CHECK_FALSE(bypasses("<html>"));
}

TEST_CASE("coder session: who answers what") {
  CHECK(error_of(response(404, k_absent)).kind == Kind::not_found);
  CHECK(error_of(response(410, R"({"message":"gone"})")).kind == Kind::not_found);
  CHECK(error_of(response(403, R"({"message":"Forbidden."})")).kind == Kind::auth);
  CHECK(error_of(
            response(400, R"({"message":"Validation failed.","validations":[{"field":"a","detail":"b"}]})"))
            .what == "cannot get workspace build b1: Coder answered 400: Validation failed.; a: b");
  const Error out = error_of(response(401, R"({"message":"You are signed out"})"));
  CHECK(out.kind == Kind::auth);
  CHECK(out.hints == std::vector<std::string>{"coder login https://coder.test"});
  // A 404 that Coder did not say proves nothing.
  const Error page = error_of(response(404, "<html>nginx</html>", "text/html"));
  CHECK(page.kind == Kind::unavailable);
  CHECK(contains(page.what, "not as Coder does"));
  CHECK(error_of(response(404, R"({"kind":"Status","code":404})")).kind == Kind::unavailable);
  CHECK(error_of(response(404, R"({"message":"Route not found."})")).kind == Kind::unavailable);
  http::Response redirect = response(302, "");
  redirect.headers.emplace_back("Location", "https://login.example.com");
  const Error moved = error_of(redirect);
  CHECK(moved.kind == Kind::config);
  CHECK(contains(moved.what, "login.example.com"));
}

TEST_CASE("coder session: a proxy's 502 is tried again a few times, a broken connection too") {
  ScriptedCoder coder({response(502, "<html>Bad Gateway</html>", "text/html"),
                       make_error(Kind::unavailable, "lost the connection to the server"),
                       response(200, R"({"version":"v2"})")});
  CHECK(coder.reader().version().ok());
  ScriptedCoder never({response(502, "<html>Bad Gateway</html>", "text/html")});
  const auto result = never.reader().version();
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().kind == Kind::unavailable);
  CHECK(contains(result.error().what, "502 (text/html)"));
  CHECK(never.asked().size() == 4);
}

TEST_CASE("coder session: replies that are not what they must be") {
  CHECK(error_of(response(200, "")).kind == Kind::format);
  CHECK(error_of(response(200, R"({"id":"b1","workspace_id")")).kind == Kind::format);
  CHECK(error_of(response(200, "[]")).kind == Kind::format);
  CHECK(contains(error_of(response(200, "<!doctype html>", "text/html; charset=utf-8")).what,
                 "page for people"));
  const Error typed = error_of(response(200, R"({"id":"b1","workspace_id":"w","template_version_id":7})"));
  CHECK(typed.what ==
        "reply to get workspace build b1: /template_version_id: expected string, found number 7");
  const Error other = error_of(response(
      200,
      R"({"id":"b2","workspace_id":"w","template_version_id":"v","transition":"stop","status":"x","job":{"status":"y"}})"));
  CHECK(contains(other.what, "is about \"b2\""));
}

TEST_CASE("coder reader: pages that never end") {
  // A server that ignores the offset.
  const std::string page =
      R"({"count":500,"workspaces":[)" + workspace_text("w1") + "," + workspace_text("w2") + "]}";
  ScriptedCoder ignores({response(200, page)});
  const auto repeated = ignores.reader().workspaces();
  REQUIRE_FALSE(repeated.ok());
  CHECK(repeated.error().kind == Kind::format);
  CHECK(ignores.asked().size() == 2);
  // A count that is never reached.
  ScriptedCoder short_of({response(200, R"({"count":3,"workspaces":[)" + workspace_text("w1") + "]}"),
                          response(200, R"({"count":3,"workspaces":[]})")});
  const auto missing = short_of.reader().workspaces();
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().kind == Kind::unavailable);
  // A workspace that changes its place while the list is read: the second reading is whole.
  const auto two = [](const std::string& a, const std::string& b) {
    return response(200, R"({"count":3,"workspaces":[)" + workspace_text(a) + "," + workspace_text(b) + "]}");
  };
  const auto one = [](const std::string& a) {
    return response(200, R"({"count":3,"workspaces":[)" + workspace_text(a) + "]}");
  };
  ScriptedCoder moving({two("w1", "w2"), two("w2", "w4"), two("w1", "w2"), one("w3")});
  const auto settled = moving.reader().workspaces();
  REQUIRE(settled.ok());
  CHECK(settled->size() == 3);
  CHECK_FALSE(ScriptedCoder({response(200, R"({"workspaces":[],"count":"0"})")}).reader().workspaces().ok());
}

TEST_CASE("coder writer: a lost reply is unknown and never sent again") {
  for (Result<http::Response> reply : Replies{
           make_error(Kind::outcome_unknown, "lost the connection to the server"),
           response(502, "<html>", "text/html"),
           response(500, R"({"message":"An internal server error occurred."})"), response(201, "{}"),
           response(201, "<html>", "text/html"),
           response(201, R"({"id":"b9","workspace_id":"w1","template_version_id":"v7","transition":"stop",)"
                         R"("status":"pending","job":{"status":"pending"}})")}) {
    ScriptedCoder coder({std::move(reply)});
    const auto build = ServerWriter(*coder.session, granted()).create_build("w1", "stop", "v1");
    REQUIRE_FALSE(build.ok());
    CHECK_MESSAGE(build.error().kind == Kind::outcome_unknown, build.error().what);
    CHECK(coder.asked().size() == 1);
  }
}

TEST_CASE("coder writer: the permit is asked before each sending, and nothing vague is sent") {
  ScriptedCoder coder({slow_down("1")});
  int granted_times = 0;
  kube::Permit permit;
  permit.still_granted = [&]() -> Result<void> {
    if (++granted_times > 3) return make_error(Kind::locked, "the lock is lost");
    return {};
  };
  const auto build = ServerWriter(*coder.session, permit).create_build("w1", "stop", "v1");
  REQUIRE_FALSE(build.ok());
  CHECK(build.error().kind == Kind::locked);
  CHECK(coder.asked().size() == 2);
  ServerWriter writer(*coder.session, granted());
  const std::size_t before = coder.transport->sent.size();
  CHECK_FALSE(writer.create_build("w1", "delete", "v1").ok());
  CHECK_FALSE(writer.create_build("w1", "stop", "").ok());
  CHECK_FALSE(writer.create_build("", "stop", "v1").ok());
  CHECK_FALSE(ServerWriter(*coder.session, kube::Permit()).pause_prebuilds(true).ok());
  const auto dry = ServerWriter(*coder.session, kube::Permit::server_trial()).set_autostart("w1", "x");
  REQUIRE_FALSE(dry.ok());
  CHECK(dry.error().kind == Kind::refused);
  CHECK(coder.transport->sent.size() == before);
}

TEST_CASE("coder reader: an id is a part of the path and nothing more") {
  ScriptedCoder coder({response(404, k_absent)});
  CHECK(coder.reader().find_workspace("../users/me?x=").ok());
  CHECK(coder.asked().at(0).target == "/api/v2/workspaces/..%2Fusers%2Fme%3Fx%3D");
  CHECK_FALSE(coder.reader().find_workspace("").ok());
}

TEST_CASE("coder values: what is over, stopped, next") {
  Build build;
  for (const char* status : {"succeeded", "failed", "canceled"}) {
    build.job_status = status;
    CHECK(build.over());
  }
  for (const char* status : {"pending", "running", "canceling", "unknown", "", "something new"}) {
    build.job_status = status;
    CHECK_FALSE(build.over());
  }
  ServerWorkspace workspace;
  workspace.active_version_id = "v2";
  workspace.latest_build.template_version_id = "v1";
  workspace.latest_build.transition = "stop";
  workspace.latest_build.status = "stopped";
  workspace.latest_build.job_status = "succeeded";
  CHECK(workspace.stopped());
  CHECK(workspace.next_version_id() == "v1");
  workspace.updates_always = true;
  CHECK(workspace.next_version_id() == "v2");
  workspace.latest_build.status = "failed";
  CHECK_FALSE(workspace.stopped());
}
