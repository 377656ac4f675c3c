// Every world that the rolling move of a PostgreSQL cluster can get into, from every start that matters: no
// byte is ever without a home, and it always ends.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/decide.h"
#include "lib/workflow/postgres_rolling/invariant.h"
#include "tests/model/model_check.h"
#include "tests/model/postgres_disturbances.h"
#include "tests/model/postgres_worlds.h"
#include "tests/model/postgres_worlds_text.h"

using namespace truenas;
using namespace truenas::workflow;
using engine::Next;
using engine::Step;
using engine::Violation;

namespace {

// The real decisions; what the run loop would add to them is checked here in every world: the guard of the
// step that is next, and that no volume of the start is ever lost.
class ModelledRolling final : public engine::Workflow<PostgresWorld> {
 public:
  ModelledRolling(RollingOptions options, const PostgresWorld& start) : options_(std::move(options)) {
    for (const auto& [name, volume] : start.cluster.volumes) volumes_.insert(name);
  }
  Result<PostgresWorld> observe() override { return make_error(Kind::bug, "a model does not observe"); }
  Result<void> act(const Step&, kube::Writer&) override {
    return make_error(Kind::bug, "a model does not act");
  }
  Next next(const PostgresWorld& world) const override { return next_of_rolling(world, options_); }
  PostgresWorld project(PostgresWorld world, const Next& next) const override {
    return project_rolling(std::move(world), options_, next);
  }
  std::string progress(const PostgresWorld& world) const override { return progress_of_rolling(world); }
  std::vector<Violation> check(const PostgresWorld& world) const override {
    std::vector<Violation> broken = check_world(world, options_);
    const Next next = next_of_rolling(world, options_);
    const Step* step = std::get_if<Step>(&next);
    // Not returned: a world that somebody else broke may be broken, but a step that the guard would refuse
    // must not be asked for even there.
    if (broken.empty() && step != nullptr && unguarded_.empty()) {
      for (const Violation& violation : guard(world, options_, *step)) {
        unguarded_ =
            fmt::format("{}: {} ({})\n  {}", step->id, violation.rule, violation.detail, describe(world));
      }
    }
    for (const std::string& name : volumes_) {
      if (!world.cluster.volumes.contains(name)) broken.push_back({"no volume is ever lost", name});
    }
    return broken;
  }

  // The first step that was asked for against the guard's word.
  const std::string& unguarded() const { return unguarded_; }

 private:
  RollingOptions options_;
  std::set<std::string> volumes_;
  mutable std::string unguarded_;
};

// Once a move has ended, --finalize may give volumes their policy back: so `undisturbed` only are they kept.
std::vector<Violation> when_done(const PostgresWorld& world, bool undisturbed) {
  std::vector<Violation> lacks;
  for (const auto& claim : world.cluster.claims) {
    const cnpg::InstanceVolume* volume = find_volume(world, claim);
    if (claim.storage_class == world.from.name)
      lacks.push_back({"every claim is on the new class", claim.name});
    if (volume == nullptr || (undisturbed && world.facts.number > 0 && !is_kept(*volume))) {
      lacks.push_back({"every volume is kept", claim.name});
    }
  }
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (undisturbed && volume.storage_class == world.from.name && volume.reclaim_policy != "Retain") {
      lacks.push_back({"every old volume is kept", name});
    }
  }
  if (world.facts.number > 0 && world.facts.proof.empty())
    lacks.push_back({"the move is proven", "no proof"});
  if (!world.canary.claim_uid.empty() || !world.canary.pod_uid.empty())
    lacks.push_back({"no canary is left", ""});
  return lacks;
}

struct Totals {
  std::size_t worlds = 0, transitions = 0, done = 0, blocked = 0, longest = 0;
};

void walk(const std::string& label, const PostgresWorld& start, const RollingOptions& options,
          int foreign_limit, Totals& totals) {
  const ModelledRolling workflow(options, start);
  model::Model<PostgresWorld> model{
      workflow, {{label, start}}, [](const PostgresWorld& w) { return describe(w); }};
  model.restarted = restarted;
  model.otherwise = otherwise;
  model.foreign = foreign;
  model.when_done = [&](const PostgresWorld& world) { return when_done(world, foreign_limit == 0); };
  model.foreign_limit = foreign_limit;
  const model::ModelReport report = model::check_model(model);
  CHECK_MESSAGE(report.ok(), label << ": " << report.failure);
  CHECK_MESSAGE(workflow.unguarded().empty(), label << ": " << workflow.unguarded());
  CHECK(report.done > 0);
  totals.worlds += report.worlds;
  totals.transitions += report.transitions;
  totals.done += report.done;
  totals.blocked += report.blocked;
  totals.longest = std::max(totals.longest, report.longest_chain);
}

