#include "lib/engine/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/engine/plan.h"
#include "lib/engine/run_loop.h"

namespace truenas::engine {

RunLoop::RunLoop(Machine& machine, kube::Writer& writer, const RunOptions& options)
    : machine_(machine),
      writer_(writer),
      options_(options),
      observer_(options.observer != nullptr ? *options.observer : silent_) {}

Outcome RunLoop::run() {
  started_ = now();
  while (true) {
    if (Turn ending = turn()) return finish(std::move(*ending));
  }
}

Turn RunLoop::turn() {
  if (options_.interrupted()) return interrupted();
  if (options_.timeout > Milliseconds(0) && now() - started_ >= options_.timeout) {
    return end(make_error(Kind::stopped, fmt::format("the run did not end within its time limit of {}",
                                                     format_elapsed(options_.timeout))));
  }
  const Result<void> seen = machine_.observe();
  if (!seen.ok()) return trouble(seen.error(), false);
  if (trouble_ && !trouble_->writing) trouble_.reset();
  return decide();
}

Turn RunLoop::decide() {
  if (const auto violations = machine_.check(); !violations.empty()) return blocked(blocked_by(violations));
  if (std::string line = machine_.progress(); line != progress_) {
    progress_ = std::move(line);
    observer_.on_progress(progress_);
  }
  const Next next = machine_.next();
  prove(next);
  const Step* asked = std::get_if<Step>(&next);
  asked_in_a_row_ = asked != nullptr && asked->id == asked_ ? asked_in_a_row_ + 1 : 1;
  asked_ = asked != nullptr ? asked->id : "";
  if (asked != nullptr) return step(*asked);
  trouble_.reset();
  if (const Wait* waited = std::get_if<Wait>(&next)) return wait(*waited);
  if (const Blocked* refusal = std::get_if<Blocked>(&next)) return blocked(*refusal);
  return Ending{std::get<Done>(next), std::nullopt};
}

// A read or a write got no answer. Backs off, and gives up after unavailable_limit without a success.
Turn RunLoop::trouble(const Error& error, bool writing) {
  if (error.kind == Kind::interrupted) return interrupted();
  const bool passing =
      error.kind == Kind::unavailable || error.kind == Kind::outcome_unknown || error.kind == Kind::conflict;
  if (!passing) return end(error);
  if (!trouble_) {
    trouble_ = Trouble{now(), options_.retry_first, writing};
  } else if (const Milliseconds lasted = now() - trouble_->since; lasted >= options_.unavailable_limit) {
    return end(make_error(Kind::unavailable,
                          fmt::format("no success for {}: {}", format_elapsed(lasted), error.what),
                          error.hints));
  } else {
    trouble_->retry = std::min(trouble_->retry * 2, options_.retry_longest);
    trouble_->writing = trouble_->writing || writing;
  }
  observer_.on_trouble(error, trouble_->retry);
  return pause(trouble_->retry);
}

Turn RunLoop::pause(Milliseconds duration) {
  const Result<void> slept = options_.clock->sleep(duration);
  if (slept.ok()) return std::nullopt;
  return slept.error().kind == Kind::interrupted ? interrupted() : end(slept.error());
}

// "refused" promises that nothing was changed, so after a change it becomes "stopped".
Turn RunLoop::end(Error error) const {
  const bool changed = std::any_of(outcome_.acted.begin(), outcome_.acted.end(),
                                   [](const ActedStep& acted) { return !acted.step.leaves_no_trace; });
  if (error.kind == Kind::refused && changed) error.kind = Kind::stopped;
  return Ending{std::nullopt, std::move(error)};
}

Turn RunLoop::blocked(const Blocked& blocked) const {
  return end(make_error(blocked.kind, blocked.why, blocked.hints));
}

Turn RunLoop::interrupted() const {
  return end(make_error(Kind::interrupted, "interrupted", {"it is safe to run the same command again"}));
}

Outcome RunLoop::finish(Ending ending) {
  outcome_.done = std::move(ending.done);
  outcome_.error = std::move(ending.error);
  outcome_.elapsed = now() - started_;
  observer_.on_finish(outcome_);
  return std::move(outcome_);
}

Outcome run(Machine& machine, kube::Writer& writer, const RunOptions& options) {
  return RunLoop(machine, writer, options).run();
}

}  // namespace truenas::engine
