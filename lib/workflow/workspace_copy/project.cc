#include "lib/workflow/workspace_copy/project.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/number.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;

void begin(SwapWorld& world, const std::string& value, int number) {
  SwapFacts facts;
  facts.number = facts.newest = number;
  const Result<void> read = apply_fact(facts, "begin", value);
  if (!read.ok()) return;
  world.facts = std::move(facts);
  if (world.target.exists && world.facts.source.name == world.target.name)
    std::swap(world.source, world.target);
  world.target_noted = world.facts.targets > 0;
  const bool adopted_before = world.facts.carry == Carry::adopt && world.target.name == adopted_name(world);
  if (!world.target_noted && !adopted_before) world.target = VolumeState{};
  world.claim.changed = false;
}

void note(SwapWorld& world, const Step& step) {
  const std::string name = step.argument("name");
  const std::string value = step.argument("value");
  if (name == "begin") return begin(world, value, leading_number(step.argument("run")));
  static_cast<void>(apply_fact(world.facts, name, value));
  if (name.starts_with("target-")) world.target_noted = true;
  if (name.starts_with("claim-")) world.claim.changed = false;
}

VolumeState* volume_of(SwapWorld& world, const std::string& name) {
  if (world.source.exists && world.source.name == name) return &world.source;
  if (world.target.exists && world.target.name == name) return &world.target;
  return nullptr;
}

void change_volume(SwapWorld& world, const Step& step) {
  VolumeState* volume = volume_of(world, step.argument("volume"));
  if (volume == nullptr) return;
  if (step.verb == "keep-volume") {
    volume->policy = "Retain";
    volume->kept = true;
  }
  if (step.verb == "reserve-volume") {
    volume->reserved = true;
    volume->claim_ns = step.argument("ns");
    volume->claim_name = step.argument("claim");
    volume->claim_uid.clear();
    volume->phase = "Available";
  }
}

ClaimState new_claim(const std::string& name, const std::string& uid, const std::string& volume,
                     const std::string& storage_class) {
  ClaimState claim;
  claim.exists = claim.ours = true;
  claim.name = name;
  claim.uid = uid;
  claim.phase = "Pending";
  claim.volume = volume;
  claim.storage_class = storage_class;
  return claim;
}

void change_claims(SwapWorld& world, const Options& options, const Step& step) {
  if (step.verb == "create-temporary") {
    world.temporary = new_claim(temporary_name(world), "temporary", "", options.to_class);
  } else if (step.verb == "attach-target") {
    world.temporary =
        new_claim(temporary_name(world), "temporary", step.argument("volume"), world.target.storage_class);
  } else if (step.verb == "delete-temporary") {
    world.temporary.terminating = true;
  } else if (step.verb == "delete-claim") {
    world.claim.terminating = true;
  } else if (step.verb == "create-claim") {
    const json::Value document = world.facts.claim;
    world.claim = new_claim(options.claim, "again " + step.argument("volume"), step.argument("volume"),
                            step.argument("class"));
    world.claim.document = document;
  } else if (step.verb == "record-cutover") {
    world.target.recorded_claim_uid = world.claim.uid;
    world.target.recorded_from = world.source.name;
  }
}

void change_memory(SwapWorld& world, const Step& step) {
  SwapMemory& memory = world.memory;
  if (step.verb == "scan") memory.used_bytes = 0;
  if (step.verb == "scan-newer") memory.newer = "counted";
  if (step.verb == "try-replacement") memory.replacement_tried = true;
  if (step.verb == "check-target" && memory.unfit.empty()) memory.way = "chown";
  if (step.verb == "copy-warm") ++memory.warm_passes;
  if (step.verb == "copy-final") {
    ++memory.copies;
    memory.copied = true;
    memory.target_uid = world.target.uid;
    memory.stamp = world.stamp;
  }
  if (step.verb == "compare") {
    ++memory.compares;
    memory.verified = true;
    ++world.facts.compares;
    world.facts.compare = "nothing differs";
  }
}

