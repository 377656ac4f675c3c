// Every world that the move of a home can get into, from every start that matters: no byte is ever without a
// home, nobody is given an older one, and it always ends.

#include <doctest/doctest.h>

#include "tests/model/workspace_model.h"

using namespace truenas;
using namespace truenas::workflow;
using engine::Next;

TEST_CASE("no byte is lost and every way ends: a stopped home") {
  Totals totals;
  walk("stopped, undisturbed", stopped_home(), home_options(), 0, totals);
  walk("stopped", stopped_home(), home_options(), 2, totals);
  tell("stopped", totals);
}

TEST_CASE("two homes in one namespace: nobody thaws what the other needs") {
  Totals totals;
  walk("beside another", stopped_home(), home_options(), 3, totals, foreign_of_two);
  for (const FreezeOwner& other : {FreezeOwner{k_other_home, true, true},
                                   {k_other_home, true, false},
                                   {k_other_home, false, true},
                                   {k_other_home, false, false}}) {
    ModelledHome home = stopped_home();
    ClaimRole& role = home.world.freeze.roles[0];
    role.frozen = true;
    role.grants = false;
    role.owners = {other};
    home.world.freeze.able.clear();
    walk(fmt::format("frozen for another, alive {}, bound {}", other.alive, other.bound), home,
         home_options(), 2, totals, foreign_of_two);
  }
  tell("two homes", totals);
}

TEST_CASE("no byte is lost and every way ends: a running home, through Coder") {
  Totals totals;
  walk("running, undisturbed", running_home(), home_options(), 0, totals);
  walk("running", running_home(), home_options(), 1, totals);
  walk("stopped, with a token", known_home(), home_options(), 1, totals);
  tell("running", totals);
}

TEST_CASE("a running home's move is given up, or taken back, at any moment: it runs again") {
  Totals totals;
  for (int steps = 1; steps < 45; ++steps) {
    const ModelledHome partly = restarted(moved_partly(running_home(), home_options(), steps));
    walk(fmt::format("turned round after {} decisions", steps), partly, back_options(), 0, totals);
  }
  const ModelledHome moved = restarted(moved_partly(running_home(), home_options(), 1000));
  REQUIRE(moved.world.facts.ended);
  REQUIRE(moved.world.coder->started);
  walk("back", moved, back_options(), 1, totals);
  tell("running and back", totals);
}

TEST_CASE("what Coder alone can give back is not forgotten when there is no token any more") {
  ModelledHome home = running_home();
  for (int steps = 1; steps < 60; ++steps) {
    home = moved_partly(running_home(), home_options(), steps);
    if (home.world.facts.moved) break;
  }
  REQUIRE(home.world.facts.ran);
  home.world.coder.reset();
  const ModelledHome end = moved_partly(restarted(home), home_options(), 1000);
  CHECK_FALSE(end.world.facts.ended);
  const Next next = next_of_swap(end.world, home_options());
  REQUIRE(std::holds_alternative<engine::Blocked>(next));
  CHECK(std::get<engine::Blocked>(next).why.find("is to be started") != std::string::npos);
  CHECK(std::get<engine::Blocked>(next).why.find("daily") != std::string::npos);
  WorkspaceCopyOptions options = home_options();
  options.accepted = {k_left_stopped};
  CHECK(moved_partly(end, options, 1000).world.facts.ended);
}

TEST_CASE("a home that runs is left alone without a token") {
  ModelledHome home = running_home();
  home.world.coder.reset();
  const Next next = next_of_swap(home.world, home_options());
  REQUIRE(std::holds_alternative<engine::Blocked>(next));
  CHECK(std::get<engine::Blocked>(next).kind == Kind::refused);
}

TEST_CASE("without a proof that Coder cannot build nothing begins, unless the user says so") {
  ModelledHome home = stopped_home();
  home.world.freeze.roles.clear();
  CHECK(std::holds_alternative<engine::Blocked>(next_of_swap(home.world, home_options())));
  WorkspaceCopyOptions options = home_options();
  options.accepted = {k_no_build_freeze};
  Totals totals;
  walk("no freeze", home, options, 1, totals);
  home.world.freeze.able.clear();
  home.world.freeze.down = true;
  walk("Coder is down", home, home_options(), 1, totals);
  tell("other freezes", totals);
}

TEST_CASE("a moved home goes back, at rest or from the middle") {
  Totals totals;
  const ModelledHome moved = restarted(moved_partly(stopped_home(), home_options(), 1000));
  REQUIRE(moved.world.facts.moved);
  walk("back", moved, back_options(), 0, totals);
  walk("back, disturbed", moved, back_options(), 1, totals);
  for (int steps = 1; steps < 40; ++steps) {
    const ModelledHome partly = restarted(moved_partly(stopped_home(), home_options(), steps));
    walk(fmt::format("turned round after {} decisions", steps), partly, back_options(), 0, totals);
  }
  const ModelledHome back = restarted(moved_partly(moved, back_options(), 1000));
  REQUIRE(back.world.claim.storage_class == "truenas-nfs");
  walk("forward again", back, home_options(), 0, totals);
  tell("back", totals);
}
