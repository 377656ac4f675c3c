// One effect a step. Before anything is taken away, the guard looks at the world observed last.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/invariant.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

bool is_by_mover(const std::string& verb) {
  return verb == "scan" || verb == "scan-newer" || verb == "check-target" || verb == "copy-warm" ||
         verb == "copy-final" || verb == "compare";
}

bool is_of_adoption(const std::string& verb) {
  return verb == "probe-adoption" || verb == "create-adopted" || verb == "prove-adoption" ||
         verb == "remove-probe";
}

Result<void> act_through_coder(WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer) {
  if (state.tools.coder == nullptr) return make_error(Kind::bug, "there is no Coder to ask");
  if (step.verb == "set-autostart") {
    return state.tools.coder->set_autostart(step.argument("schedule"), writer.permit());
  }
  const bool stop = step.verb == "stop-workspace";
  return state.tools.coder->build(stop ? "stop" : "start", step.argument("version"), writer.permit());
}

// A freeze that the user has waived keeps no build from deleting the new claim (facts/coder.md §6: H7).
Result<void> look_at_coder_once_more(WorkspaceCopy::State& state) {
  if (state.tools.coder == nullptr) return {};
  TM_TRY_ASSIGN(const CoderState now, state.tools.coder->look());
  if (!now.found || (now.stopped && !now.building)) return {};
  return make_error(Kind::conflict, fmt::format("Coder has begun to build the workspace of claim {}",
                                                state.options.full_name()));
}

}  // namespace

WorkspaceCopy::WorkspaceCopy(WorkspaceCopyTools tools, WorkspaceCopyOptions options)
    : state_(new State{.tools = std::move(tools), .options = std::move(options)}) {}
WorkspaceCopy::~WorkspaceCopy() = default;

engine::Next WorkspaceCopy::next(const SwapWorld& world) const {
  return next_of_swap(world, state_->options);
}

SwapWorld WorkspaceCopy::project(SwapWorld world, const engine::Next& next) const {
  return project_swap(std::move(world), state_->options, next);
}

std::vector<engine::Violation> WorkspaceCopy::check(const SwapWorld& world) const {
  return check_swap(world, state_->options);
}

std::string WorkspaceCopy::progress(const SwapWorld& world) const {
  return progress_of_swap(world, state_->options);
}

const WorkspaceCopyOptions& WorkspaceCopy::options() const {
  return state_->options;
}

void WorkspaceCopy::foresee(ForeseenWorkspace foreseen) {
  state_->options.foreseen = std::move(foreseen);
}

Result<void> WorkspaceCopy::act(const engine::Step& step, kube::Writer& writer) {
  State& state = *state_;
  state.rest.reset();
  if (!state.world) return make_error(Kind::bug, "a step was asked for before anything was observed");
  // A dry run tries steps that are due in a later world.
  if (!writer.server_dry_run()) {
    const auto broken = guard_swap(*state.world, state.options, step);
    if (!broken.empty()) {
      return make_error(Kind::refused, fmt::format("will not {}: the rule {} does not hold: {}", step.title,
                                                   quote(broken.front().rule), broken.front().detail));
    }
  }
  const std::string& verb = step.verb;
  if (verb == "note") return state.tools.facts.write(step.argument("key"), step.argument("value"));
  if (verb == "stop-workspace" || verb == "start-workspace" || verb == "set-autostart")
    return act_through_coder(state, step, writer);
  if (verb == "delete-claim") TM_TRY(look_at_coder_once_more(state));
  if (is_of_adoption(verb)) return act_on_adoption(state, step, writer, on_line);
  if (!is_by_mover(verb)) return act_on_objects(state, step, writer);
  return act_by_mover(state, step, writer, on_line);
}

}  // namespace truenas::workflow
