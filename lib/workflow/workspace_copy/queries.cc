#include "lib/workflow/workspace_copy/queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/storage/claim_swap.h"

namespace truenas::workflow {

bool is_open(const SwapWorld& world) {
  return world.facts.number > 0 && !world.facts.ended;
}

bool is_bound(const ClaimState& claim, const VolumeState& volume) {
  return claim.exists && volume.exists && claim.phase == "Bound" && claim.volume == volume.name &&
         volume.claim_uid == claim.uid;
}

const VolumeState& home_now(const SwapWorld& world) {
  const bool at_target = world.target.exists && world.claim.volume == world.target.name;
  return !is_open(world) && at_target ? world.target : world.source;
}

bool on_source(const SwapWorld& world) {
  return is_bound(world.claim, world.source);
}

bool on_target(const SwapWorld& world) {
  return is_bound(world.claim, world.target);
}

bool was_served(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (world.facts.moved) return true;
  const VolumeState& target = world.target;
  return world.target_noted && target.exists && target.claim_ns == options.ns &&
         target.claim_name == options.claim && !target.claim_uid.empty() &&
         target.claim_uid != world.facts.target.claim_uid;
}

bool is_name_absent(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (!is_open(world) || !world.facts.cutover || was_served(world, options)) return false;
  return !world.claim.exists || world.claim.terminating;
}

bool is_ready(const SwapWorld& world) {
  if (!world.target_noted || !world.target.exists || world.target.terminating) return false;
  if (world.facts.carry == Carry::adopt) return world.target_unfit.empty();
  return world.facts.carry == Carry::nothing || world.memory.verified;
}

bool is_given_up(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  return is_open(world) && options.rollback != world.facts.rollback;
}

const VolumeState& home_of(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  return is_ready(world) && !is_given_up(world, options) ? world.target : world.source;
}

bool is_reserved_for(const VolumeState& volume, const std::string& ns, const std::string& claim) {
  return volume.reserved && volume.claim_ns == ns && volume.claim_name == claim && volume.claim_uid.empty();
}

bool is_somebody_elses(const SwapWorld& world, const VolumeState& volume,
                       const WorkspaceCopyOptions& options) {
  if (!volume.reserved) return false;
  const bool by_name = volume.claim_ns == options.ns &&
                       (volume.claim_name == options.claim || volume.claim_name == temporary_name(world));
  const std::string& uid = volume.claim_uid;
  // Another run's temporary claim, which is no more: its name has the uid of the claim of then in it.
  if (uid.empty() && volume.claim_ns == options.ns &&
      volume.claim_name.starts_with(storage::k_temporary_prefix))
    return false;
  const bool by_uid = !uid.empty() && (uid == world.facts.claim_uid || uid == world.facts.source.claim_uid ||
                                       uid == world.facts.target.claim_uid);
  return !by_name && !by_uid;
}

std::string adopted_name(const SwapWorld& world) {
  return storage::adopted_name_of_uid(world.facts.source.uid);
}

bool is_adopting(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (is_open(world)) return world.facts.carry == Carry::adopt;
  return options.carry == Carry::adopt && !options.rollback;
}

bool is_copying(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (is_open(world)) return world.facts.carry == Carry::copy;
  return options.carry == Carry::copy && !options.rollback;
}

std::string temporary_name(const SwapWorld& world) {
  if (world.temporary.exists) return world.temporary.name;
  return storage::temporary_claim_name(world.facts.first_claim);
}

bool is_kept(const VolumeState& volume) {
  return volume.policy == "Retain" && volume.kept;
}

std::string target_class(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (!is_open(world)) return options.rollback ? world.source.storage_class : options.to_class;
  if (!world.target.storage_class.empty()) return world.target.storage_class;
  return options.to_class;
}

bool autostart_is_paused(const SwapWorld& world) {
  return is_open(world) && world.coder && world.coder->found && world.coder->unknown.empty() &&
         world.coder->autostart.empty() && !world.facts.autostart.empty();
}

std::string held_text(const SwapWorld& world) {
  std::string text = world.coder && world.facts.ran && world.coder->stopped ? "stopped" : "";
  if (autostart_is_paused(world)) text += text.empty() ? "autostart off" : "; autostart off";
  return text;
}

bool is_held(const SwapWorld& world) {
  return is_open(world) && !held_text(world).empty();
}

bool has_failed(const CoderState& coder) {
  return coder.unknown.empty() && !coder.building && !coder.stopped && !coder.started &&
         !coder.trouble.empty();
}

bool may_be_building(const SwapWorld& world) {
  return world.coder && world.coder->found && (world.coder->building || !world.coder->unknown.empty());
}

std::vector<std::string> use_texts(const SwapWorld& world) {
  std::vector<std::string> texts;
  for (const ClaimUse& use : world.uses) texts.push_back(use.text());
  return texts;
}

void forget_what_was_disturbed(SwapWorld& world) {
  SwapMemory& memory = world.memory;
  const bool other_target = !world.target.exists || world.target.uid != memory.target_uid;
  // A Pod that no node has yet has written nothing, and is not started on a claim that is leaving.
  const bool written = std::any_of(world.uses.begin(), world.uses.end(), [](const ClaimUse& use) {
    return use.kind == ClaimUse::Kind::pod && !use.node.empty();
  });
  const bool used =
      world.claim.exists && !on_target(world) && (world.claim.terminating ? written : !world.uses.empty());
  const bool rescaled = world.claim.exists && !on_target(world) && memory.stamp != world.stamp;
  if ((memory.copied || memory.verified) && (other_target || used || rescaled)) {
    memory.copied = memory.verified = false;
  }
  // With a token a home may run until it is stopped for the swap: it is known to change.
  if (memory.sighted && !world.coder && (used || rescaled)) memory.sighted = false;
}

}  // namespace truenas::workflow
