#include "lib/workflow/workspace_copy/invariant.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using engine::Violation;
using Violations = std::vector<Violation>;

constexpr const char* k_bytes_have_a_home = "the home's bytes are on a volume that nothing deletes";
constexpr const char* k_one_dataset = "two volumes on one dataset are both Retain";
constexpr const char* k_sighted =
    "the new driver has shown the home's own files before anything is exchanged";
constexpr const char* k_verified = "no claim is deleted without a verified copy made since its last use";

void demand_kept(const VolumeState& volume, const std::string& what, Violations& broken) {
  if (!volume.exists) {
    broken.push_back({k_bytes_have_a_home, what + " does not exist"});
  } else if (volume.policy != "Retain") {
    broken.push_back({k_bytes_have_a_home, fmt::format("{} {} is {}", what, volume.name, volume.policy)});
  } else if (volume.terminating) {
    broken.push_back({k_bytes_have_a_home, fmt::format("{} {} is being deleted", what, volume.name)});
  }
}

void demand(bool holds, const char* rule, const std::string& detail, Violations& broken) {
  if (!holds) broken.push_back({rule, detail});
}

void demand_retain(const VolumeState& volume, Violations& broken) {
  demand(volume.policy == "Retain", k_one_dataset, fmt::format("{} is {}", volume.name, volume.policy),
         broken);
}

void guard_adoption(const SwapWorld& world, Violations& broken) {
  demand_kept(world.source, "the old volume", broken);
  demand(on_source(world), "only the claim that was looked at is adopted", "it is on another volume", broken);
  demand(world.memory.sighted, k_sighted, "it was not tried", broken);
  demand(!world.target.exists, "a volume of that name is not there yet", world.target.name, broken);
}

void guard_exchange(const SwapWorld& world, Violations& broken) {
  demand_kept(world.source, "the old volume", broken);
  demand_kept(world.target, "the new volume", broken);
  demand(is_ready(world), k_verified, "there is none", broken);
  if (world.facts.carry == Carry::adopt) demand(world.memory.sighted, k_sighted, "it was not tried", broken);
  demand(world.uses.empty(), "nobody uses the home while it is exchanged", join(use_texts(world), ", "),
         broken);
  demand(world.movers.empty(), "nobody uses the home while it is exchanged", "a mover's Pod", broken);
  demand(world.attached.empty(), "nobody uses the home while it is exchanged",
         "attached to " + join(world.attached, ", "), broken);
}

void guard_deletion(const SwapWorld& world, const Options& options, Violations& broken) {
  guard_exchange(world, broken);
  demand(on_source(world), "only the claim that was copied is deleted", "it is on another volume", broken);
  demand(builds_are_frozen(world, options), "nobody can build while the name is absent",
         join(world.freeze.able, ", "), broken);
  demand(world.facts.cutover, "the journal comes first", "the cutover is not written down", broken);
  demand(is_reserved_for(world.target, options.ns, options.claim),
         "the new volume waits for the name before the name is free", "it is not reserved", broken);
  demand(!world.temporary.exists, "the new volume waits for the name before the name is free",
         "the temporary claim is still there", broken);
  demand(!world.coder || !world.coder->found || (world.coder->stopped && world.coder->unknown.empty()),
         "no build is planned before the swap and applied after it",
         "Coder does not say that the workspace is stopped", broken);
}

void guard_creation(const SwapWorld& world, const Options& options, const Step& step, Violations& broken) {
  const VolumeState& home = home_of(world, options);
  demand(!world.claim.exists, "the name is free", "a claim of the name exists", broken);
  demand(step.argument("volume") == home.name, "the home is where its newest bytes are",
         "they are on " + home.name, broken);
  demand_kept(home, "the volume", broken);
}

// Its own entry comes off a freeze when the name is not absent; another's when its run is over.
void guard_thaw(const SwapWorld& world, const Options& options, const Step& step, Violations& broken) {
  if (options.accepted.contains(k_thaw)) return;
  const auto dropped = json::parse(step.argument("drop"), "step " + step.id);
  if (!dropped.ok()) return demand(false, "a thaw names its claims", dropped.error().what, broken);
  for (const json::Value& claim : dropped->items()) {
    if (claim.text() == options.full_name()) {
      demand(may_thaw(world, options), "nobody can build while the name is absent", claim.text(), broken);
      continue;
    }
    for (const ClaimRole& role : world.freeze.roles) {
      for (const FreezeOwner& owner : role.owners) {
        demand(owner.claim != claim.text() || role.uid != step.argument("uid") || owner.over(),
               "another home's freeze is its own", owner.claim, broken);
      }
    }
  }
}

