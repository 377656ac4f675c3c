#pragma once
// Questions about a SwapWorld. Pure.

#include <string>

#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

// A run is written down and has not ended.
bool is_open(const SwapWorld& world);
// Claim and volume name each other, by uid too.
bool is_bound(const ClaimState& claim, const VolumeState& volume);
// The volume that the bytes are on: before a run has begun, whichever the claim is on.
const VolumeState& home_now(const SwapWorld& world);
bool on_source(const SwapWorld& world);
bool on_target(const SwapWorld& world);
// A claim of the name was bound to the target once, so that somebody may have written there.
bool was_served(const SwapWorld& world, const WorkspaceCopyOptions& options);
// This run has taken the claim away, and none is there in its place yet: nothing may be waited for that is
// not needed for that.
bool is_name_absent(const SwapWorld& world, const WorkspaceCopyOptions& options);
// It is reserved for, or bound to, a claim that is neither the home nor its temporary claim.
bool is_somebody_elses(const SwapWorld& world, const VolumeState& volume,
                       const WorkspaceCopyOptions& options);
// The target has all bytes, as far as this process has watched.
bool is_ready(const SwapWorld& world);
// The run goes the other way than this call asks for, and must be given up first.
bool is_given_up(const SwapWorld& world, const WorkspaceCopyOptions& options);
// Where the claim belongs while it is absent.
const VolumeState& home_of(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The volume is reserved for this claim, whichever object will have that name.
bool is_reserved_for(const VolumeState& volume, const std::string& ns, const std::string& claim);
// Coder cannot build, or the user has agreed to go on without that.
bool builds_are_frozen(const SwapWorld& world, const WorkspaceCopyOptions& options);
// A Role whose rights must be taken, or whose freeze must be this claim's too; nullptr when there is none.
const ClaimRole* role_to_freeze(const SwapWorld& world, const WorkspaceCopyOptions& options);
// The claim's name is not absent because of us, and no build is left that may have planned before the swap:
// nobody needs Coder kept from building for its sake.
bool may_thaw(const SwapWorld& world, const WorkspaceCopyOptions& options);
bool is_frozen_for(const ClaimRole& role, const std::string& claim);
// Whose entries this run may take off a frozen Role: its own where `own`, and those of runs that are over.
std::vector<std::string> entries_to_drop(const ClaimRole& role, const WorkspaceCopyOptions& options,
                                         bool own);
// A Role from whose freeze something may be taken off; nullptr when there is none.
const ClaimRole* role_to_thaw(const SwapWorld& world, const WorkspaceCopyOptions& options, bool own);
std::string role_key(const SwapWorld& world, const ClaimRole& role);
// Of the volume object that an adoption makes; always the same for the same old volume.
std::string adopted_name(const SwapWorld& world);
// The run that is open, or would begin, is an adoption.
bool is_adopting(const SwapWorld& world, const WorkspaceCopyOptions& options);
bool is_copying(const SwapWorld& world, const WorkspaceCopyOptions& options);
std::string temporary_name(const SwapWorld& world);
bool is_kept(const VolumeState& volume);
// What the claims' and volumes' class is at the end of this run.
std::string target_class(const SwapWorld& world, const WorkspaceCopyOptions& options);
// This run has taken the workspace's schedule off, and it is off.
bool autostart_is_paused(const SwapWorld& world);
// The workspace is stopped, or its schedule off, because of this run; "stopped; autostart off".
bool is_held(const SwapWorld& world);
// What people are told of a workspace that a run leaves so; also where only the journal tells. "": nothing.
std::string held_warning(const SwapWorld& world, const WorkspaceCopyOptions& options);
std::string held_text(const SwapWorld& world);
// Its last build did not work: whether it runs nobody can say.
bool has_failed(const CoderState& coder);
// A build of before the swap may still be applied, or nobody can say whether one is.
bool may_be_building(const SwapWorld& world);
// Texts of the live uses, for messages.
std::vector<std::string> use_texts(const SwapWorld& world);
// Forgets what a use, a lost volume or a rescaled workload has made worthless.
void forget_what_was_disturbed(SwapWorld& world);

}  // namespace truenas::workflow
