// What a run must do when things go wrong: each case is a way to lose data, to stand still or to lie.
#include "lib/engine/run.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"
#include "tests/model/toy_workflow.h"
#include "tests/unit/engine/run_fixture.h"

namespace truenas::engine {
namespace {

TEST_CASE("a run acts each step once and ends in Done") {
  RunFixture f;
  const Outcome outcome = f.run();
  REQUIRE(outcome.ok());
  CHECK(outcome.done->summary == "the parcel lies on volume fresh");
  CHECK(f.acted() == std::vector<std::string>{"note old", "retain old", "create fresh", "copy old",
                                              "delete old", "restore fresh"});
  REQUIRE(outcome.acted.size() == 6);
  for (const ActedStep& acted : outcome.acted) {
    CHECK(acted.proved);
    CHECK(acted.attempts == 1);
    CHECK(acted.effect == ActedStep::Effect::changed);
  }
  REQUIRE(outcome.waited.size() == 1);
  CHECK(outcome.waited[0].id == "bind fresh");
  CHECK(outcome.elapsed > Milliseconds(0));
  CHECK(contains(changed_so_far(outcome), "changed so far: note volume old; retain volume old"));
}

TEST_CASE("a run at the end changes nothing") {
  RunFixture f;
  REQUIRE(f.run().ok());
  f.site.acts.clear();
  const Outcome again = f.run();
  CHECK(again.ok());
  CHECK(f.site.acts.empty());
  CHECK(changed_so_far(again) == "nothing was changed");
}

TEST_CASE("the intent is noted before the act and the outcome after it") {
  RunFixture f;
  f.fault("copy", Kind::conflict, false);
  REQUIRE(f.run().ok());
  REQUIRE(f.log.lines.size() == 14);
  CHECK(f.log.lines[0] == "intent note old");
  CHECK(f.log.lines[1] == "done note old: ok");
  CHECK(f.log.lines[6] == "intent copy old");
  CHECK(f.log.lines[7] == "done copy old: conflict: scripted");
}

TEST_CASE("an act whose intent cannot be noted does not happen") {
  RunFixture f;
  f.log.fail_intents = 1000;
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::unavailable);
  CHECK(contains(outcome.error->what, "writing the journal"));
  CHECK(f.site.acts.empty());
}

TEST_CASE("a lost reply of a write that worked is looked at, not sent again") {
  RunFixture f;
  f.fault("create", Kind::outcome_unknown, true);
  const Outcome outcome = f.run();
  REQUIRE(outcome.ok());
  CHECK(f.times_acted("create fresh") == 1);
  CHECK(outcome.acted[2].effect == ActedStep::Effect::changed);
  CHECK(outcome.acted[2].proved);
}

TEST_CASE("a lost reply of a write that did not work leads to another look and then the write") {
  RunFixture f;
  f.fault("create", Kind::outcome_unknown, false);
  const Outcome outcome = f.run();
  REQUIRE(outcome.ok());
  CHECK(f.times_acted("create fresh") == 2);
  CHECK(outcome.acted[2].attempts == 2);
}

TEST_CASE("a lost reply at the end of the run is told as unknown") {
  RunFixture f;
  f.fault("create", Kind::outcome_unknown, false);
  f.site.observe_errors.clear();
  f.observer.after_step = [&](const Step& step) {
    if (step.verb == "create") f.stop = true;
  };
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::interrupted);
  CHECK(contains(changed_so_far(outcome),
                 "create volume fresh (no reply came: it may or may not have worked)"));
}

TEST_CASE("a conflict leads to another look") {
  RunFixture f;
  f.fault("retain", Kind::conflict, false);
  f.fault("retain", Kind::conflict, false);
  REQUIRE(f.run().ok());
  CHECK(f.times_acted("retain old") == 3);
}

TEST_CASE("conflicts without end stop the run") {
  RunFixture f;
  for (int i = 0; i < 50; ++i) f.fault("retain", Kind::conflict, false);
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "somebody else changed volume old"));
  CHECK(f.times_acted("retain old") == 10);
}

