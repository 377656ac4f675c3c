// What a run does to a workspace only as its user was shown, and what it says of one that it leaves stopped;
// and a Coder that answers nothing for minutes.

#include <doctest/doctest.h>

#include "tests/unit/workflow/coder_home_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("a workspace that was planned as stopped is not stopped by us") {
  CoderHomeSite site;
  site.options.foreseen = ForeseenWorkspace{false, site.version};
  SUBCASE("it runs when its turn comes: nothing is begun") {
    const engine::Outcome outcome = site.run();
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error->kind == Kind::stopped);
    CHECK_MESSAGE(contains(text_with_hints(outcome), "run the same command again"), text_with_hints(outcome));
    CHECK(site.mover.modes.empty());
    CHECK(outcome.acted.empty());
    CHECK(site.stops() == 0);
  }
  SUBCASE("its user starts it while it is copied") {
    site.build("stop");
    site.coder.change_workspace(CoderHomeSite::k_workspace, [](fakes::CoderdWorkspace& workspace) {
      workspace.autostart_schedule.clear();
    });
    site.settles = true;
    bool started = false;
    site.mover.while_moving = [&](const std::string& mode) {
      if (mode != "final" || started) return;
      started = true;
      CHECK(site.coder.build(CoderHomeSite::k_workspace, "start"));
    };
    const engine::Outcome outcome = site.run();
    REQUIRE_FALSE(outcome.ok());
    REQUIRE(started);
    CHECK(outcome.error->kind == Kind::stopped);
    CHECK_MESSAGE(contains(outcome.error->what, "runs now"), text_with_hints(outcome));
    CHECK(site.stops() == 1);  // its user's
    CHECK(site.held.empty());
  }
  CHECK(site.is_used());
  CHECK(site.coder_may_delete());
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  CHECK(site.files() == site.before);
  // The plan shown anew says that it is stopped.
  site.options.foreseen = ForeseenWorkspace{true, site.version};
  site.mover.while_moving = {};
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_with_hints(again));
  site.check_moved();
  CHECK(site.is_used());
}

TEST_CASE("a workspace that runs another version than was judged is not stopped, and keeps its schedule") {
  CoderHomeSite site;
  site.options.foreseen = ForeseenWorkspace{true, site.version};
  const std::string newer = site.coder.add_version("kubernetes", fakes::coderd_template() + "\n# newer\n");
  site.build("start", newer);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK_MESSAGE(contains(outcome.error->what, "another template version"), text_with_hints(outcome));
  CHECK(site.stops() == 0);
  CHECK(site.schedule() == CoderHomeSite::k_schedule);
  CHECK(site.is_used());
}

TEST_CASE("a workspace that this move has stopped already is stopped once more, with any version") {
  CoderHomeSite site;
  site.options.foreseen = ForeseenWorkspace{true, site.version};
  const std::string newer = site.coder.add_version("kubernetes", fakes::coderd_template() + "\n# newer\n");
  bool started = false;
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode != "final" || started) return;
    started = true;
    CHECK(site.coder.build(CoderHomeSite::k_workspace, "start", newer));
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  CHECK(site.stops() == 2);
  site.version = newer;
  site.check_moved_and_running();
}

TEST_CASE("a killed run that asks Coder leaves word of that on the Role") {
  CoderHomeSite site;
  const auto asked = [&] {
    const json::Value* role = site.cluster.find(kube::k_role, HomeSite::k_ns, "coder-workspace-perms");
    REQUIRE(role != nullptr);
    return is_asked_for(*role, site.options.full_name());
  };
  site.interrupted = [&] { return !site.coder_may_delete(); };
  REQUIRE_FALSE(site.run().ok());
  CHECK(asked());
  site.interrupted = [] { return false; };
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_with_hints(again));
  CHECK_FALSE(asked());
  site.check_moved_and_running();
}

TEST_CASE("a Coder that hangs keeps no name absent") {
  CoderHomeSite site;
  // A black hole: only our own time ends it.
  fakes::Fault hole = fakes::refuse([&](const fakes::Seen&) {
    const bool hangs =
        site.claim() == nullptr || !site.claim()->text_at("/metadata/deletionTimestamp").empty();
    if (hangs) CHECK(site.clock.sleep(Seconds(90)).ok());
    return hangs;
  });
  hole.times = -1;
  site.coder.add_fault(hole);
  std::optional<Milliseconds> gone, back;
  const std::string claims = std::string("/namespaces/") + HomeSite::k_ns + "/persistentvolumeclaims";
  site.cluster.add_fault(fakes::after(
      [&](const fakes::Seen& seen) {
        return seen.what.method == "DELETE" && contains(seen.what.target, claims + "/" + HomeSite::k_home);
      },
      [&] { gone = site.clock.steady(); }));
  site.cluster.add_fault(fakes::before(
      [&](const fakes::Seen& seen) {
        return seen.what.method == "POST" && contains(seen.what.target, claims) && gone &&
               site.claim() == nullptr;
      },
      [&] { back = site.clock.steady(); }));
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
  REQUIRE(gone);
  REQUIRE(back);
  CHECK_MESSAGE(*back - *gone <= Seconds(10), (*back - *gone).count());
  site.check_moved_and_running();
}

TEST_CASE("a run that ends by whatever says that the workspace is left stopped") {
  CoderHomeSite site;
  site.settles = true;
  SUBCASE("interrupted while it is stopped") {
    site.interrupted = [&] { return site.stops() > 0 && !site.is_used(); };
    CHECK(site.run().error->kind == Kind::interrupted);
  }
  bool is_away = false;
  fakes::Fault away = fakes::refuse([&](const fakes::Seen&) { return is_away; });
  away.times = -1;
  site.coder.add_fault(away);
  SUBCASE("a Coder that is waited for to the deadline") {
    site.mover.while_moving = [&](const std::string& mode) { is_away = is_away || mode == "final"; };
    CHECK(site.run().error->kind == Kind::stopped);
    REQUIRE(site.held.size() == 1);
    CHECK(contains(site.held[0], "by the journal"));
    is_away = false;
  }
  SUBCASE("a lock that is lost right after the stop") {
    std::size_t writes = 1;
    while (site.stops() == 0) CHECK_FALSE(site.run(writes++).ok());
  }
  REQUIRE(site.stops() > 0);
  REQUIRE(site.held.size() == 1);
  CHECK_MESSAGE(contains(site.held[0], "autostart off"), site.held[0]);
  CHECK_MESSAGE((contains(site.held[0], "stopped") || contains(site.held[0], "a build of it is under way")),
                site.held[0]);
  CHECK(contains(site.held[0], CoderHomeSite::k_schedule));
  site.interrupted = [] { return false; };
  site.mover.while_moving = {};
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_with_hints(again));
  CHECK(site.held.size() == 1);
  site.check_moved_and_running();
}
