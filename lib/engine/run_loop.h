#pragma once
// The run's state between two looks: private to lib/engine (run.cc, run_steps.cc, run_waits.cc).

#include <map>
#include <optional>
#include <string>

#include "lib/engine/run.h"

namespace truenas::engine {

// How a run ends, if it does.
struct Ending {
  std::optional<Done> done;
  std::optional<Error> error;
};
using Turn = std::optional<Ending>;  // nullopt: look again

class RunLoop {
 public:
  RunLoop(Machine& machine, kube::Writer& writer, const RunOptions& options);
  Outcome run();

 private:
  // One step's history. An episode begins with its first act and ends when a look asks for something else.
  struct Episode {
    std::optional<Milliseconds> first_acted;
    Milliseconds settle_until{0};      // do not act again before: what was changed may not show yet
    int attempts = 0;                  // acts in this episode, also those that failed
    int effective = 0;                 // acts in this episode that changed something, or may have
    int conflicts = 0;                 // in a row, over all episodes
    int rounds = 0;                    // episodes that ended after a change
    std::optional<std::size_t> entry;  // in outcome_.acted
    std::string last_trouble;
  };
  struct Trouble {
    Milliseconds since{0}, retry{0};
    bool writing = false;  // a server that answers reads and no write must not be asked for ever
  };
  struct Nudged {
    std::string movement;
    Milliseconds at{0};
  };
  struct Waiting {
    Milliseconds since{0}, moved{0}, explained{0};
    std::string movement, because;
    std::optional<Nudged> nudged;
    std::optional<std::size_t> nudge_entry;  // in outcome_.acted: all nudges of one wait are one entry
    std::size_t entry = 0;                   // in outcome_.waited
  };

  // run.cc
  Turn turn();
  Turn decide();
  Turn trouble(const Error& error, bool writing);
  Turn pause(Milliseconds duration);
  Turn end(Error error) const;
  Turn blocked(const Blocked& blocked) const;
  Turn interrupted() const;
  Milliseconds now() const { return options_.clock->steady(); }
  Outcome finish(Ending ending);

  // run_steps.cc
  Turn step(const Step& step);
  Turn act(const Step& step, Episode& episode);
  Turn after_act(const Step& step, Episode& episode, const Result<void>& result);
  Turn conflict(const Step& step, Episode& episode, const Error& error);
  Turn overdue(const Step& step, const Episode& episode);
  Turn undone_by_others(const Step& step, const Episode& episode);
  void record(const Step& step, Episode& episode, ActedStep::Effect effect);
  void prove(const Next& next);
  void note_done(const Step& step, const std::string& outcome);

  // run_waits.cc
  Turn wait(const Wait& wait);
  Waiting& waiting(const Wait& wait);
  Turn nudge(const Wait& wait, Waiting& state);
  void record_nudge(const Step& step, Waiting& state, const Result<void>& result);
  void explain(const Wait& wait, Waiting& state);

  Machine& machine_;
  kube::Writer& writer_;
  RunOptions options_;
  RunObserver silent_;
  RunObserver& observer_;
  Outcome outcome_;
  Milliseconds started_{0};
  std::optional<Trouble> trouble_;
  std::string progress_;
  std::map<std::string, Episode> episodes_;
  std::map<std::string, Waiting> waits_;  // since the last act: equal ids are one wait, for its deadline
  std::string asked_;                     // the step that the last look asked for
  int asked_in_a_row_ = 0;
};

}  // namespace truenas::engine
