// The review with Coder's API. What would lose a home: an update that nobody looked at, a build that runs, a
// claim taken for an orphan because the token does not see its workspace, a state that holds something else.

#include "lib/base/text.h"
#include "lib/coder/server.h"
#include "tests/fakes/coderd_fixture.h"
#include "tests/unit/workflow/workspace_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

const std::string k_id = "0a7c1f52-7d3e-4c8e-9f61-2b9d6a3e5c01";
const std::string k_claim = "coder-" + k_id + "-home";
const std::string k_address = "kubernetes_persistent_volume_claim.home";

std::string class_line(const std::string& name) {
  return "    storage_class_name = \"" + name + "\"\n";
}

struct CoderHomes : WorkspaceSiteBuilder {
  CoderHomes() {
    SiteClaim& home = claim(k_claim);
    home.workspace.id = k_id;
    home.workspace.name = "dev", home.workspace.owner = "alice";
    site.coder.emplace();
    site.coder->sees_all = true;
    site.coder->user = "operator";
    site.coder->url = "https://coder.test";
    version("v1", fakes::coderd_template());
    coder::ServerWorkspace one;
    one.id = k_id, one.name = "dev", one.owner = "alice", one.template_name = "kubernetes";
    one.active_version_id = "v1";
    one.latest_build = {"b1", k_id, "v1", "v1", "stop", "stopped", "succeeded", "", 1};
    site.coder->workspaces[k_id] = one;
    site.coder->states["b1"] = {{k_address, "kubernetes_persistent_volume_claim", "ws/" + k_claim}};
    site.coder->parameters["b1"] = {{"home_disk_size", "10"}};
  }
  void version(const std::string& id, const std::string& text) {
    CoderText& made = site.coder->texts[id];
    made.version = id, made.text.name = "kubernetes", made.text.files = {{"main.tf", text}};
    made.variables = {{"namespace", "ws"}};
    auto read = coder::read_template(made.text.files);
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().what));
    made.text.text = std::move(read).value();
  }
  coder::ServerWorkspace& at_coder() { return site.coder->workspaces.at(k_id); }
  std::size_t count(const std::string& check) const { return of_check(judge(), check).size(); }
};

std::string fate_of(const ClaimFate& fate) {
  if (!fate.unknown.empty()) return "unknown: " + fate.unknown;
  return std::string(coder::fate_name(fate.now.fate)) + " " + fate.now.row;
}

}  // namespace

TEST_CASE("coder review: the next build and an update are judged by their own versions") {
  CoderHomes homes;
  CHECK(coder::is_harmless(homes.row().fate.now.fate));
  CHECK_FALSE(homes.row().update);
  CHECK(homes.count("CC2") == 0);
  homes.version("v2", fakes::coderd_template(class_line("truenas-csi-nfs")));
  homes.at_coder().active_version_id = "v2";
  homes.at_coder().outdated = true;
  const WorkspaceRow row = homes.row();
  CHECK(coder::is_harmless(row.fate.now.fate));
  REQUIRE(row.update);
  CHECK(fate_of(*row.update) == "destroyed C3");
  const auto found = of_check(homes.judge(), "CC2");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::alarm);
  CHECK(contains(found[0].consequence, "an update to the active version v2"));
  // Where every start uses the active version, that is the next build.
  homes.at_coder().require_active_version = true;
  CHECK(fate_of(homes.row().fate) == "destroyed C3");
  CHECK_FALSE(homes.row().update);
  CHECK(of_check(homes.judge(), "CC1").size() == 1);
}

TEST_CASE("coder review: the state tells the address, and a renamed type is seen") {
  CoderHomes homes;
  homes.version("v2", fakes::coderd_template("", "", "", "kubernetes_persistent_volume_claim_v1"));
  homes.at_coder().active_version_id = "v2";
  REQUIRE(homes.row().update);
  CHECK(fate_of(*homes.row().update) == "destroyed I1");
  // By the state, whatever the last text says: a failed build proves nothing about what is held.
  homes.at_coder().latest_build.job_status = "failed";
  CHECK(fate_of(*homes.row().update) == "destroyed I1");
  homes.site.coder->states.clear();
  CHECK(homes.row().update->now.fate == coder::Fate::unknown);
}

TEST_CASE("coder review: the size is the workspace's own parameter") {
  CoderHomes homes;
  CHECK(coder::is_harmless(homes.row().fate.now.fate));
  homes.site.coder->parameters["b1"]["home_disk_size"] = "5";
  CHECK(fate_of(homes.row().fate) == "destroyed G1");
  CHECK(homes.count("CC5") == 1);
}

TEST_CASE("coder review: a state without the claim, or with another") {
  CoderHomes homes;
  CHECK(homes.count("CC7") == 0);
  homes.site.coder->states["b1"] = {};
  CHECK(contains(of_check(homes.judge(), "CC7").at(0).consequence, "it holds none"));
  homes.site.coder->states["b1"] = {{k_address, "kubernetes_persistent_volume_claim", "ws/other"}};
  CHECK(contains(of_check(homes.judge(), "CC7").at(0).consequence, "ws/other"));
  // That other one is not there: the next build makes an empty home.
  CHECK(homes.count("CC8") == 1);
  homes.options.names = {"alice/dev"};
  CHECK(homes.count("CC8") == 0);
}

