// Coder's client against the stand-in over real loopback HTTP: what the stand-in holds is what the client
// reads, and what the client asks for is what the stand-in does.

#include <atomic>
#include <thread>

#include "lib/base/text.h"
#include "lib/coder/server_login.h"
#include "tests/fakes/coderd_fixture.h"
#include "tests/fakes/http_server.h"

using namespace truenas;
using namespace truenas::coder;
using namespace truenas::fakes;

namespace {

struct Loopback {
  CoderSite site;
  HttpServer http{{[this](const http::Request& request) { return site.coder.handle(request); },
                   [](const http::Request&, const std::vector<std::string>&) {
                     return http::Upgrade(http::Response());
                   }}};
  std::string log;
  std::unique_ptr<ServerSession> session;

  explicit Loopback(const std::string& token = "coder-test-token", const CoderdOptions& options = {})
      : site(coderd_template(), options) {
    ServerLogin login;
    login.url = "http://127.0.0.1:" + std::to_string(http.port());
    login.token = Secret(token);
    kube::Environment none;
    none.variable = [](const std::string&) { return std::nullopt; };
    auto opened = open_server(
        login, none, 9, [this](std::string_view line) { log += std::string(line) + "\n"; }, site.clock);
    REQUIRE(opened.ok());
    session = std::move(opened).value();
  }
  ServerReader reader() { return ServerReader(*session); }
  ServerWriter writer() { return ServerWriter(*session, any_permit()); }
};

}  // namespace

TEST_CASE("coder over HTTP: a workspace, its build, its parameters, its state and its template") {
  Loopback loopback;
  const auto workspaces = loopback.reader().workspaces();
  REQUIRE_MESSAGE(workspaces.ok(), (workspaces.ok() ? "" : workspaces.error().what));
  REQUIRE(workspaces->size() == 1);
  const ServerWorkspace& workspace = workspaces->front();
  CHECK(workspace.id == k_workspace_id);
  CHECK(workspace.owner == "ada");
  CHECK(workspace.template_name == "kubernetes");
  CHECK(workspace.stopped());
  CHECK_FALSE(workspace.outdated);
  CHECK(workspace.latest_build.number == 3);
  const std::string build = workspace.latest_build.id;
  CHECK(loopback.reader().get_build(build)->status == "stopped");
  CHECK(loopback.reader().parameters(build).value() ==
        std::map<std::string, std::string>{{"home_disk_size", "10"}});
  const auto state = loopback.reader().state(build);
  REQUIRE(state.ok());
  REQUIRE(state->size() == 1);
  CHECK(state->front().address == "kubernetes_persistent_volume_claim.home");
  CHECK(state->front().id == "coder-workspaces/" + k_home);
  CHECK(loopback.reader().build_log(build)->back() == "Apply complete!");
  const auto text = loopback.reader().template_text(workspace.next_version_id());
  REQUIRE(text.ok());
  REQUIRE(text->size() == 1);
  CHECK(text->front().text == coderd_template());
  CHECK(loopback.reader().version()->starts_with("v2."));
  CHECK(loopback.reader().me()->is_owner());
  CHECK_FALSE(contains(loopback.log, "coder-test-token"));
  CHECK(contains(loopback.log, "<masked>"));
}

TEST_CASE("coder over HTTP: a template's text is fetched once, however often it is asked for") {
  Loopback loopback;
  const std::string version = loopback.reader().workspaces()->front().active_version_id;
  const std::size_t before = loopback.site.coder.requests();
  for (int i = 0; i < 20; ++i) REQUIRE(loopback.reader().template_text(version).ok());
  CHECK(loopback.site.coder.requests() == before + 2);
}

TEST_CASE("coder over HTTP: start, wait, agent, stop") {
  Loopback loopback;
  const std::string version = loopback.reader().workspaces()->front().active_version_id;
  const auto build = loopback.writer().create_build(k_workspace_id, "start", version);
  REQUIRE_MESSAGE(build.ok(), (build.ok() ? "" : build.error().what));
  CHECK_FALSE(build->over());
  const auto second = loopback.writer().create_build(k_workspace_id, "stop", version);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().kind == Kind::conflict);
  const auto seen = [&] { return loopback.reader().find_workspace(k_workspace_id).value().value(); };
  CHECK(seen().building());
  REQUIRE(loopback.site.cluster.tick_until([&] { return seen().agents_connected; }, 30));
  CHECK(seen().agents == 1);
  CHECK(seen().latest_build.status == "running");
  REQUIRE(loopback.writer().create_build(k_workspace_id, "stop", version).ok());
  REQUIRE(loopback.site.cluster.tick_until([&] { return seen().stopped(); }, 30));
  CHECK_FALSE(seen().agents_connected);
  CHECK(loopback.site.home_has_data());
}

