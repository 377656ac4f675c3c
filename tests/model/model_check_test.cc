// The model checker must find the defects that it is there for: each is seeded here once.
#include "tests/model/model_check.h"

#include <doctest/doctest.h>

#include "tests/model/toy_workflow.h"

namespace truenas::model {
namespace {

using toy::Bug;
using toy::World;

Model<World> toy_model(const engine::Workflow<World>& workflow) {
  Model<World> model{workflow, {{"untouched", World{}}}, toy::fingerprint};
  model.restarted = [](World w) {
    w.remembered.clear();
    return w;
  };
  model.when_done = [](const World& w) {
    std::vector<engine::Violation> lacks;
    if (w.fresh_policy != "Delete")
      lacks.push_back({"the policy is as it was", "volume fresh is " + w.fresh_policy});
    return lacks;
  };
  return model;
}

std::vector<Variation<World>> meddling(const World& w) {
  std::vector<Variation<World>> changes;
  if (w.fresh != World::Fresh::none) {
    World gone = w;
    gone.fresh = World::Fresh::none;
    gone.copied = false;
    changes.push_back({"deletes volume fresh", gone});
  }
  World loose = w;
  loose.old_policy = "Delete";
  changes.push_back({"sets volume old to Delete", loose});
  return changes;
}

TEST_CASE("a sound workflow ends in Done from every crash point") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site);
  const ModelReport report = check_model(toy_model(workflow));
  CHECK_MESSAGE(report.ok(), report.failure);
  CHECK(report.done >= 1);
  CHECK(report.blocked == 0);
  CHECK(report.longest_chain == 7);  // note retain create (bind) copy delete restore
  CHECK(report.worlds > 8);
}

TEST_CASE("changes by others are followed, and those that break the invariant themselves are told apart") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site);
  Model<World> model = toy_model(workflow);
  model.when_done = nullptr;
  const std::size_t undisturbed = check_model(model).worlds;
  model.foreign = meddling;
  const ModelReport once = check_model(model);
  CHECK_MESSAGE(once.ok(), once.failure);
  CHECK(once.worlds > undisturbed);
  CHECK(once.broken_by_others >= 2);
  model.foreign_limit = 2;
  CHECK(check_model(model).worlds >= once.worlds);
}

TEST_CASE("a delete before the copy is caught, with the path to it") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site, Bug::deletes_too_early);
  const ModelReport report = check_model(toy_model(workflow));
  REQUIRE_FALSE(report.ok());
  CHECK(report.failure.find("the bytes have a home") != std::string::npos);
  CHECK(report.failure.find("step: create fresh") != std::string::npos);
  CHECK(report.failure.find("step: delete old") != std::string::npos);
}

TEST_CASE("decisions that go round are caught, with the cycle") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site, Bug::goes_round);
  const ModelReport report = check_model(toy_model(workflow));
  REQUIRE_FALSE(report.ok());
  CHECK(report.failure.find("cycle") != std::string::npos);
  CHECK(report.failure.find("step: copy old") != std::string::npos);
  CHECK(report.failure.find("step: scratch fresh") != std::string::npos);
}

TEST_CASE("what only the process remembered is missed after a crash") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site, Bug::forgets);
  const ModelReport report = check_model(toy_model(workflow));
  REQUIRE_FALSE(report.ok());
  CHECK(report.failure.find("the policy is as it was") != std::string::npos);
  CHECK(report.failure.find("process dies") != std::string::npos);
  SUBCASE("and would not be without crashes") {
    Model<World> without = toy_model(workflow);
    without.restarted = nullptr;
    CHECK(check_model(without).ok());
  }
}

TEST_CASE("a step cut short is followed") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site);
  Model<World> model = toy_model(workflow);
  model.partial = [](const World& w, const engine::Step& s) {
    std::vector<Variation<World>> parts;
    if (s.verb == "copy") {
      World torn = w;
      torn.old_exists = false;
      parts.push_back({"the old volume went with it", torn});
    }
    return parts;
  };
  const ModelReport report = check_model(model);
  REQUIRE_FALSE(report.ok());
  CHECK(report.failure.find("cut short") != std::string::npos);
}

TEST_CASE("too many worlds is a failure, not a hang") {
  toy::Site site;
  const toy::ToyWorkflow workflow(site);
  Model<World> model = toy_model(workflow);
  model.world_limit = 3;
  CHECK(check_model(model).failure.find("more worlds than 3") != std::string::npos);
}

}  // namespace
}  // namespace truenas::model
