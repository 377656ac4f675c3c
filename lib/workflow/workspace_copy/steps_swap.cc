// Steps that exchange the volume behind the claim.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/step_makers.h"

namespace truenas::workflow {
namespace {

using engine::Step;

Step on_role(std::string verb, const ClaimRole& role, const Options& options) {
  Step step;
  step.id = fmt::format("{} {}/{}", verb, role.ns, role.name);
  step.verb = std::move(verb);
  step.object = fmt::format("role {}/{}", role.ns, role.name);
  step.arguments = {{"ns", role.ns},
                    {"name", role.name},
                    {"uid", role.uid},
                    {"resource_version", role.resource_version},
                    {"for", options.full_name()}};
  return step;
}

}  // namespace

Step keep_home_volume(const SwapWorld& world, const Options& options, const VolumeState& volume,
                      const std::string& original_policy) {
  Step step;
  step.id = "keep " + volume.name;
  step.verb = "keep-volume";
  step.object = "persistentvolume " + volume.name;
  step.arguments = {{"volume", volume.name},
                    {"uid", volume.uid},
                    {"original_policy", original_policy},
                    {"for", options.full_name()}};
  step.title = fmt::format("set persistentvolume {} to Retain", volume.name);
  step.reason = volume.name == world.source.name ? "the home's bytes must outlive its claim"
                                                 : "the new volume must outlive the temporary claim";
  step.undo = world.facts.same_dataset ? "none: it stays so while another volume is on its dataset"
                                       : "--finalize gives it its policy back";
  return step;
}

Step freeze_builds(const Options& options, const ClaimRole& role) {
  Step step = on_role("freeze-builds", role, options);
  step.title = fmt::format("take the right to create and delete claims from role {}/{}", role.ns, role.name);
  step.reason = "a build in the moment without the name would make an empty home, or delete the new one";
  if (role.frozen && !role.grants) {
    step.title = fmt::format("keep the right to create and delete claims from role {}/{} for claim {} too",
                             role.ns, role.name, options.full_name());
    step.reason = "it is taken for another home, whose run would give it back too early";
  }
  step.undo = "it is given back as soon as the claim is bound again";
  return step;
}

Step thaw_builds(const Options& options, const ClaimRole& role, bool own) {
  Step step = on_role("thaw-builds", role, options);
  const std::vector<std::string> dropped = entries_to_drop(role, options, own);
  json::Value drop = json::Value::array();
  for (const std::string& claim : dropped) drop.push_back(claim);
  step.arguments["drop"] = json::write(drop);
  const bool last = dropped.size() == role.owners.size();
  step.title =
      last ? fmt::format("give role {}/{} its rights back", role.ns, role.name)
           : fmt::format("take {} off the freeze of role {}/{}", join(dropped, ", "), role.ns, role.name);
  step.reason = !last                                      ? "another home still needs Coder not to build"
                : is_frozen_for(role, options.full_name()) ? "Coder may build again"
                                                           : "a run that ended too early has left them taken";
  step.can_be_tried = false;
  return step;
}

Step record_cutover(const SwapWorld& world) {
  Step step;
  step.id = fmt::format("record cutover {}", world.claim.uid);
  step.verb = "record-cutover";
  step.object = "persistentvolume " + world.target.name;
  step.title = fmt::format("write the record of the swap on persistentvolume {}", world.target.name);
  step.reason = "it survives both claims and this tool's journal";
  step.can_be_tried = false;
  return step;
}

Step delete_temporary(const SwapWorld& world, const Options& options) {
  const ClaimState& claim = world.temporary;
  Step step = on_claim("delete temporary claim " + claim.uid, "delete-temporary", options, claim.name);
  step.arguments = {{"name", claim.name}, {"uid", claim.uid}};
  step.title = fmt::format("delete the temporary claim {}", claim.name);
  step.reason = "so that its volume can take the home's name; the volume stays (Retain)";
  step.can_be_tried = false;
  return step;
}

Step reserve_volume(const Options& options, const VolumeState& volume, const std::string& claim) {
  Step step;
  step.id = fmt::format("reserve {} for {}", volume.name, claim);
  step.verb = "reserve-volume";
  step.object = "persistentvolume " + volume.name;
  step.arguments = {
      {"volume", volume.name},        {"uid", volume.uid}, {"resource_version", volume.resource_version},
      {"from_uid", volume.claim_uid}, {"ns", options.ns},  {"claim", claim}};
  step.title = fmt::format("reserve persistentvolume {} for claim {}/{}", volume.name, options.ns, claim);
  step.reason = "nobody else's claim can take it, and whoever creates a claim of that name gets it";
  step.can_be_tried = false;
  return step;
}

Step delete_home_claim(const SwapWorld& world, const Options& options) {
  const ClaimState& claim = world.claim;
  Step step = on_claim("delete claim " + claim.uid, "delete-claim", options, options.claim);
  step.arguments = {
      {"name", options.claim}, {"uid", claim.uid}, {"resource_version", claim.resource_version}};
  step.title = fmt::format("delete claim {}", options.full_name());
  step.reason = fmt::format("its volume {} stays (Retain); the name is free for seconds", world.source.name);
  step.undo = "it is created again under the same name";
  step.deletes = true;
  step.can_be_tried = false;
  return step;
}

Step create_home_claim(const SwapWorld& world, const Options& options, const VolumeState& volume) {
  Step step = on_claim(fmt::format("create claim {} on {}", options.claim, volume.name), "create-claim",
                       options, options.claim);
  step.arguments = {{"volume", volume.name}, {"class", volume.storage_class}};
  const bool back = volume.name == world.source.name;
  step.title = fmt::format("create claim {} again, on volume {}", options.full_name(), volume.name);
  step.reason = back ? "what was compared is not sure any more: back to where the bytes are, then once more"
                     : "the same labels, annotations, modes and request, so that Terraform sees no change";
  step.can_be_tried = false;
  return step;
}

Step nudge_claim(const ClaimState& claim, const Options& options) {
  Step step = on_claim("nudge claim " + claim.uid, "nudge-claim", options, claim.name);
  step.arguments = {{"name", claim.name}, {"uid", claim.uid}};
  step.title = fmt::format("touch claim {}/{} by an annotation", options.ns, claim.name);
  step.reason = "the binder sometimes leaves a claim with a volume waiting for 15 s";
  step.can_be_tried = false;
  return step;
}

}  // namespace truenas::workflow
