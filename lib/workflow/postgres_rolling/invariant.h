#pragma once
// What must hold about the user's data in every world (check), and what must hold right before a step that
// takes something away (guard). Pure. docs/safety.md says the same in plain words.

#include <vector>

#include "lib/engine/workflow.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

// The promises that are broken in this world. A volume that is about to be lost but can still be set to
// Retain is not reported while that is what decide() does next.
std::vector<engine::Violation> check_world(const PostgresWorld& world, const RollingOptions& options);
// Why this step must not be taken in this world; empty: it may. A second look, independent of how decide()
// came to ask for it: act() refuses on it.
std::vector<engine::Violation> guard(const PostgresWorld& world, const RollingOptions& options,
                                     const engine::Step& step);

}  // namespace truenas::workflow