void change_roles(SwapWorld& world, const Step& step) {
  for (ClaimRole& role : world.freeze.roles) {
    if (role.name != step.argument("name") || role.ns != step.argument("ns")) continue;
    if (step.verb == "freeze-builds") {
      role.frozen = true;
      role.grants = false;
      const std::string& claim = step.argument("for");
      if (!is_frozen_for(role, claim)) role.owners.push_back({claim, true, true});
    }
    if (step.verb == "thaw-builds") {
      const auto dropped = json::parse(step.argument("drop"), "step");
      std::erase_if(role.owners, [&](const FreezeOwner& owner) {
        const auto& claims = dropped.ok() ? dropped->items() : std::vector<json::Value>();
        return std::any_of(claims.begin(), claims.end(),
                           [&](const json::Value& claim) { return claim.text() == owner.claim; });
      });
      if (!role.owners.empty()) continue;
      role.frozen = role.damaged = false;
      role.grants = true;
      world.freeze.able = {"Coder may delete persistentvolumeclaims"};
    }
  }
}

void change_workspace(SwapWorld& world, const Step& step) {
  if (!world.coder) return;
  CoderState& coder = *world.coder;
  if (step.verb == "set-autostart") coder.autostart = step.argument("schedule");
  if (step.verb == "stop-workspace" || step.verb == "start-workspace") {
    coder.building = true;
    coder.stopped = coder.agents_connected = false;
    coder.started = step.verb == "start-workspace";
    coder.version_id = step.argument("version");
    coder.build_id = step.verb;
    coder.trouble.clear();
  }
}

void bind(ClaimState& claim, VolumeState& volume, const std::string& ns) {
  claim.phase = "Bound";
  claim.volume = volume.name;
  volume.phase = "Bound";
  volume.reserved = true;
  volume.claim_ns = ns;
  volume.claim_name = claim.name;
  volume.claim_uid = claim.uid;
}

void bind_pending(SwapWorld& world, const Options& options, ClaimState& claim) {
  if (!claim.exists || claim.terminating || claim.phase != "Pending") return;
  for (VolumeState* volume : {&world.source, &world.target}) {
    if (!volume->exists || !is_reserved_for(*volume, options.ns, claim.name)) continue;
    if (!claim.volume.empty() && claim.volume != volume->name) continue;
    return bind(claim, *volume, options.ns);
  }
  if (!claim.volume.empty() || world.target.exists || &claim != &world.temporary) return;
  VolumeState& volume = world.target;
  volume = VolumeState{};
  volume.exists = true;
  volume.name = volume.uid = "the-new-volume";
  volume.policy = volume.original_policy = "Delete";
  volume.storage_class = claim.storage_class;
  bind(claim, volume, options.ns);
}

void release(VolumeState& volume, const ClaimState& claim) {
  if (volume.exists && volume.claim_uid == claim.uid) volume.phase = "Released";
}

void finish_deletion(SwapWorld& world, ClaimState& claim) {
  if (!claim.exists || !claim.terminating) return;
  release(world.source, claim);
  release(world.target, claim);
  if (&claim == &world.temporary && !world.target_noted && world.target.policy != "Retain") {
    world.target = VolumeState{};  // its own driver takes it away again
  }
  claim = ClaimState{};
}

}  // namespace

SwapWorld project_swap_step(SwapWorld world, const Options& options, const Step& step) {
  if (step.verb == "note") note(world, step);
  change_volume(world, step);
  change_claims(world, options, step);
  change_memory(world, step);
  project_adoption(world, options, step);
  change_roles(world, step);
  change_workspace(world, step);
  if (step.verb == "remove-mover") {
    for (LeftMover& mover : world.movers) mover.terminating |= mover.uid == step.argument("uid");
  }
  forget_what_was_disturbed(world);
  return world;
}

SwapWorld advance_swap_neighbours(SwapWorld world, const Options& options) {
  const bool stopping = !world.coder || world.coder->stopped || world.claim.terminating;
  if (stopping) world.uses.clear();
  std::erase_if(world.movers, [](const LeftMover& mover) { return mover.terminating; });
  if (world.uses.empty() && world.movers.empty()) finish_deletion(world, world.claim);
  if (world.movers.empty()) finish_deletion(world, world.temporary);
  bind_pending(world, options, world.claim);
  bind_pending(world, options, world.temporary);
  if (world.uses.empty()) world.attached.clear();
  attach_target(world);
  bool grants = false;
  for (const ClaimRole& role : world.freeze.roles) grants |= role.grants;
  if (!grants && !world.memory.freeze_overdue) world.freeze.able.clear();
  if (world.coder && !world.coder->unknown.empty()) {
    world.coder->unknown.clear();
  } else if (world.coder && world.coder->building) {
    world.coder->building = false;
    world.coder->stopped = !world.coder->started;
  } else if (world.coder && world.coder->started) {
    world.coder->agents_connected = true;
  }
  forget_what_was_disturbed(world);
  return world;
}

}  // namespace truenas::workflow