TEST_CASE("coder over HTTP: autostart and prebuilds are set and read back") {
  Loopback loopback;
  const auto schedule = [&] {
    return loopback.reader().find_workspace(k_workspace_id)->value().autostart_schedule;
  };
  const std::string nine = "CRON_TZ=Europe/Berlin 0 9 * * 1-5";
  REQUIRE(loopback.writer().set_autostart(k_workspace_id, nine).ok());
  CHECK(schedule() == nine);
  REQUIRE(loopback.writer().set_autostart(k_workspace_id, std::nullopt).ok());
  CHECK(schedule().empty());
  CHECK(loopback.reader().prebuilds_paused().value() == false);
  REQUIRE(loopback.writer().pause_prebuilds(true).ok());
  REQUIRE(loopback.writer().pause_prebuilds(true).ok());  // 304: it was so already
  CHECK(loopback.reader().prebuilds_paused().value() == true);
}

TEST_CASE("coder over HTTP: absent, deleted, forbidden, signed out") {
  Loopback loopback;
  const auto absent = loopback.reader().find_workspace("11111111-2222-4333-8444-555555555555");
  REQUIRE(absent.ok());
  CHECK_FALSE(absent->has_value());
  loopback.site.coder.change_workspace(k_workspace_id, [](CoderdWorkspace& one) { one.deleted = true; });
  CHECK_FALSE(loopback.reader().find_workspace(k_workspace_id).value().has_value());
  CHECK(loopback.reader().workspaces()->empty());
  CHECK(Loopback("wrong").reader().workspaces().error().kind == Kind::auth);
  Loopback viewer;
  viewer.site.coder.users.front().roles = {"template-admin"};
  const std::string version = viewer.reader().workspaces()->front().active_version_id;
  const auto refused = viewer.writer().create_build(k_workspace_id, "start", version);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::auth);
}

TEST_CASE("coder over HTTP: the limit on files is waited out, and an owner is not limited") {
  CoderdOptions options;
  options.files_a_minute = 2;
  Loopback loopback("coder-test-token", options);
  loopback.site.coder.users.front().roles = {"template-admin"};
  for (int i = 0; i < 4; ++i) {
    const std::string version = loopback.site.coder.add_version("kubernetes", coderd_template());
    REQUIRE(loopback.reader().template_text(version).ok());
  }
  CHECK(contains(loopback.log, "429"));
  Loopback owner("coder-test-token", options);
  for (int i = 0; i < 4; ++i) {
    REQUIRE(owner.reader().template_text(owner.site.coder.add_version("kubernetes", coderd_template())).ok());
  }
  CHECK_FALSE(contains(owner.log, "429"));
}

TEST_CASE("coder over HTTP: many pages") {
  Loopback loopback;
  for (int i = 0; i < 250; ++i) {
    CoderdWorkspace workspace;
    workspace.name = "w" + std::to_string(i), workspace.owner = "bob", workspace.template_name = "kubernetes";
    workspace.ns = k_home_ns;
    loopback.site.coder.add_workspace(workspace, "");
  }
  const auto workspaces = loopback.reader().workspaces();
  REQUIRE(workspaces.ok());
  CHECK(workspaces->size() == 251);
}

TEST_CASE("coder over HTTP: a lost reply to a build that was made") {
  Loopback loopback;
  loopback.site.coder.add_fault(drop_reply(request_to("POST", "/builds")));
  const std::string version = loopback.reader().workspaces()->front().active_version_id;
  const std::size_t before = loopback.site.coder.builds().size();
  const auto build = loopback.writer().create_build(k_workspace_id, "start", version);
  REQUIRE_FALSE(build.ok());
  CHECK(build.error().kind == Kind::outcome_unknown);
  CHECK(loopback.site.coder.builds().size() == before + 1);
  CHECK(loopback.reader().find_workspace(k_workspace_id)->value().building());
}
