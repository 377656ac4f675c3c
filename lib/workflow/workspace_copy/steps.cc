// Notes in the journal, and the steps that only look.

#include "lib/workflow/workspace_copy/steps.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {
namespace {

using engine::Step;

Step note(const SwapWorld& world, const Options& options, int number, const std::string& name,
          std::string value) {
  Step step;
  const std::string key = fmt::format("run-{}.{}", number, name);
  step.id = "note " + key;
  step.verb = "note";
  step.object = "journal of claim " + options.full_name();
  step.arguments = {
      {"key", key}, {"name", name}, {"value", std::move(value)}, {"run", std::to_string(number)}};
  step.leaves_no_trace = true;
  step.can_be_tried = name == "begin" && world.facts.newest < number;
  return step;
}

}  // namespace

Step begin_swap(const SwapWorld& world, const Options& options) {
  SwapFacts facts;
  facts.number = facts.newest = world.facts.newest + 1;
  facts.rollback = options.rollback;
  facts.carry = options.rollback ? Carry::nothing : options.carry;
  facts.newer = world.memory.newer;
  facts.same_dataset = options.rollback ? world.facts.same_dataset : options.carry == Carry::adopt;
  facts.from_class = world.claim.storage_class;
  facts.claim_uid = world.claim.uid;
  facts.claim = world.claim.document;
  const bool at_target = world.target.exists && world.claim.volume == world.target.name;
  facts.source = remember(at_target ? world.target : world.source);
  if (options.rollback) {
    facts.target = remember(at_target ? world.source : world.target);
    facts.targets = 1;
  }
  facts.to_class = options.rollback ? facts.target.storage_class : options.to_class;
  Step step = note(world, options, facts.number, "begin", begin_value(facts));
  step.title = "write down how things are: the whole claim, its volume and its reclaim policy";
  step.reason = "what cannot be observed later is written down before the first change";
  return step;
}

Step note_claim(const SwapWorld& world, const Options& options) {
  Step step = note(world, options, world.facts.number, fmt::format("claim-{}", world.facts.claims + 1),
                   json::write(world.claim.document));
  step.title = fmt::format("write claim {} down again", options.full_name());
  step.reason = "somebody has changed it, and it is to be created again as it is";
  return step;
}

Step note_target(const SwapWorld& world, const Options& options) {
  const RememberedVolume target = remember(world.target);
  Step step = note(world, options, world.facts.number, fmt::format("target-{}", world.facts.targets + 1),
                   volume_value(target));
  step.title = fmt::format("write down the new volume {} and its reclaim policy", target.name);
  step.reason = "a later run must not take our own Retain for the policy of before";
  return step;
}

Step note_workspace(const SwapWorld& world, const Options& options) {
  Step step = note(world, options, world.facts.number,
                   fmt::format("workspace-{}", world.facts.workspaces + 1), workspace_value(world));
  step.title = "write down how the workspace is: whether it runs, of which version, its autostart schedule";
  step.reason = "that is how it must be again at the end";
  return step;
}

Step note_role(const SwapWorld& world, const Options& options, const ClaimRole& role) {
  const std::string key = role_key(world, role);
  Step step = note(world, options, world.facts.number, key.substr(key.find('.') + 1),
                   json::write(json::Value::object({{"namespace", role.ns},
                                                    {"name", role.name},
                                                    {"uid", role.uid},
                                                    {"rules", rules_before(role).value_or(nullptr)}})));
  step.title = fmt::format("write down the rules of role {}/{}", role.ns, role.name);
  step.reason = "they are given back after the swap";
  return step;
}

Step note_cutover(const SwapWorld& world, const Options& options) {
  Step step = note(world, options, world.facts.number, fmt::format("cutover-{}", world.facts.cutovers + 1),
                   fmt::format("{} to {}; {}", world.source.name, world.target.name, world.facts.compare));
  step.title = fmt::format("write down that claim {} is about to be exchanged", options.full_name());
  step.reason = "a run after a crash must know that the claim's absence is ours";
  return step;
}

Step note_cutover_over(const SwapWorld& world, const Options& options) {
  Step step = note(world, options, world.facts.number, fmt::format("cutover-over-{}", world.facts.cutovers),
                   "the claim stays on " + world.source.name);
  step.title = fmt::format("write down that claim {} stays where it is for now", options.full_name());
  step.reason = "from here on its absence is not ours";
  return step;
}

Step note_moved(const SwapWorld& world, const Options& options) {
  Step step = note(world, options, world.facts.number, "moved",
                   fmt::format("{} {}", world.claim.uid, world.target.name));
  step.title =
      fmt::format("write down that claim {} is on volume {}", options.full_name(), world.target.name);
  step.reason = "from here on the newest bytes are there";
  return step;
}

Step note_proof(const SwapWorld& world, const Options& options, const TargetAttachment& attachment) {
  Step step = note(world, options, world.facts.number, "proved",
                   fmt::format("a Pod runs on it; attached to {} as {}", attachment.node, attachment.path));
  step.title =
      fmt::format("write down that claim {} is served from {}", options.full_name(), attachment.path);
  step.reason = "the same dataset as before, and a Pod runs on it";
  return step;
}

Step note_swap_end(const SwapWorld& world, const Options& options) {
  const bool given_up = is_given_up(world, options) && !on_target(world);
  Step step = note(world, options, world.facts.number, "end", given_up ? "given up" : "done");
  step.title = given_up ? "write down that the move was given up" : "write down that the move is done";
  step.reason = world.facts.same_dataset ? "both volumes stay Retain: they are one dataset"
                                         : "the old volume is kept (Retain) until --finalize";
  return step;
}

Step scan_home(const Options& options) {
  Step step;
  step.id = step.verb = "scan";
  step.object = "claim " + options.full_name();
  step.title = fmt::format("count what is on claim {}", options.full_name());
  step.reason = "the new volume must hold it; a Pod reads names and sizes, nothing is written";
  step.deadline = Seconds(24 * 3600);
  step.leaves_no_trace = true;
  step.can_be_tried = false;
  return step;
}

Step scan_newer(const Options& options) {
  Step step = scan_home(options);
  step.id = step.verb = "scan-newer";
  step.title = fmt::format("name what was written on claim {} since the move", options.full_name());
  step.reason = "it stays behind on the volume that is left; a Pod reads names and times, nothing is written";
  return step;
}

Step try_replacement(const SwapWorld& world, const Options& options) {
  Step step;
  step.id = step.verb = "try-replacement";
  step.object = "claim " + options.full_name();
  step.title =
      fmt::format("put the claim on {} and the Pods to the server as a trial, under throw-away names",
                  target_class(world, options));
  step.reason =
      "PodSecurity, quota, LimitRange and webhooks must not be found out about while the name is absent";
  step.leaves_no_trace = true;
  return step;
}

Step check_target(const SwapWorld& world, const Options& options) {
  Step step;
  step.id = step.verb = "check-target";
  step.object = "claim " + options.ns + "/" + temporary_name(world);
  step.title = "try what the new volume does with owners, and whether it can hold every file as it is";
  step.reason = "what it cannot represent is refused before anything stops";
  step.deadline = Seconds(24 * 3600);
  step.leaves_no_trace = true;
  step.can_be_tried = false;
  return step;
}

}  // namespace truenas::workflow
