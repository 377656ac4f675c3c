#include "lib/workflow/workspace_copy/waits.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/storage/claim_swap.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Wait;

// A digest of everything that changes when a neighbour moves.
std::string movement_of(const SwapWorld& world) {
  std::string text;
  for (const ClaimState* claim : {&world.claim, &world.temporary}) {
    text += fmt::format("c {} {} {} {}|", claim->uid, claim->phase, claim->volume, claim->terminating);
  }
  for (const VolumeState* volume : {&world.source, &world.target}) {
    text += fmt::format("v {} {} {}|", volume->name, volume->phase, volume->claim_uid);
  }
  for (const std::string& use : use_texts(world)) text += use + "|";
  text +=
      fmt::format("{}|{}|{}", join(world.attached, ","), world.movers.size(), join(world.freeze.able, ","));
  if (world.coder) {
    text += fmt::format("|{} {} {}", world.coder->build_id, world.coder->building, world.coder->unknown);
  }
  return text;
}

Wait wait_on(const SwapWorld& world, std::string id, std::string whom, std::string why, Seconds deadline) {
  Wait wait;
  wait.id = std::move(id);
  wait.whom = std::move(whom);
  wait.why = std::move(why);
  wait.deadline = deadline;
  wait.movement = movement_of(world);
  return wait;
}

}  // namespace

Wait wait_for_bound(const SwapWorld& world, const Options& options, const ClaimState& claim) {
  const bool named = !claim.volume.empty();
  const std::string what = fmt::format("claim {}/{}", options.ns, claim.name);
  Wait wait = wait_on(
      world, "bound " + claim.uid, named ? "the volume controller" : "the provisioner",
      named ? fmt::format("{} is bound to {}", what, claim.volume) : fmt::format("{} gets its volume", what),
      Seconds(named ? 120 : 300));
  wait.object_ns = options.ns;
  wait.object_uid = claim.uid;
  wait.hurried = named;
  if (named) {
    wait.nudge = nudge_claim(claim, options);
    wait.nudge_after = Milliseconds(500);
    wait.nudge_every = Seconds(10);
  }
  return wait;
}

Wait wait_for_claim_gone(const SwapWorld& world, const Options& options, const ClaimState& claim) {
  const std::string name = fmt::format("claim {}/{}", options.ns, claim.name);
  const auto uses = use_texts(world);
  const bool held = claim.uid == world.claim.uid && !uses.empty();
  Wait wait = wait_on(world, "gone " + claim.uid, held ? "whoever mounts it" : "the volume controller",
                      held ? fmt::format("{} is held by {}", name, join(uses, ", ")) : name + " is removed",
                      Seconds(600));
  if (const auto holds = storage::foreign_finalizers(claim.document); !holds.empty() && !held) {
    wait.whom = "whoever put a finalizer on it";
    wait.why = fmt::format("{} is removed; it has the finalizer {}", name, join(holds, ", "));
  }
  wait.object_ns = options.ns;
  wait.object_uid = claim.uid;
  wait.hurried = !held;
  return wait;
}

Wait wait_for_movers_gone(const SwapWorld& world, const Options& options) {
  return wait_on(world, "movers gone", "the kubelet",
                 fmt::format("movers on claim {} stop", options.full_name()), Seconds(180));
}

Wait wait_for_users_gone(const SwapWorld& world, const Options& options) {
  return wait_on(
      world, "users gone", "the kubelet",
      fmt::format("claim {} is still used by {}", options.full_name(), join(use_texts(world), ", ")),
      Seconds(600));
}

Wait wait_for_detached(const SwapWorld& world, const Options& options) {
  return wait_on(world, "detached " + world.source.name, "the attach controller",
                 fmt::format("volume {} of claim {} is detached from {}", world.source.name,
                             options.full_name(), join(world.attached, ", ")),
                 Seconds(420));
}

Wait wait_for_mount(const SwapWorld& world, const Options& options) {
  std::string why = fmt::format("volume {} of claim {} is mounted by {}", world.target.name,
                                options.full_name(), join(use_texts(world), ", "));
  for (const TargetAttachment& attachment : world.target_attached) {
    if (!attachment.error.empty()) why += fmt::format(" (node {}: {})", attachment.node, attachment.error);
  }
  return wait_on(world, "mount " + world.target.name, "the kubelet and the new driver", std::move(why),
                 Seconds(420));
}

Wait wait_for_freeze(const SwapWorld& world, const Options& options) {
  return wait_on(world, "freeze", "the API server's authorizer",
                 fmt::format("{} (claim {})", join(world.freeze.able, ", "), options.full_name()),
                 Seconds(120));
}

Wait wait_for_build(const SwapWorld& world, const Options& options) {
  return wait_on(world, "build " + (world.coder ? world.coder->build_id : ""), "Coder",
                 fmt::format("a build of the workspace of claim {} ends", options.full_name()),
                 Seconds(1800));
}

Wait wait_for_coder(const SwapWorld& world, const Options& options) {
  return wait_on(world, "coder answers", "Coder",
                 fmt::format("whether a build of the workspace of claim {} is under way is not known: {}",
                             options.full_name(), world.coder ? world.coder->unknown : ""),
                 Seconds(300));
}

Wait wait_for_agent(const SwapWorld& world, const Options& options) {
  return wait_on(world, "agent", "the workspace's agent",
                 fmt::format("the workspace of claim {} connects", options.full_name()), Seconds(600));
}

}  // namespace truenas::workflow
