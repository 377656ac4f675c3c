#pragma once
// The decisions of a home's move, one after the other. Each looks at the whole world and either says what is
// next or passes on (nullopt). Pure: the only place that decides. The same decisions move a home forward and
// back: what differs is which volume is the source, which the target, and whether bytes must be carried.

#include <optional>

#include "lib/engine/workflow.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

engine::Next decide_swap(const SwapWorld& world, const WorkspaceCopyOptions& options);

// No run is open: nothing to do, a refusal, or a run begins.
engine::Next decide_swap_beginning(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The claim is on the source and the target has not all bytes yet: the temporary claim, copies, comparison.
engine::Next decide_copying(const SwapWorld& world, const WorkspaceCopyOptions& options);
// An adoption must not begin; nullopt when it may.
std::optional<engine::Next> refuse_adoption(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The claim is on the source: until the adopted volume is there, tried before. nullopt then.
std::optional<engine::Next> decide_adopting(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The claim is on the adopted volume: until it is proved that the same files are read through it.
std::optional<engine::Next> decide_adoption_proof(const SwapWorld& world,
                                                  const WorkspaceCopyOptions& options);
// The workspace is stopped, or cannot be; nullopt when nobody uses the home and no build can be under way.
std::optional<engine::Next> decide_stopping(const SwapWorld& world, const WorkspaceCopyOptions& options);
// A workspace that runs otherwise than its user was shown is not stopped; nullopt where nothing speaks
// against it.
std::optional<engine::Next> decide_unforeseen(const SwapWorld& world, const WorkspaceCopyOptions& options);
// Until no build of the workspace is queued or running, as far as Coder tells.
std::optional<engine::Next> decide_drained(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The workspace runs again if it was stopped for the move, and has its schedule; nullopt when it is so.
std::optional<engine::Next> decide_resuming(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Blocked failed_build(const SwapWorld& world, const WorkspaceCopyOptions& options, Kind kind);
// The claim is on the source and the target has all bytes: from the freeze to the deletion.
engine::Next decide_exchange(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The claim is absent, or was created by somebody else.
engine::Next decide_absence(const SwapWorld& world, const WorkspaceCopyOptions& options);
engine::Next decide_stranger(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The claim is on the target.
engine::Next decide_swap_ending(const SwapWorld& world, const WorkspaceCopyOptions& options);
// A temporary claim that could not be removed is found before anybody waits for it; nullopt when it can be.
std::optional<engine::Next> refuse_held_temporary(const SwapWorld& world,
                                                  const WorkspaceCopyOptions& options);
// Away with the temporary claim; nullopt when there is none.
std::optional<engine::Next> remove_temporary(const SwapWorld& world, const WorkspaceCopyOptions& options);
// What has begun cannot go on.
inline engine::Blocked stopped(std::string why, std::vector<std::string> hints = {}) {
  return {Kind::stopped, std::move(why), std::move(hints)};
}
// Volumes to Retain.
std::optional<engine::Next> keep_home_volumes(const SwapWorld& world, const WorkspaceCopyOptions& options);

}  // namespace truenas::workflow