void tell(const char* what, const Totals& totals) {
  MESSAGE(fmt::format("{}: {} worlds, {} transitions, {} done, {} blocked, at most {} decisions to the end",
                      what, totals.worlds, totals.transitions, totals.done, totals.blocked, totals.longest));
}

// The world after `steps` decisions of an undisturbed move.
PostgresWorld moved_partly(PostgresWorld world, const RollingOptions& options, int steps) {
  for (int i = 0; i < steps; ++i) {
    const Next next = next_of_rolling(world, options);
    if (std::holds_alternative<engine::Done>(next) || std::holds_alternative<engine::Blocked>(next)) break;
    world = project_rolling(std::move(world), options, next);
    remember(world);
  }
  return world;
}

PostgresWorld turned_round(PostgresWorld world, RollingOptions& options) {
  std::swap(world.from, world.to);
  std::swap(options.from_class, options.to_class);
  options.rollback = true;
  return restarted(std::move(world));
}

}  // namespace

TEST_CASE("no byte is lost and every way ends: one instance") {
  Totals totals;
  walk("1 instance", make_site({1}), site_options(), 1, totals);
  tell("one instance", totals);
}

TEST_CASE("no byte is lost and every way ends: two instances") {
  Totals totals;
  walk("2 instances", make_site({2}), site_options(), 1, totals);
  tell("two instances", totals);
}

TEST_CASE("no byte is lost and every way ends: three instances") {
  Totals totals;
  walk("3 instances", make_site({3}), site_options(), 1, totals);
  tell("three instances", totals);
}

TEST_CASE("operators that count on, and that know no mark") {
  Totals totals;
  for (const char* version : {"1.29.2", "1.27.1", ""}) {
    walk(fmt::format("2 instances, operator '{}'", version), make_site({2, false, false, version}),
         site_options(), 1, totals);
  }
  walk("3 instances, operator '1.27.1'", make_site({3, false, false, "1.27.1"}), site_options(), 1, totals);
  tell("operators", totals);
}

TEST_CASE("five instances, undisturbed by others") {
  Totals totals;
  for (const char* version : {"1.30.0", "1.27.1"}) {
    walk(fmt::format("5 instances, operator '{}'", version), make_site({5, false, false, version}),
         site_options(), 0, totals);
  }
  tell("five instances", totals);
}

TEST_CASE("WAL and tablespace claims, and a class that keeps its volumes") {
  Totals totals;
  for (const char* version : {"1.30.0", "1.27.1"}) {
    walk(fmt::format("wal and tablespace, {}", version), make_site({3, true, true, version, "Delete"}),
         site_options(), 0, totals);
    walk(fmt::format("wal, {}", version), make_site({2, true, false, version, "Retain"}), site_options(), 0,
         totals);
  }
  tell("claims", totals);
}

TEST_CASE("a class that was probed: refused before anything is changed, or moved to as ever") {
  Totals totals;
  for (const char* verdict : {"root_squash", "no_root_squash", "all_squash(root)"}) {
    for (int steps = 0; steps < 60; steps += 6) {
      PostgresWorld world = moved_partly(make_site({2}), site_options(), steps);
      world.to.probed.emplace();
      world.to.probed->verdict = verdict;
      const bool begun = world.facts.number > 0;
      if (begun || world.to.probed->squashes_root() || !world.to.probed->why_not_owner(26)) {
        walk(fmt::format("{} after {} decisions", verdict, steps), world, site_options(), 0, totals);
      } else {
        CHECK(std::holds_alternative<engine::Blocked>(next_of_rolling(world, site_options())));
      }
    }
  }
  tell("probed", totals);
}

TEST_CASE("a move is turned round at every moment") {
  Totals totals;
  for (const int instances : {1, 2, 3}) {
    for (int steps = 0; steps < 60; steps += 3) {
      RollingOptions options = site_options();
      const PostgresWorld partly = moved_partly(make_site({instances}), options, steps);
      walk(fmt::format("{} instances turned round after {} decisions", instances, steps),
           turned_round(partly, options), options, 0, totals);
    }
  }
  tell("turned round", totals);
}
