#pragma once
// What one identity can do in a probe's directory. Private to the probe.

#include "lib/mover/probe_verdict.h"

namespace truenas::mover {

// Acts as `as` in the open directory, with files named after it; what it makes is left for the caller to
// remove. `here_error` is not touched. Stops early, leaving the rest untried, when the process is asked to
// end.
void observe_identity(int directory, Owner as, Owner give_to, IdentityObservation& seen);

}  // namespace truenas::mover
