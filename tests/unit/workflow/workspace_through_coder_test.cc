// A running home moved through Coder on a fake cluster: stopped, moved, started again as it was, whatever
// happens: with a Coder that is away, and with builds that somebody else begins.

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/workflow/coder_home_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

bool deletes_the_home(const fakes::Seen& seen) {
  return seen.what.method == "DELETE" &&
         contains(seen.what.target, std::string("/persistentvolumeclaims/") + HomeSite::k_home);
}

}  // namespace

TEST_CASE("a running workspace is stopped, moved and started again as it was") {
  CoderHomeSite site;
  const engine::Plan plan = site.plan();
  REQUIRE_FALSE(plan.blocked);
  REQUIRE(site.is_used());
  const std::size_t writes = site.cluster.writes();
  CHECK(site.stops() == 0);
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  CHECK(site.cluster.writes() > writes);
  CHECK(join(site.mover.modes, " ") == "scan probe scan copy final compare");
  const auto planned =
      std::count_if(outcome.acted.begin(), outcome.acted.end(),
                    [](const engine::ActedStep& acted) { return acted.step.verb != "nudge-claim"; });
  CHECK(static_cast<std::size_t>(planned) == plan.step_count());
  CHECK(site.stops() == 1);
  site.check_moved_and_running();
  CHECK(site.plan().nothing_to_do());
}

TEST_CASE("a stopped workspace stays stopped, and its schedule does not start it meanwhile") {
  CoderHomeSite site;
  site.build("stop");
  site.coder.change_workspace(CoderHomeSite::k_workspace, [&](fakes::CoderdWorkspace& workspace) {
    workspace.autostart_due = site.cluster.elapsed() + Milliseconds(20000);
  });
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  site.check_moved();
  CHECK(site.schedule() == CoderHomeSite::k_schedule);
  CHECK(site.stops() == 1);
  // By its schedule, which is due by now; not by us.
  for (const engine::ActedStep& acted : outcome.acted) CHECK(acted.step.verb != "start-workspace");
}

TEST_CASE("a Coder that gives no answer keeps no name absent") {
  CoderHomeSite site;
  fakes::Fault away = fakes::refuse([&](const fakes::Seen&) { return site.claim() == nullptr; });
  away.times = -1;
  site.coder.add_fault(away);
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  site.check_moved_and_running();
}

TEST_CASE("a Coder that is away while a home is copied is waited for, and then the run ends") {
  CoderHomeSite site;
  bool is_away = false;
  fakes::Fault away = fakes::refuse([&](const fakes::Seen&) { return is_away; });
  away.times = -1;
  site.coder.add_fault(away);
  site.mover.while_moving = [&](const std::string& mode) { is_away = mode == "final"; };
  site.settles = true;
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(site.files() == site.before);
  CHECK(site.coder_may_delete());
  is_away = false;
  site.mover.while_moving = {};
  const engine::Outcome second = site.run();
  REQUIRE_MESSAGE(second.ok(), text_with_hints(second));
  site.check_moved_and_running();
}

TEST_CASE(
    "a user who starts the workspace while it is copied: it is stopped once more, and runs that version") {
  CoderHomeSite site;
  const std::string newer = site.coder.add_version("kubernetes", fakes::coderd_template() + "\n# newer\n");
  bool started = false;
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode != "final" || started) return;
    started = true;
    CHECK(site.coder.build(CoderHomeSite::k_workspace, "start", newer));
  };
  site.each_tick = [&] {
    if (started && site.is_used() && !site.files().contains("late")) site.write_home("late", "work");
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  REQUIRE(started);
  CHECK(site.files().contains("late"));
  CHECK(site.stops() == 2);
  site.version = newer;
  site.check_moved_and_running();
}

TEST_CASE("a build under way is waited for before anything is stopped") {
  CoderHomeSite site;
  site.coder.hold(CoderHomeSite::k_workspace, true);
  REQUIRE(site.coder.build(CoderHomeSite::k_workspace, "start"));
  int copied = 0;
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode == "copy" && ++copied == 1) site.coder.hold(CoderHomeSite::k_workspace, false);
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  site.check_moved_and_running();
}

