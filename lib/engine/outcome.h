#pragma once
// Outcome: what a run did and how it ended, as plain data. It must not render (lib/report does) nor map kinds
// to exit codes (plugin/ does).

#include <optional>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/json/value.h"

namespace truenas::engine {

// One step as it was carried out; a step asked for again later is an entry of its own.
struct ActedStep {
  enum class Effect {
    changed,  // the act said ok, or the next observation moved on
    unknown,  // no reply came, and the world has not shown since whether it worked
  };
  Step step;
  Effect effect = Effect::changed;
  int attempts = 0;
  bool proved = false;      // an observation moved on after it
  Milliseconds elapsed{0};  // from the first attempt to the proof, or to the end of the run
};

struct WaitedFor {
  std::string id, whom, why;
  Milliseconds elapsed{0};
};

struct Outcome {
  std::optional<Done> done;    // exactly one of done and error
  std::optional<Error> error;  // refused: nothing was changed; stopped: something was, run again
  std::vector<ActedStep> acted;
  std::vector<WaitedFor> waited;
  Milliseconds elapsed{0};

  bool ok() const { return done.has_value(); }
};

// "nothing was changed", or "changed so far: <title>; <title> (no reply came: it may or may not have
// worked)".
std::string changed_so_far(const Outcome& outcome);
// {"result": "done"|kind name, "summary" or "error": {"kind", "what", "hints"}, "acted": […], "waited": […],
// "elapsedSeconds", "changedSoFar"}. Stable: fields are only added.
json::Value to_json(const Outcome& outcome);

}  // namespace truenas::engine
