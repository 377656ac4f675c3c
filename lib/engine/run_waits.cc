#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/engine/run_loop.h"

namespace truenas::engine {

RunLoop::Waiting& RunLoop::waiting(const Wait& wait) {
  auto found = waits_.find(wait.id);
  if (found == waits_.end()) {
    Waiting fresh;
    fresh.since = fresh.moved = fresh.explained = now();
    fresh.movement = wait.movement;
    fresh.entry = outcome_.waited.size();
    outcome_.waited.push_back(WaitedFor{wait.id, wait.whom, wait.why, Milliseconds(0)});
    found = waits_.emplace(wait.id, std::move(fresh)).first;
  }
  Waiting& state = found->second;
  if (state.movement != wait.movement) {
    state.movement = wait.movement;
    state.moved = now();
  }
  WaitedFor& entry = outcome_.waited[state.entry];
  entry.why = wait.why;
  entry.elapsed = now() - state.since;
  return state;
}

Turn RunLoop::wait(const Wait& wait) {
  Waiting& state = waiting(wait);
  const Milliseconds elapsed = now() - state.since;
  explain(wait, state);
  observer_.on_wait(wait, elapsed, state.because);
  if (elapsed >= wait.deadline) {
    Error error = make_error(
        Kind::stopped, fmt::format("waited {} for {}: {}", format_elapsed(elapsed), wait.whom, wait.why));
    if (!state.because.empty()) error = error.with_hint(state.because);
    return end(error.with_hint("it is safe to run the same command again"));
  }
  if (Turn ending = nudge(wait, state)) return ending;
  const bool hurried = wait.hurried && elapsed < options_.hurry;
  return pause(hurried ? std::min(options_.hurried_poll, options_.poll) : options_.poll);
}

void RunLoop::explain(const Wait& wait, Waiting& state) {
  const bool last_word = now() - state.since >= wait.deadline;
  if (!options_.explain || (now() - state.explained < options_.explain_after && !last_word)) return;
  state.explained = now();
  state.because = options_.explain(wait);
}

// Helps the neighbour along when nothing has moved for a while: once for each state of things, or every
// nudge_every. A nudge that fails is no reason to stop waiting, unless the permit is gone.
Turn RunLoop::nudge(const Wait& wait, Waiting& state) {
  if (!wait.nudge || now() - state.moved < wait.nudge_after) return std::nullopt;
  if (state.nudged && state.nudged->movement == wait.movement) {
    const bool again =
        wait.nudge_every > Seconds(0) && now() - state.nudged->at >= Milliseconds(wait.nudge_every);
    if (!again) return std::nullopt;
  }
  if (options_.interrupted()) return interrupted();
  const Step& step = *wait.nudge;
  // A nudge may come every few seconds for hours: only the first one of a wait is written down.
  const bool first = !state.nudge_entry;
  if (first && options_.log != nullptr) {
    const Result<void> noted = options_.log->note_intent(step);
    if (!noted.ok()) return trouble(noted.error().in("writing the journal"), true);
  }
  state.nudged = Nudged{wait.movement, now()};
  observer_.on_step_begin(step, first ? 1 : outcome_.acted[*state.nudge_entry].attempts + 1);
  const Result<void> result = machine_.act(step, writer_);
  if (first) note_done(step, result.ok() ? "ok" : result.error().what);
  if (result.ok() || result.error().kind == Kind::outcome_unknown) {
    record_nudge(step, state, result);
    return std::nullopt;
  }
  if (result.error().kind == Kind::interrupted) return interrupted();
  if (result.error().kind == Kind::locked) return end(result.error());
  observer_.on_trouble(result.error(), options_.poll);
  if (result.error().kind == Kind::conflict || result.error().kind == Kind::unavailable) {
    state.nudged.reset();  // nothing reached the neighbour: it may be tried at the next look
  }
  return std::nullopt;
}

void RunLoop::record_nudge(const Step& step, Waiting& state, const Result<void>& result) {
  if (!state.nudge_entry) {
    state.nudge_entry = outcome_.acted.size();
    outcome_.acted.push_back(ActedStep{step, ActedStep::Effect::unknown, 0, false, Milliseconds(0)});
  }
  ActedStep& entry = outcome_.acted[*state.nudge_entry];
  ++entry.attempts;
  entry.elapsed = now() - state.since;
  if (!result.ok()) return;
  entry.effect = ActedStep::Effect::changed;
  entry.proved = true;
}

}  // namespace truenas::engine
