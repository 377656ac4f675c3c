// Every world that an adoption can get into: the home's bytes are there once, so both volume objects on their
// dataset are Retain at all times, and it always ends.

#include <doctest/doctest.h>

#include "tests/model/workspace_model.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

WorkspaceCopyOptions adopt_options() {
  WorkspaceCopyOptions options = home_options();
  options.carry = Carry::adopt;
  return options;
}

}  // namespace

TEST_CASE("an adoption: the one dataset is safe and every way ends, stopped") {
  Totals totals;
  walk("adopted, undisturbed", stopped_home(), adopt_options(), 0, totals);
  walk("adopted", stopped_home(), adopt_options(), 2, totals, foreign_of_adoption);
  tell("adopted", totals);
}

TEST_CASE("an adoption of a running home, through Coder") {
  Totals totals;
  walk("adopted running, undisturbed", running_home(), adopt_options(), 0, totals);
  walk("adopted running", running_home(), adopt_options(), 1, totals, foreign_of_adoption);
  tell("adopted running", totals);
}

TEST_CASE("an adopted home goes back, at rest or from the middle, and is adopted again") {
  Totals totals;
  WorkspaceCopyOptions back = adopt_options();
  back.rollback = true;
  const ModelledHome moved = restarted(moved_partly(stopped_home(), adopt_options(), 1000));
  REQUIRE(moved.world.facts.moved);
  REQUIRE(moved.world.facts.proved);
  walk("adopted, back", moved, back, 0, totals);
  walk("adopted, back, disturbed", moved, back, 1, totals, foreign_of_adoption);
  for (int steps = 1; steps < 40; ++steps) {
    const ModelledHome partly = restarted(moved_partly(stopped_home(), adopt_options(), steps));
    walk(fmt::format("adoption turned round after {} decisions", steps), partly, back, 0, totals);
  }
  const ModelledHome at_home = restarted(moved_partly(moved, back, 1000));
  REQUIRE(at_home.world.claim.storage_class == "truenas-nfs");
  walk("adopted again", at_home, adopt_options(), 1, totals, foreign_of_adoption);
  tell("adopted, back", totals);
}

TEST_CASE("what was begun one way is not gone on with the other way, and always ends") {
  Totals totals;
  for (int steps = 1; steps < 40; ++steps) {
    const ModelledHome adopting = restarted(moved_partly(stopped_home(), adopt_options(), steps));
    walk(fmt::format("adoption asked to copy after {} decisions", steps), adopting, home_options(), 1,
         totals);
    const ModelledHome copying = restarted(moved_partly(stopped_home(), home_options(), steps));
    walk(fmt::format("copy asked to adopt after {} decisions", steps), copying, adopt_options(), 1, totals);
  }
  tell("the other way", totals);
}
