#pragma once
// What the world is like once a step has worked, or a neighbour has moved on. Pure: for the plan and for the
// model check.

#include "lib/engine/workflow.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

SwapWorld project_swap_step(SwapWorld world, const WorkspaceCopyOptions& options, const engine::Step& step);
// One notch of every neighbour: binder, provisioner, kubelet, attach controller, authorizer, Coder.
SwapWorld advance_swap_neighbours(SwapWorld world, const WorkspaceCopyOptions& options);

// The parts of both that only an adoption has.
void project_adoption(SwapWorld& world, const WorkspaceCopyOptions& options, const engine::Step& step);
void attach_target(SwapWorld& world);

}  // namespace truenas::workflow