namespace {

// Somebody's build has planned to replace the claim in the moment before it is deleted, after our last look,
// and is applied only when the name is there again.
struct LateBuild {
  explicit LateBuild(CoderHomeSite& site_of_home) : site(site_of_home) {
    const std::string naive = site.coder.add_version(
        "kubernetes", fakes::coderd_template("storage_class_name = \"truenas-csi-nfs\""));
    site.cluster.add_fault(fakes::before(deletes_the_home, [this, naive] {
      site.coder.hold(CoderHomeSite::k_workspace, true);
      planned = site.coder.build(CoderHomeSite::k_workspace, "start", naive).value_or("");
      site.coder.tick();
      REQUIRE(contains(join(site.coder.find_build(planned).actions, " "), "replace"));
      blind = hides;
    }));
    fakes::Fault away = fakes::refuse([this](const fakes::Seen&) { return blind; });
    away.times = -1;
    site.coder.add_fault(away);
    site.each_tick = [this] {
      const json::Value* claim = site.claim();
      if (planned.empty() || claim == nullptr || claim->text_at("/status/phase") != "Bound") return;
      if (++since == 20) blind = false;
      if (since == 60) site.coder.hold(CoderHomeSite::k_workspace, false);
    };
  }
  CoderHomeSite& site;
  std::string planned;
  bool hides = false, blind = false;
  int since = 0;
};

const fakes::CoderdOptions k_quick{.pending = Milliseconds(0), .planning = Milliseconds(0)};

}  // namespace

TEST_CASE("row H7: what a build has planned before the swap is not done to the claim of after") {
  CoderHomeSite site(k_quick);
  LateBuild late(site);
  SUBCASE("seen as soon as the name is there again, for Coder is not asked before") {}
  SUBCASE("seen late") {
    late.hides = true;
  }
  const engine::Outcome outcome = site.run();
  CHECK_FALSE(outcome.ok());
  CHECK_MESSAGE(contains(text_with_hints(outcome), "does not start"), text_with_hints(outcome));
  site.check_moved();
  CHECK(site.schedule() == CoderHomeSite::k_schedule);
  REQUIRE(late.since > 60);
  CHECK(site.coder.find_build(late.planned).job_status == "failed");
  CHECK(site.files() == site.before);
  CHECK(site.coder_may_delete());
  // Its user starts it as it was.
  site.build("start", site.version);
  const engine::Outcome second = site.run();
  REQUIRE_MESSAGE(second.ok(), text_with_hints(second));
  site.check_moved_and_running();
}

TEST_CASE("the same without the freeze: the claim is lost, and not a byte") {
  CoderHomeSite site(k_quick);
  LateBuild late(site);
  late.hides = true;
  site.options.accepted = {k_no_build_freeze};
  const engine::Outcome outcome = site.run();
  CHECK_FALSE(outcome.ok());
  site.cluster.tick(80);
  CHECK(site.coder.find_build(late.planned).job_status == "succeeded");
  CHECK(site.files() != site.before);
  CHECK(site.cluster.destroyed_data().empty());
}

TEST_CASE("a workspace whose last build has failed is refused before anything is done") {
  CoderHomeSite site;
  const std::string broken = site.coder.add_version("kubernetes", "resource \"x\" {");
  const auto id = site.coder.build(CoderHomeSite::k_workspace, "start", broken);
  REQUIRE(id);
  REQUIRE(site.cluster.tick_until([&] { return site.coder.find_build(*id).over(); }, 50));
  REQUIRE(site.last_build().job_status == "failed");
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "did not work"));
  CHECK(site.mover.modes.empty());
}

TEST_CASE("a run without a token does not forget what an earlier one has stopped") {
  CoderHomeSite site;
  WorkspaceControl* const control = site.control;
  int writes = 0;
  // Killed as soon as the claim is on its new volume.
  site.interrupted = [&] {
    return site.claim() != nullptr && site.claim()->text_at("/spec/storageClassName") == "truenas-csi-nfs" &&
           ++writes > 3;
  };
  REQUIRE_FALSE(site.run().ok());
  site.interrupted = [] { return false; };
  REQUIRE_FALSE(site.is_used());
  site.control = nullptr;
  const engine::Outcome without = site.run();
  REQUIRE_FALSE(without.ok());
  CHECK_MESSAGE(contains(without.error->what, "is to be started"), text_with_hints(without));
  CHECK(contains(without.error->what, CoderHomeSite::k_schedule));
  SUBCASE("with the token again") {
    site.control = control;
    const engine::Outcome with = site.run();
    REQUIRE_MESSAGE(with.ok(), text_with_hints(with));
    site.check_moved_and_running();
  }
  SUBCASE("with consent") {
    site.options.accepted = {k_left_stopped};
    const engine::Outcome left = site.run();
    REQUIRE_MESSAGE(left.ok(), text_with_hints(left));
    site.check_moved();
    CHECK(site.schedule().empty());
  }
}
