#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/engine/run_loop.h"

namespace truenas::engine {
namespace {

// After the n-th act the same step is acted again only after 1, 2, 4, 8, 15, 15 … s: what it changed may need
// a moment to show.
Milliseconds settle_time(int attempts, const RunOptions& options) {
  Milliseconds delay = options.retry_first;
  for (int i = 1; i < attempts && delay < options.retry_longest; ++i) delay *= 2;
  return std::min(delay, options.retry_longest);
}

}  // namespace

Turn RunLoop::step(const Step& step) {
  Episode& episode = episodes_[step.id];
  if (!episode.first_acted && episode.rounds >= options_.round_limit) return undone_by_others(step, episode);
  if (episode.first_acted && now() - *episode.first_acted >= step.deadline) return overdue(step, episode);
  if (now() < episode.settle_until || asked_in_a_row_ < step.settle_polls) return pause(options_.poll);
  return act(step, episode);
}

Turn RunLoop::act(const Step& step, Episode& episode) {
  if (options_.interrupted()) return interrupted();
  if (options_.log != nullptr) {
    const Result<void> noted = options_.log->note_intent(step);
    if (!noted.ok()) return trouble(noted.error().in("writing the journal"), true);
  }
  ++episode.attempts;
  if (!episode.first_acted) episode.first_acted = now();
  observer_.on_step_begin(step, episode.attempts);
  const Result<void> result = machine_.act(step, writer_);
  asked_in_a_row_ = 0;  // the next act needs settle_polls looks of its own
  note_done(step,
            result.ok() ? "ok" : std::string(kind_name(result.error().kind)) + ": " + result.error().what);
  return after_act(step, episode, result);
}

Turn RunLoop::after_act(const Step& step, Episode& episode, const Result<void>& result) {
  if (result.ok()) {
    episode.conflicts = 0;
    trouble_.reset();
    record(step, episode, ActedStep::Effect::changed);
    return std::nullopt;
  }
  const Error& error = result.error();
  episode.last_trouble = error.what;
  if (error.kind == Kind::conflict || error.kind == Kind::not_found) return conflict(step, episode, error);
  if (error.kind == Kind::outcome_unknown) record(step, episode, ActedStep::Effect::unknown);
  return trouble(error, true);
}

// Somebody else changed, made or removed the object since it was observed: look again, but not for ever.
Turn RunLoop::conflict(const Step& step, Episode& episode, const Error& error) {
  if (++episode.conflicts >= options_.conflict_limit) {
    return end(
        make_error(Kind::stopped, fmt::format("cannot {}: {} times in a row somebody else changed {}: {}",
                                              step.title, episode.conflicts, step.object, error.what)));
  }
  observer_.on_trouble(error, options_.poll);
  return pause(options_.poll);
}

Turn RunLoop::overdue(const Step& step, const Episode& episode) {
  std::string what = fmt::format("{}: tried {} in {}, and it is still needed", step.title,
                                 count_of(static_cast<std::size_t>(episode.attempts), "time"),
                                 format_elapsed(now() - *episode.first_acted));
  if (!episode.last_trouble.empty()) what += ": " + episode.last_trouble;
  return end(make_error(Kind::stopped, std::move(what), {"it is safe to run the same command again"}));
}

Turn RunLoop::undone_by_others(const Step& step, const Episode& episode) {
  return end(make_error(
      Kind::stopped,
      fmt::format("{}: done {} times and undone by somebody else each time", step.title, episode.rounds),
      {fmt::format("find out who changes {}: an operator, a GitOps tool or a person", step.object)}));
}

void RunLoop::record(const Step& step, Episode& episode, ActedStep::Effect effect) {
  if (!episode.entry) {
    episode.entry = outcome_.acted.size();
    outcome_.acted.push_back(ActedStep{step, effect, 0, false, Milliseconds(0)});
  }
  waits_.clear();
  episode.settle_until = now() + settle_time(++episode.effective, options_);
  ActedStep& entry = outcome_.acted[*episode.entry];
  // Once it said ok, a later lost reply does not make it unknown again.
  if (effect == ActedStep::Effect::changed) entry.effect = effect;
  entry.attempts = episode.attempts;
  entry.elapsed = now() - *episode.first_acted;
}

// The look that asks for something else is the proof of what was acted before; a refusal proves nothing.
void RunLoop::prove(const Next& next) {
  if (std::holds_alternative<Blocked>(next)) return;
  const Step* asked = std::get_if<Step>(&next);
  for (auto& [id, episode] : episodes_) {
    if (!episode.first_acted || (asked != nullptr && asked->id == id)) continue;
    Episode fresh;
    fresh.rounds = episode.rounds;
    fresh.conflicts = episode.conflicts;
    if (episode.entry) {
      ActedStep& entry = outcome_.acted[*episode.entry];
      entry.elapsed = now() - *episode.first_acted;
      entry.effect = ActedStep::Effect::changed;
      entry.proved = true;
      observer_.on_step_done(entry.step, entry.elapsed);
      ++fresh.rounds;
      trouble_.reset();
    }
    episode = fresh;
  }
}

// Failing to write this down is no reason to stop: the intent is written, and the world is the truth.
void RunLoop::note_done(const Step& step, const std::string& outcome) {
  if (options_.log == nullptr) return;
  const Result<void> noted = options_.log->note_done(step, outcome);
  if (!noted.ok()) observer_.on_trouble(noted.error().in("writing the journal"), Milliseconds(0));
}

}  // namespace truenas::engine
