#pragma once
// Run: observe, check the invariant, decide, note the intent, act, observe again … until Done. Every decision
// is the workflow's; this loop adds deadlines, retries, nudges and the ways to stop. It never repeats a write
// whose outcome is unknown without having looked, never acts in a world that breaks the invariant, and never
// stops in the middle of a write.

#include <functional>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/interrupt.h"
#include "lib/engine/machine.h"
#include "lib/engine/outcome.h"
#include "lib/engine/step_log.h"
#include "lib/engine/workflow.h"
#include "lib/kube/writer.h"

namespace truenas::engine {

// What a run tells while it goes on. Called from the run's own thread; must return soon.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // Before an act; attempt 1 is the first. Nudges too.
  virtual void on_step_begin(const Step& /*step*/, int /*attempt*/) {}
  // The world has moved on after the step; elapsed since its first attempt.
  virtual void on_step_done(const Step& /*step*/, Milliseconds /*elapsed*/) {}
  // At every look that found nothing to do but wait. `because` explains a long wait ("still waiting because:
  // …"), "" at first.
  virtual void on_wait(const Wait& /*wait*/, Milliseconds /*elapsed*/, const std::string& /*because*/) {}
  // The workflow's line about the world, when it has changed.
  virtual void on_progress(const std::string& /*line*/) {}
  // Something failed and will be tried again or looked at again.
  virtual void on_trouble(const Error& /*error*/, Milliseconds /*retry_in*/) {}
  virtual void on_finish(const Outcome& /*outcome*/) {}
};

struct RunOptions {
  Clock* clock = &system_clock();
  RunObserver* observer = nullptr;
  StepLog* log = nullptr;
  // Asked between two effects, never within one.
  std::function<bool()> interrupted = [] { return truenas::interrupted(); };
  // Why a wait takes long (explain.h); "" for no idea.
  std::function<std::string(const Wait&)> explain;
  Milliseconds poll{1000};                 // between two looks
  Milliseconds hurried_poll{250};          // … in the first seconds of a wait that is hurried
  Milliseconds hurry{10000};               // so many
  Milliseconds timeout{0};                 // of the whole run (--timeout); 0: none
  Milliseconds explain_after{15000};       // of one wait, then every so often again
  Milliseconds retry_first{1000};          // after trouble, doubled each time …
  Milliseconds retry_longest{15000};       // … up to this
  Milliseconds unavailable_limit{300000};  // no answer for so long: give up
  int conflict_limit = 10;                 // acts of one step in a row that found somebody else's change
  int round_limit = 5;                     // times one step may be done and then be needed again
};

// Ends in Outcome::done or Outcome::error:
//   refused      a safety check (Blocked, invariant, the server) said no before anything was changed
//   stopped      … after something was changed; or a deadline passed; or others keep undoing a step
//   interrupted  asked to stop; the write in flight was finished and noted
//   locked       the permit is gone: the lock was lost
//   unavailable  no answer for unavailable_limit
//   other kinds  as observe() or act() gave them
Outcome run(Machine& machine, kube::Writer& writer, const RunOptions& options);

// An observe() that lists what is there, and an act() with one effect, are all a workflow brings.
template <class W>
Outcome run(Workflow<W>& workflow, kube::Writer& writer, const RunOptions& options) {
  RunningMachine<W> machine(workflow);
  return run(static_cast<Machine&>(machine), writer, options);
}

}  // namespace truenas::engine
