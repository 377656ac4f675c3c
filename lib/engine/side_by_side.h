#pragma once
// SideBySide: several runs at once, each in a thread of its own. One that fails neither stops nor hides
// another. It must not know what a job does, and never ends one that has begun: a run ends itself.

#include <cstddef>
#include <functional>
#include <vector>

#include "lib/base/interrupt.h"

namespace truenas::engine {

struct SideBySideOptions {
  std::size_t parallel = 4;      // jobs at once; 0 counts as 1
  std::size_t max_failures = 0;  // once so many have failed, no further one begins; 0: no limit
  // Once true, no further job begins.
  std::function<bool()> interrupted = [] { return truenas::interrupted(); };
};

enum class Ending { done, failed, not_begun };

// Runs the jobs, beginning them in their order. A job says whether it worked. Returns when all that began
// have ended; one ending a job, in the jobs' order. Jobs are called from several threads at once, unless
// `parallel` is 1: then all from one, one after another.
std::vector<Ending> run_side_by_side(const std::vector<std::function<bool()>>& jobs,
                                     const SideBySideOptions& options);

}  // namespace truenas::engine
