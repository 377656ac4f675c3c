// What an adoption's steps make of the world, and what follows them.

#include "lib/workflow/workspace_copy/project.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {

void project_adoption(SwapWorld& world, const Options& options, const engine::Step& step) {
  SwapMemory& memory = world.memory;
  if (step.verb == "probe-adoption") {
    memory.sighted = true;
    memory.stamp = world.stamp;
    ++world.facts.sights;
    world.probe_left = false;
    world.facts.sight.path = world.source.dataset;
  }
  if (step.verb == "create-adopted") {
    VolumeState& volume = world.target;
    volume = VolumeState{};
    volume.exists = volume.kept = volume.reserved = true;
    volume.name = volume.uid = step.argument("volume");
    volume.policy = volume.original_policy = "Retain";
    volume.phase = "Available";
    volume.storage_class = options.to_class;
    volume.claim_ns = options.ns;
    volume.claim_name = options.claim;
  }
  if (step.verb == "prove-adoption") world.facts.proved = true;
  if (step.verb == "remove-probe") world.probe_left = false;
}

// The attach controller follows the Pods; a Pod with a node runs once its volume is attached.
void attach_target(SwapWorld& world) {
  world.target_attached.clear();
  if (!is_bound(world.claim, world.target)) return;
  for (ClaimUse& use : world.uses) {
    if (use.kind != ClaimUse::Kind::pod) continue;
    if (use.node.empty()) use.node = "a node";
    world.target_attached.push_back({use.node, world.facts.sight.path, "", true});
    if (use.phase == "Pending") use.phase = "Running";
  }
}

}  // namespace truenas::workflow
