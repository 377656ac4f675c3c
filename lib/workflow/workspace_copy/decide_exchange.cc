// From the freeze to the end.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"
#include "lib/workflow/workspace_copy/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;

std::optional<Next> decide_freeze(const SwapWorld& world, const Options& options) {
  if (builds_are_frozen(world, options)) return std::nullopt;
  const ClaimRole* role = role_to_freeze(world, options);
  const bool nothing_to_take = role == nullptr && (world.freeze.roles.empty() || !world.freeze.deployed);
  if (!world.freeze.unknown.empty() || nothing_to_take || world.memory.freeze_overdue) {
    const std::string why = !world.freeze.unknown.empty() ? world.freeze.unknown
                            : !world.freeze.deployed
                                ? fmt::format("namespace {} has no Deployment of Coder", options.coder_ns)
                                : join(world.freeze.able, "; ");
    return stopped(
        fmt::format("[{}] nothing proves that Coder cannot build while the name of claim {} is absent: {}",
                    k_no_build_freeze, options.full_name(), why),
        {"scale Coder and its provisioners to 0", fmt::format("--accept={}", k_no_build_freeze)});
  }
  if (role != nullptr) {
    if (!world.facts.roles.contains(role_key(world, *role))) return note_role(world, options, *role);
    return freeze_builds(options, *role);
  }
  return wait_for_freeze(world, options);
}

bool is_recorded(const SwapWorld& world) {
  return world.target.recorded_claim_uid == world.claim.uid &&
         world.target.recorded_from == world.source.name;
}

// What the claim of the name is not, but must be for Terraform to leave it alone.
Blocked differs(const SwapWorld& world, const Options& options) {
  return stopped(
      fmt::format("claim {} is on the new volume {}, but is not the claim that was to be created: {}",
                  options.full_name(), world.claim.volume, join(world.claim.differences, "; ")),
      {"the bytes are all there; put the claim right before the workspace's next build, or Terraform "
       "replaces it",
       fmt::format("kubectl get persistentvolumeclaim -n {} {} -o yaml --show-managed-fields", options.ns,
                   options.claim)});
}

}  // namespace

Next decide_exchange(const SwapWorld& world, const Options& options) {
  if (!world.attached.empty()) return wait_for_detached(world, options);
  if (!world.facts.cutover) {
    if (auto refusal = refuse_held_temporary(world, options)) return *refusal;
  }
  if (auto next = decide_freeze(world, options)) return *next;
  if (!world.facts.cutover) return note_cutover(world, options);
  if (!is_recorded(world)) return record_cutover(world);
  if (world.temporary.exists && !world.temporary.ours) {
    return stopped(fmt::format("claim {}/{} is not this tool's", options.ns, world.temporary.name));
  }
  if (auto next = remove_temporary(world, options)) return *next;
  if (!is_reserved_for(world.target, options.ns, options.claim)) {
    return reserve_volume(options, world.target, options.claim);
  }
  return delete_home_claim(world, options);
}

Next decide_absence(const SwapWorld& world, const Options& options) {
  if (was_served(world, options) || !world.facts.cutover) {
    const VolumeState& volume = was_served(world, options) ? world.target : world.source;
    return stopped(fmt::format("claim {} was deleted, and not by this tool; its bytes are kept on volume {}",
                               options.full_name(), volume.name),
                   {"find out who deleted it, and whether its workspace is to live on: coder list -a",
                    fmt::format("kubectl get persistentvolume {} -o yaml", volume.name)});
  }
  const VolumeState& home = home_of(world, options);
  if (home.name == world.target.name) {
    if (auto next = remove_temporary(world, options)) return *next;
  } else if (world.target.exists && is_reserved_for(world.target, options.ns, options.claim)) {
    // Two volumes must not wait for one name.
    return reserve_volume(options, world.target, temporary_name(world));
  }
  if (!is_reserved_for(home, options.ns, options.claim)) {
    return reserve_volume(options, home, options.claim);
  }
  return create_home_claim(world, options, home);
}

// Row H of facts/coder.md §6: somebody was quicker. Never forced.
Next decide_stranger(const SwapWorld& world, const Options& options) {
  const ClaimState& claim = world.claim;
  const VolumeState& home = home_of(world, options);
  if (claim.volume.empty() && claim.phase == "Pending" && world.facts.cutover &&
      is_reserved_for(home, options.ns, options.claim)) {
    return wait_for_bound(world, options, claim);
  }
  return stopped(
      fmt::format("claim {} (uid {}) was created by somebody else and is {}; it is not touched. The bytes "
                  "of the home are kept on volume {}",
                  options.full_name(), claim.uid,
                  claim.volume.empty() ? claim.phase : "on volume " + claim.volume,
                  was_served(world, options) ? world.target.name : world.source.name),
      {"stop the workspace and look what is on the new claim; if nothing of worth, delete it and run the "
       "same command again",
       fmt::format("kubectl get persistentvolumeclaim -n {} {} -o yaml --show-managed-fields", options.ns,
                   options.claim)});
}

Next decide_swap_ending(const SwapWorld& world, const Options& options) {
  if (!world.facts.moved) return note_moved(world, options);
  // While nobody can start it yet, where it is not this run that starts it.
  const bool starts = world.facts.ran && world.coder && world.coder->found;
  if (!starts && world.uses.empty() && !is_given_up(world, options)) {
    if (auto next = decide_adoption_proof(world, options)) return *next;
  }
  if (const ClaimRole* role = role_to_thaw(world, options, true)) {
    if (auto next = decide_drained(world, options)) return *next;
    return thaw_builds(options, *role, true);
  }
  if (!is_given_up(world, options) && !world.claim.differences.empty()) return differs(world, options);
  if (auto next = decide_resuming(world, options)) return *next;
  if (!is_given_up(world, options)) {
    if (auto next = decide_adoption_proof(world, options)) return *next;
  }
  return note_swap_end(world, options);
}

}  // namespace truenas::workflow
