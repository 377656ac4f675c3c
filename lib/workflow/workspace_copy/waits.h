#pragma once
// Waiting for the neighbours of a home's move: who is awaited, why, for how long, and what nudges them. Pure.

#include "lib/engine/workflow.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

engine::Wait wait_for_bound(const SwapWorld& world, const WorkspaceCopyOptions& options,
                            const ClaimState& claim);
engine::Wait wait_for_claim_gone(const SwapWorld& world, const WorkspaceCopyOptions& options,
                                 const ClaimState& claim);
engine::Wait wait_for_movers_gone(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Wait wait_for_users_gone(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Wait wait_for_detached(const SwapWorld& world, const WorkspaceCopyOptions& options);
// A Pod of the user's is to run on the adopted volume.
engine::Wait wait_for_mount(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Wait wait_for_freeze(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Wait wait_for_build(const SwapWorld& world, const WorkspaceCopyOptions& options);
// It gave no answer.
engine::Wait wait_for_coder(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Wait wait_for_agent(const SwapWorld& world, const WorkspaceCopyOptions& options);

}  // namespace truenas::workflow
