// How a run waits: settling, deadlines, nudges, interrupts and the time limit.
#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/engine/run.h"
#include "tests/model/toy_workflow.h"
#include "tests/unit/engine/run_fixture.h"

namespace truenas::engine {
namespace {

TEST_CASE("a step with settle_polls waits for as many looks in a row that ask for it") {
  RunFixture f;
  f.workflow.settle_polls = 3;
  std::vector<bool> asked;
  int flickers = 0;
  f.before_look = [&](toy::World& w) {
    if (!w.old_exists || !w.copied) return;
    // The second look asks for something else.
    if (++flickers == 2) w.old_policy = "Retain", w.noted = "";
  };
  const Outcome outcome = f.run();
  REQUIRE(outcome.ok());
  CHECK(f.times_acted("delete old") == 1);
  CHECK(flickers >= 5);  // look, flicker, and then three in a row
}

TEST_CASE("after a conflict a step needs its looks in a row anew") {
  RunFixture f;
  f.workflow.settle_polls = 3;
  f.fault("delete", Kind::conflict, false);
  int looks_between = 0;
  f.before_look = [&](toy::World& w) {
    if (f.times_acted("delete old") == 1 && w.old_exists) ++looks_between;
  };
  REQUIRE(f.run().ok());
  CHECK(f.times_acted("delete old") == 2);
  CHECK(looks_between == 3);
}

TEST_CASE("a wait that begins again after an act has its whole deadline again") {
  RunFixture f;
  f.site.binds_at_look = 105;
  bool undone = false;
  f.before_look = [&](toy::World& w) {
    if (undone || f.clock.steady() < Seconds(50)) return;
    undone = true;
    w.fresh = toy::World::Fresh::none;
  };
  const Outcome outcome = f.run();
  REQUIRE(outcome.ok());
  CHECK(f.times_acted("create fresh") == 2);
  CHECK(outcome.waited.size() == 2);
  CHECK(outcome.elapsed > Seconds(90));
}

TEST_CASE("a wait ends at its deadline with the reason") {
  RunFixture f;
  f.site.binds_at_look = 0;
  f.options.explain = [](const Wait&) { return std::string("still waiting because: no space"); };
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "the binder"));
  CHECK(contains(outcome.error->what, "volume fresh is not bound"));
  REQUIRE_FALSE(outcome.error->hints.empty());
  CHECK(outcome.error->hints[0] == "still waiting because: no space");
  REQUIRE(outcome.waited.size() == 1);
  CHECK(outcome.waited[0].elapsed >= Milliseconds(60000));
  CHECK(f.observer.longest_wait < Milliseconds(62000));
}

TEST_CASE("a nudge comes when nothing moved, once for each state of things") {
  RunFixture f;
  f.site.binds_at_look = 0;
  REQUIRE_FALSE(f.run().ok());
  CHECK(f.times_acted("nudge fresh") == 1);
  SUBCASE("and again when things moved and stopped again") {
    RunFixture moved;
    moved.site.binds_at_look = 0;
    moved.before_look = [&](toy::World& w) {
      w.movement = moved.clock.steady() > Seconds(25) ? "later" : "first";
    };
    REQUIRE_FALSE(moved.run().ok());
    CHECK(moved.times_acted("nudge fresh") == 2);
  }
  SUBCASE("and every nudge_every") {
    RunFixture often;
    often.site.binds_at_look = 0;
    often.workflow.nudge_every = Seconds(15);
    const Outcome outcome = often.run();
    REQUIRE_FALSE(outcome.ok());
    CHECK(often.times_acted("nudge fresh") == 4);  // at 10, 25, 40, 55 of 60 s
    // … but is one entry, and noted once: a join of hours must not fill the journal.
    CHECK(outcome.acted.back().step.verb == "nudge");
    CHECK(outcome.acted.back().attempts == 4);
    CHECK(std::count(often.log.lines.begin(), often.log.lines.end(), "intent nudge fresh") == 1);
  }
  SUBCASE("not while things move") {
    RunFixture busy;
    busy.site.binds_at_look = 0;
    int look = 0;
    busy.before_look = [&](toy::World& w) { w.movement = std::to_string(++look); };
    REQUIRE_FALSE(busy.run().ok());
    CHECK(busy.times_acted("nudge fresh") == 0);
  }
}

TEST_CASE("a nudge that fails does not end the wait, unless the lock is lost") {
  RunFixture f;
  f.site.binds_at_look = 40;
  f.fault("nudge", Kind::conflict, false);
  f.fault("nudge", Kind::refused, false);
  REQUIRE(f.run().ok());
  CHECK(f.times_acted("nudge fresh") == 2);
  RunFixture lost;
  lost.site.binds_at_look = 40;
  lost.fault("nudge", Kind::locked, false);
  CHECK(lost.run().error->kind == Kind::locked);
}

TEST_CASE("an interrupt stops between two effects and says that it is safe to run again") {
  RunFixture f;
  f.observer.after_step = [&](const Step& step) {
    if (step.verb == "retain") f.stop = true;
  };
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::interrupted);
  CHECK(outcome.error->hints == std::vector<std::string>{"it is safe to run the same command again"});
  // The write in flight was finished and noted.
  CHECK(f.acted() == std::vector<std::string>{"note old", "retain old"});
  CHECK(f.log.lines.back() == "done retain old: ok");
  f.stop = false;
  CHECK(f.run().ok());
}

TEST_CASE("an interrupt ends a wait") {
  RunFixture f;
  f.site.binds_at_look = 0;
  f.clock.interrupt_at(f.clock.steady() + Seconds(5));
  CHECK(f.run().error->kind == Kind::interrupted);
}

TEST_CASE("the run's own time limit stops it") {
  RunFixture f;
  f.site.binds_at_look = 0;
  f.options.timeout = Seconds(20);
  const Outcome outcome = f.run();
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "time limit"));
}

}  // namespace
}  // namespace truenas::engine