TEST_CASE("coder review: builds that run, failed, or begin by themselves") {
  CoderHomes homes;
  CHECK(homes.row().verdict == WorkspaceVerdict::ready);
  CHECK(homes.count("CC3") + homes.count("CC4") + homes.count("CC6") == 0);
  coder::Build& build = homes.at_coder().latest_build;
  build.job_status = "running", build.status = "starting", build.transition = "start";
  CHECK(homes.row().verdict == WorkspaceVerdict::running);
  CHECK(homes.row().why == "a start build is running in Coder");
  CHECK(of_check(homes.judge(), "CC4").at(0).severity == Severity::warning);
  build.job_status = "failed", build.status = "failed", build.job_error = "403";
  CHECK(contains(of_check(homes.judge(), "CC4").at(0).consequence, "failed (403)"));
  homes.at_coder().autostart_schedule = "0 9 * * *";
  homes.at_coder().next_start_at = "2026-11-24T09:00:00Z";
  CHECK(contains(of_check(homes.judge(), "CC3").at(0).consequence, "2026-11-24T09:00:00Z"));
  homes.at_coder().deleting_at = "2026-12-01T00:00:00Z";
  CHECK(of_check(homes.judge(), "CC6").at(0).severity == Severity::warning);
}

TEST_CASE("coder review: Coder's word against the cluster's") {
  CoderHomes homes;
  homes.pod(k_claim, "coder-x", "Running");
  CHECK(homes.row().verdict == WorkspaceVerdict::running);
  CHECK(of_check(homes.judge(), "CC4").at(0).severity == Severity::warning);
  CoderHomes idle;
  idle.at_coder().latest_build.transition = "start";
  idle.at_coder().latest_build.status = "running";
  CHECK(of_check(idle.judge(), "CC4").at(0).severity == Severity::note);
}

TEST_CASE("coder review: an orphan is only what Coder itself says it has not") {
  CoderHomes homes;
  homes.claim("coder-other").workspace.id = "11111111-2222-4333-8444-555555555555";
  CHECK(homes.count("CK9") == 0);
  homes.site.coder->absent = {"11111111-2222-4333-8444-555555555555"};
  CHECK(homes.count("CK9") == 1);
  const auto unchecked = [](const WorkspaceReview& review, std::string_view id) {
    return std::any_of(review.unchecked.begin(), review.unchecked.end(),
                       [&](const Unchecked& one) { return one.id == id; });
  };
  CHECK_FALSE(unchecked(homes.judge(), "CK9"));
  homes.site.coder->sees_all = false;
  CHECK(unchecked(homes.judge(), "CK9"));
  homes.site.coder->workspaces.clear();
  homes.site.coder->absent.clear();
  CHECK(homes.count("CK9") == 0);
  CHECK(unchecked(homes.judge(), "CK9"));
  homes.site.coder.reset();
  homes.site.no_coder = "no token";
  CHECK(unchecked(homes.judge(), "CC2-CC8"));
}

TEST_CASE("coder review: a text that cannot be had is unknown, and alarms nobody") {
  CoderHomes homes;
  homes.site.coder->texts["v1"].unknown = "cannot get text: Coder answered 403";
  CHECK(contains(homes.row().fate.unknown, "403"));
  const auto found = of_check(homes.judge(), "CC1");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::warning);
}

TEST_CASE("coder review: read from the stand-in, each version's text once") {
  fakes::CoderSite site;
  const std::string next =
      site.coder.add_version("kubernetes", fakes::coderd_template(class_line("truenas-csi-nfs")));
  kube::Reader reader(*site.session);
  WorkspaceOptions options;
  options.namespaces = {"coder-workspaces"};
  auto observed = observe_workspaces(reader, options);
  REQUIRE_MESSAGE(observed.ok(), (observed.ok() ? "" : observed.error().what));
  const std::size_t before = site.coder.requests();
  const auto asked =
      observe_coder(coder::ServerReader(*site.server), "http://coder.test", options, *observed);
  REQUIRE_MESSAGE(asked.ok(), (asked.ok() ? "" : asked.error().what));
  // Who we are (twice: the rate limit), the list, a state, parameters; of two versions itself, its file,
  // variables.
  CHECK(site.coder.requests() - before <= 2 + 1 + 1 + 1 + 2 * 4);
  const WorkspaceReview review = judge_workspaces(*observed, options);
  REQUIRE(review.rows.size() == 1);
  CHECK(fate_of(review.rows[0].fate) == "kept A1");
  REQUIRE(review.rows[0].update);
  CHECK(fate_of(*review.rows[0].update) == "destroyed C3");
  CHECK(review.rows[0].update->version == "v2");
  CHECK(next == review.rows[0].at_coder->active_version_id);
  // And so it is: the update destroys it.
  CHECK(site.run("start", next));
  CHECK_FALSE(site.home_has_data());
}
