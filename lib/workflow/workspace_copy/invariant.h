#pragma once
// What must hold at every moment of a home's move, and what must hold before a step takes something away.
// Pure: the rules of docs/safety.md as predicates.

#include <vector>

#include "lib/engine/workflow.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

// Every byte of the home is on a volume with policy Retain that nothing deletes, whenever the claim is not
// there to hold it.
std::vector<engine::Violation> check_swap(const SwapWorld& world, const WorkspaceCopyOptions& options);
// Whether this step may be taken in the world that was observed last. Empty: yes.
std::vector<engine::Violation> guard_swap(const SwapWorld& world, const WorkspaceCopyOptions& options,
                                          const engine::Step& step);

}  // namespace truenas::workflow
