#pragma once
// A Plan and an Outcome as text for people. Pure; what is in them was decided elsewhere.

#include <string>
#include <vector>

#include "lib/engine/dry_run.h"
#include "lib/engine/outcome.h"
#include "lib/engine/plan.h"

namespace truenas::report {

// Title, numbered steps with why and undo, waits, downtime, what is not done, what needs consent, and what
// holds at the end or what blocks it.
std::string render_plan(const engine::Plan& plan);
// How the run ended: done with its summary, or what was changed so far and whether running again is safe. The
// error itself is printed by the command.
std::string render_outcome(const engine::Outcome& outcome);
// One line a step that was put to the API server with dryRun=All.
std::string render_trials(const std::vector<engine::Trial>& trials);

}  // namespace truenas::report
