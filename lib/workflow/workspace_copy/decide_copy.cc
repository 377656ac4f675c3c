// The claim is on the source: until the target has all its bytes, proved.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/storage/claim_swap.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"
#include "lib/workflow/workspace_copy/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;

// The first temporary claim: what it must hold is counted before, what follows it is tried before.
Next decide_new_target(const SwapWorld& world, const Options& options) {
  if (!world.to.exists) {
    return Blocked{Kind::refused,
                   fmt::format("storageclass {} does not exist", options.to_class),
                   {"kubectl truenas-migrate storageclass --apply"}};
  }
  if (!world.memory.replacement_tried) return try_replacement(world, options);
  if (!world.memory.used_bytes) return scan_home(options);
  return create_temporary(world, options);
}

// The target again under a temporary claim.
Next decide_known_target(const SwapWorld& world, const Options& options) {
  const std::string name = temporary_name(world);
  if (!is_reserved_for(world.target, options.ns, name)) return reserve_volume(options, world.target, name);
  return attach_target(world, options);
}

// Until the temporary claim is bound; nullopt then.
std::optional<Next> decide_temporary(const SwapWorld& world, const Options& options) {
  const ClaimState& claim = world.temporary;
  const bool known = world.target_noted && world.target.exists;
  if (known && world.target.terminating) {
    return Blocked{
        Kind::stopped,
        fmt::format("persistentvolume {}, the new one of claim {}, is being deleted by somebody else",
                    world.target.name, options.full_name()),
        {"once it is gone, run the same command again"}};
  }
  if (!claim.exists) return known ? decide_known_target(world, options) : decide_new_target(world, options);
  if (!claim.ours) {
    return Blocked{
        Kind::stopped,
        fmt::format("claim {}/{} has the name of the temporary claim and is not this tool's", options.ns,
                    claim.name),
        {fmt::format("kubectl get persistentvolumeclaim -n {} {} -o yaml", options.ns, claim.name)}};
  }
  if (claim.terminating) return wait_for_claim_gone(world, options, claim);
  if (auto refusal = refuse_held_temporary(world, options)) return refusal;
  if (claim.phase == "Bound" && is_bound(claim, world.target)) return std::nullopt;
  const bool other_volume = known && !claim.volume.empty() && claim.volume != world.target.name;
  const bool volume_is_gone = !claim.volume.empty() && !world.target.exists;
  if (claim.phase == "Lost" || other_volume || volume_is_gone) return delete_temporary(world, options);
  // A class that waits for the first Pod binds with the mover's.
  if (world.to.waits_for_pod && claim.volume.empty()) return check_target(world, options);
  return wait_for_bound(world, options, claim);
}

Blocked unfit(const SwapWorld& world, const Options& options) {
  return Blocked{
      Kind::refused,
      fmt::format("claim {} cannot be moved as it is: {}", options.full_name(), world.memory.unfit),
      world.memory.unfit_hints};
}

bool wants_warm_pass(const SwapWorld& world, const Options& options) {
  const SwapMemory& memory = world.memory;
  if (world.uses.empty() || memory.warm_passes >= options.warm_passes) return false;
  return memory.warm_passes == 0 || memory.last_pass > options.max_downtime;
}

}  // namespace

std::optional<Next> refuse_held_temporary(const SwapWorld& world, const Options& options) {
  if (!world.temporary.exists || world.temporary.terminating) return std::nullopt;
  const auto holds = storage::foreign_finalizers(world.temporary.document);
  if (holds.empty()) return std::nullopt;
  const std::string& name = world.temporary.name;
  return Blocked{
      Kind::stopped,
      fmt::format("claim {}/{}, the temporary one of claim {}, has the finalizer {}: it could not be removed "
                  "before the exchange, which would keep the home's user waiting",
                  options.ns, name, options.full_name(), join(holds, ", ")),
      {"keep whatever adds it from claims that have the label "
       "app.kubernetes.io/managed-by=kubectl-truenas-migrate",
       fmt::format(
           "take it off, then run the same command again: kubectl edit persistentvolumeclaim -n {} {}",
           options.ns, name)}};
}

std::optional<Next> remove_temporary(const SwapWorld& world, const Options& options) {
  if (!world.temporary.exists || !world.temporary.ours) return std::nullopt;
  if (world.temporary.terminating) return wait_for_claim_gone(world, options, world.temporary);
  return delete_temporary(world, options);
}

Next decide_copying(const SwapWorld& world, const Options& options) {
  // What was compared is not sure any more: no reason to keep Coder from building meanwhile.
  for (const ClaimRole& role : world.freeze.roles) {
    if (!is_frozen_for(role, options.full_name())) continue;
    if (auto next = decide_drained(world, options)) return *next;
    return thaw_builds(options, role, true);
  }
  if (world.facts.cutover) {
    if (world.target.exists && is_reserved_for(world.target, options.ns, options.claim)) {
      return reserve_volume(options, world.target, temporary_name(world));
    }
    return note_cutover_over(world, options);
  }
  if (!world.uses.empty() && !world.coder) return *decide_stopping(world, options);
  if (auto next = decide_unforeseen(world, options)) return *next;
  if (!world.memory.unfit.empty()) {
    if (!world.target_noted) {
      if (auto next = remove_temporary(world, options)) return *next;
    }
    return unfit(world, options);
  }
  if (auto next = decide_temporary(world, options)) return *next;
  if (!world.memory.replacement_tried) return try_replacement(world, options);
  if (world.memory.way.empty()) return check_target(world, options);
  if (!world.target_noted) return note_target(world, options);
  if (wants_warm_pass(world, options)) return copy_warm(world, options);
  if (auto next = decide_stopping(world, options)) return *next;
  if (!world.attached.empty() && !world.memory.copied) return wait_for_detached(world, options);
  return world.memory.copied ? compare_home(world, options) : copy_final(world, options);
}

}  // namespace truenas::workflow
