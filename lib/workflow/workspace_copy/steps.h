#pragma once
// The steps of a home's move, one function each: what it is called, why it is done, what undoes it. Verbs
// here are the ones that act.cc branches on. Pure; whether and when a step is taken is decided in decide.cc.

#include <string>

#include "lib/engine/workflow.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

using Options = WorkspaceCopyOptions;

// Notes in the journal; arguments "name" (the fact without "run-N.") and "value".
engine::Step begin_swap(const SwapWorld& world, const Options& options);
engine::Step note_claim(const SwapWorld& world, const Options& options);
engine::Step note_target(const SwapWorld& world, const Options& options);
engine::Step note_workspace(const SwapWorld& world, const Options& options);
engine::Step note_role(const SwapWorld& world, const Options& options, const ClaimRole& role);
engine::Step note_cutover(const SwapWorld& world, const Options& options);
engine::Step note_cutover_over(const SwapWorld& world, const Options& options);
engine::Step note_moved(const SwapWorld& world, const Options& options);
engine::Step note_swap_end(const SwapWorld& world, const Options& options);

// Looking and copying.
engine::Step scan_home(const Options& options);
// Before a way back: what was written since the move, and stays behind.
engine::Step scan_newer(const Options& options);
engine::Step try_replacement(const SwapWorld& world, const Options& options);
engine::Step create_temporary(const SwapWorld& world, const Options& options);
// The target again under a temporary claim, to be copied to once more.
engine::Step attach_target(const SwapWorld& world, const Options& options);
engine::Step check_target(const SwapWorld& world, const Options& options);
engine::Step copy_warm(const SwapWorld& world, const Options& options);
engine::Step copy_final(const SwapWorld& world, const Options& options);
engine::Step compare_home(const SwapWorld& world, const Options& options);
engine::Step remove_mover(const Options& options, const LeftMover& mover);
engine::Step stop_workspace(const SwapWorld& world, const Options& options);
// Its schedule off, and what it was before.
engine::Step pause_autostart(const SwapWorld& world, const Options& options);
engine::Step restore_autostart(const SwapWorld& world, const Options& options);
engine::Step start_workspace(const SwapWorld& world, const Options& options);

// Adopting.
engine::Step probe_adoption(const SwapWorld& world, const Options& options);
engine::Step remove_probe(const Options& options);
engine::Step create_adopted(const SwapWorld& world, const Options& options);
engine::Step prove_adoption(const Options& options);
// What a Pod of the user's proves by running, on the path that the new driver mounts there.
engine::Step note_proof(const SwapWorld& world, const Options& options, const TargetAttachment& attachment);

// The swap.
engine::Step keep_home_volume(const SwapWorld& world, const Options& options, const VolumeState& volume,
                              const std::string& original_policy);
engine::Step freeze_builds(const Options& options, const ClaimRole& role);
// Argument "drop": the claims (a JSON array) that the freeze is for no more; `own`: the one of this run too.
engine::Step thaw_builds(const Options& options, const ClaimRole& role, bool own);
engine::Step record_cutover(const SwapWorld& world);
engine::Step delete_temporary(const SwapWorld& world, const Options& options);
engine::Step reserve_volume(const Options& options, const VolumeState& volume, const std::string& claim);
engine::Step delete_home_claim(const SwapWorld& world, const Options& options);
engine::Step create_home_claim(const SwapWorld& world, const Options& options, const VolumeState& volume);
// A nudge: a pre-bound claim may wait 15 s for the binder otherwise (facts/truenas.md §8.3).
engine::Step nudge_claim(const ClaimState& claim, const Options& options);

}  // namespace truenas::workflow
