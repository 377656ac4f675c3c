// One effect a step. Before anything is taken away, the guard looks at the world observed last, and the
// volumes concerned are read once more.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling.h"
#include "lib/workflow/postgres_rolling/facts.h"
#include "lib/workflow/postgres_rolling/invariant.h"
#include "lib/workflow/postgres_rolling/state.h"

namespace truenas::workflow {

PostgresRolling::PostgresRolling(const kube::Reader& reader, FactBook facts, RollingOptions options,
                                 Clock& clock)
    : state_(new State{
          .reader = reader, .facts = std::move(facts), .options = std::move(options), .clock = clock}) {}

PostgresRolling::~PostgresRolling() = default;

engine::Next PostgresRolling::next(const PostgresWorld& world) const {
  return next_of_rolling(world, state_->options);
}

PostgresWorld PostgresRolling::project(PostgresWorld world, const engine::Next& next) const {
  return project_rolling(std::move(world), state_->options, next);
}

std::vector<engine::Violation> PostgresRolling::check(const PostgresWorld& world) const {
  return check_world(world, state_->options);
}

std::string PostgresRolling::progress(const PostgresWorld& world) const {
  return progress_of_rolling(world);
}

const RollingOptions& PostgresRolling::options() const {
  return state_->options;
}

const std::optional<ProofOutcome>& PostgresRolling::proof() const {
  return state_->proof;
}

Result<void> PostgresRolling::act(const engine::Step& step, kube::Writer& writer) {
  State& state = *state_;
  if (!state.world) return make_error(Kind::bug, "a step was asked for before anything was observed");
  // A dry run tries steps that are due in a later world.
  if (!writer.server_dry_run()) {
    const auto broken = guard(*state.world, state.options, step);
    if (!broken.empty()) {
      return make_error(Kind::refused, fmt::format("will not {}: the rule {} does not hold: {}", step.title,
                                                   quote(broken.front().rule), broken.front().detail));
    }
  }
  if (step.verb == "note") return state.facts.write(step.argument("key"), fact_value(step));
  if (step.verb == "prove") return act_prove(state, step, writer, on_proof_progress);
  if (contains(step.verb, "canary")) return act_on_canary(state, step, writer);
  return act_on_cluster(state, step, writer);
}

}  // namespace truenas::workflow
