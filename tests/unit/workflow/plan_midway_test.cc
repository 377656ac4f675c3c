// A plan can be made whatever the operator's status, which lags behind, happens to show at that moment:
// running again "at any moment" begins with planning.

#include <doctest/doctest.h>

#include "lib/engine/plan.h"
#include "lib/workflow/postgres_rolling.h"
#include "tests/model/postgres_worlds.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

// Unfolds the real decisions from `start`.
Result<engine::Plan> plan_from(PostgresWorld start, const RollingOptions& options) {
  class Pure final : public engine::PureMachine {
   public:
    Pure(PostgresWorld world, const RollingOptions& chosen) : world_(std::move(world)), options_(chosen) {}
    engine::Next next() const override { return next_of_rolling(world_, options_); }
    void project(const engine::Next& next) override {
      world_ = project_rolling(std::move(world_), options_, next);
    }
    std::vector<engine::Violation> check() const override { return {}; }

   private:
    PostgresWorld world_;
    RollingOptions options_;
  };
  Pure machine(std::move(start), options);
  return engine::unfold(machine);
}

}  // namespace

TEST_CASE("a status that lags behind does not stop a plan") {
  const RollingOptions options = site_options();
  PostgresWorld world = make_site();
  world.facts.number = 1;
  world.facts.cluster_uid = world.cluster.uid;
  world.facts.from_class = options.from_class;
  world.facts.to_class = options.to_class;
  world.facts.instances = world.cluster.instances;
  world.facts.settings = {"/spec/storage"};
  SUBCASE("claims still called dangling") {
    world.cluster.dangling = {"coder-postgres-2"};
  }
  SUBCASE("the phase of a moment ago") {
    world.cluster.phase = "Waiting for the instances to become active";
  }
  SUBCASE("ready instances of a moment ago") {
    world.cluster.ready_instances = 2;
  }
  SUBCASE("a finished job beside its instance") {
    world.cluster.jobs.push_back(
        {"coder-postgres-2-join", "uid-job", "coder-postgres-2", "join", false, true, false});
  }
  SUBCASE("a job that goes, of an instance that is gone") {
    world.cluster.jobs.push_back(
        {"coder-postgres-9-join", "uid-job", "coder-postgres-9", "join", false, false, true});
  }
  SUBCASE("replication could not be asked") {
    world.cluster.replication.reset();
  }
  SUBCASE("the databases could not be asked") {
    world.site.facts.databases.reset();
  }
  const Result<engine::Plan> plan = plan_from(world, options);
  REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().what));
  CHECK_FALSE(plan->blocked.has_value());
  CHECK(plan->step_count() > 5);
}