// A build of Coder applies the whole template, also to the claim.
void guard_build(const SwapWorld& world, const Options& options, const Step& step, Violations& broken) {
  const bool stops = step.verb == "stop-workspace";
  demand(world.coder && world.facts.version_id == step.argument("version"), "the journal comes first",
         "the version that the workspace ran is not written down", broken);
  demand(!may_be_building(world), "one build after the other", "one is under way", broken);
  if (stops) return demand_kept(world.source, "the volume", broken);
  demand(on_target(world) || (on_source(world) && is_given_up(world, options)),
         "nobody is started before the home is where it stays", world.claim.volume, broken);
}

void check_absence(const SwapWorld& world, const Options& options, Violations& broken) {
  const bool away = !world.claim.exists || world.claim.terminating;
  if (!world.facts.cutover || !away || world.claim.volume == world.target.name || was_served(world, options))
    return;
  const bool ready = is_ready(world);
  // Of one dataset one object is enough, as long as neither is set to Delete.
  if (!ready || !world.facts.same_dataset) demand_kept(world.source, "the old volume", broken);
  if (ready) demand_kept(world.target, "the new volume", broken);
}

// Whichever of them goes with another policy takes the bytes of both with it (facts/truenas.md §8.7).
void check_one_dataset(const SwapWorld& world, Violations& broken) {
  const bool both = world.source.exists && world.target.exists && world.target_unfit.empty();
  if (!world.facts.same_dataset || !both) return;
  demand_retain(world.source, broken);
  demand_retain(world.target, broken);
}

}  // namespace

Violations check_swap(const SwapWorld& world, const Options& options) {
  Violations broken;
  if (!is_open(world)) return broken;
  check_absence(world, options, broken);
  check_one_dataset(world, broken);
  if (broken.empty()) return broken;
  // Set back by somebody: repaired first, and said by the decision where it cannot be.
  const engine::Next next = decide_swap(world, options);
  const Step* repair = std::get_if<Step>(&next);
  if (repair != nullptr && repair->verb == "keep-volume") {
    std::erase_if(broken,
                  [](const Violation& violation) { return violation.detail.ends_with(" is Delete"); });
  }
  return broken;
}

Violations guard_swap(const SwapWorld& world, const Options& options, const Step& step) {
  Violations broken;
  if (step.verb == "delete-claim") guard_deletion(world, options, broken);
  if (step.verb == "create-adopted") guard_adoption(world, broken);
  if (step.verb == "create-claim") guard_creation(world, options, step, broken);
  if (step.verb == "thaw-builds") guard_thaw(world, options, step, broken);
  if (step.verb == "stop-workspace" || step.verb == "start-workspace") {
    guard_build(world, options, step, broken);
  }
  if (step.verb == "reserve-volume") {
    const bool of_source = step.argument("volume") == world.source.name;
    const VolumeState& volume = of_source ? world.source : world.target;
    demand(!is_somebody_elses(world, volume, options), "a volume in use is not taken from its claim",
           fmt::format("{} is claim {}/{}'s", volume.name, volume.claim_ns, volume.claim_name), broken);
    demand(!of_source || !world.claim.exists, "a volume in use is not taken from its claim",
           "claim " + options.full_name() + " exists", broken);
    demand(of_source || !on_target(world), "a volume in use is not taken from its claim",
           "claim " + options.full_name() + " is on it", broken);
    demand(of_source || !world.temporary.exists, "a volume in use is not taken from its claim",
           "the temporary claim is there", broken);
  }
  if (step.verb == "delete-temporary" && world.target_noted) {
    demand(world.target.policy == "Retain" || !world.target.exists, k_bytes_have_a_home,
           "the new volume is " + world.target.policy, broken);
    demand(world.temporary.ours, "only what this tool has made is deleted", world.temporary.name, broken);
  }
  const bool copies = step.verb == "copy-final" || step.verb == "copy-warm";
  if (copies) {
    demand(world.movers.empty(), "a volume is written by one mover", "another mover is there", broken);
    demand(is_bound(world.temporary, world.target), "the new volume is written through its temporary claim",
           "it is not bound", broken);
    demand(!on_target(world) && !was_served(world, options), "nothing is written over a home in use",
           "the claim is on the new volume", broken);
  }
  return broken;
}

}  // namespace truenas::workflow