TEST_CASE("a step that says ok and changes nothing stops at its deadline") {
  RunFixture f;
  f.ineffective = "retain";
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "retain volume old: tried"));
  CHECK(contains(outcome.error->what, "still needed"));
  // Not hammered: 1, 2, 4, 8, 15 … s between the acts within 120 s.
  CHECK(f.times_acted("retain old") <= 12);
  CHECK(f.times_acted("retain old") >= 3);
}

TEST_CASE("a step that others keep undoing stops the run") {
  RunFixture f;
  int undone = 0;
  f.before_look = [&](toy::World& w) {
    if (w.fresh == toy::World::Fresh::pending) {
      w.fresh = toy::World::Fresh::none;
      w.old_policy = "Delete";
      ++undone;
    }
  };
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "undone by somebody else each time"));
  CHECK(undone <= 6);
}

TEST_CASE("a refusal before any change is refused, after one it is stopped") {
  RunFixture before;
  before.fault("note", Kind::refused, false);
  CHECK(before.run().error->kind == Kind::refused);
  RunFixture after;
  after.fault("create", Kind::refused, false);
  const Outcome outcome = after.run();
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(outcome.acted.size() == 2);
}

TEST_CASE("a refusal after a mere note still changed nothing") {
  RunFixture noted;
  noted.fault("retain", Kind::refused, false);
  const Outcome outcome = noted.run();
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(outcome.acted.size() == 1);
}

TEST_CASE("a world that breaks the invariant is not acted in") {
  RunFixture f;
  f.before_look = [](toy::World& w) {
    if (w.copied) w.old_policy = "Delete";
  };
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "the old volume stays"));
  CHECK(f.times_acted("delete old") == 0);
}

TEST_CASE("not permitted stops at once") {
  RunFixture f;
  f.fault("retain", Kind::auth, false);
  const Outcome outcome = f.run();
  CHECK(outcome.error->kind == Kind::auth);
  CHECK(f.times_acted("retain old") == 1);
}

TEST_CASE("a lost lock stops at once") {
  RunFixture f;
  f.fault("copy", Kind::locked, false);
  const Outcome outcome = f.run();
  CHECK(outcome.error->kind == Kind::locked);
  CHECK(f.times_acted("copy old") == 1);
}

TEST_CASE("a look that fails is repeated with growing pauses, and given up in the end") {
  RunFixture f;
  f.site.observe_errors.assign(3, make_error(Kind::unavailable, "refused"));
  REQUIRE(f.run().ok());
  REQUIRE(f.observer.retries.size() == 3);
  CHECK(f.observer.retries ==
        std::vector<Milliseconds>{Milliseconds(1000), Milliseconds(2000), Milliseconds(4000)});
  RunFixture gone;
  gone.site.observe_errors.assign(100000, make_error(Kind::unavailable, "the server is away"));
  const Outcome outcome = gone.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::unavailable);
  CHECK(contains(outcome.error->what, "the server is away"));
  CHECK(gone.site.looks < 40);
}

TEST_CASE("a server that answers looks and no write is given up too") {
  RunFixture f;
  for (int i = 0; i < 10000; ++i) f.fault("note", Kind::unavailable, false);
  f.note_deadline = Seconds(100000);
  const Outcome outcome = f.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::unavailable);
}

TEST_CASE("a look that is not permitted ends the run") {
  RunFixture f;
  f.site.observe_errors.push_back(make_error(Kind::auth, "forbidden"));
  const Outcome outcome = f.run();
  CHECK(outcome.error->kind == Kind::auth);
  CHECK(f.site.looks == 1);
}

TEST_CASE("an outcome as JSON") {
  RunFixture f;
  f.fault("copy", Kind::auth, false);
  const json::Value value = to_json(f.run());
  CHECK(value.text_at("/result") == "auth");
  CHECK(value.text_at("/error/what") == "scripted");
  CHECK(value.text_at("/acted/0/id") == "note old");
  CHECK(value.text_at("/acted/0/effect") == "changed");
  CHECK(value.text_at("/waited/0/for") == "the binder");
  CHECK(contains(value.text_at("/changedSoFar"), "create volume fresh"));
  RunFixture good;
  CHECK(to_json(good.run()).text_at("/result") == "done");
}

}  // namespace
}  // namespace truenas::engine
