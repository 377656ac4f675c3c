// What an adoption looks at beside the rest: what speaks against it, whether what has the adopted volume's
// name is what is to be created, what a killed trial has left, and what the new driver has attached.

#include <fmt/format.h>

#include "lib/storage/claim_swap.h"
#include "lib/workflow/adoption_look.h"
#include "lib/workflow/adoption_probe.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"

namespace truenas::workflow {
namespace {

using json::Value;
using State = WorkspaceCopy::State;

// "" when `found` is the volume object that would be created for this old one.
std::string unfit(const Value& found, const Value& source, const SwapWorld& world, const State& state) {
  const auto wanted = storage::adopted_volume(
      source, adoption_target(world, state.options, kube::identity_of(found).name, world.to.provisioner));
  if (!wanted.ok()) return wanted.error().what;
  for (const char* pointer : {"/spec/csi", "/spec/storageClassName", "/metadata/labels"}) {
    const Value* expected = wanted->at(pointer);
    const Value* seen = found.at(pointer);
    if (seen == nullptr) return fmt::format("it has no {}", pointer);
    for (const auto& [key, value] : expected->is_object() ? expected->members() : Value::Object{}) {
      const Value* theirs = seen->find(key);
      if (theirs == nullptr || *theirs != value)
        return fmt::format("its {}/{} is {} instead of {}", pointer, key,
                           theirs == nullptr ? "nothing" : json::write(*theirs), json::write(value));
    }
    if (!expected->is_object() && *seen != *expected)
      return fmt::format("its {} is {} instead of {}", pointer, json::write(*seen), json::write(*expected));
  }
  // Read-only, or another capacity to write with: then it is no home.
  return found.boolean_at("/spec/csi/readOnly") ? "it is read-only" : "";
}

// Looked at once, and again when a workload has changed.
Result<void> observe_findings(State& state, SwapWorld& world, const Value& source) {
  if (!state.adoption || state.adoption_stamp != world.stamp) {
    TM_TRY_ASSIGN(storage::AdoptionLook look,
                  read_adoption_look(state.tools.reader, world.claim.document, source, world.to.provisioner));
    if (!look.workloads.empty()) state.adoption_workloads = look.workloads;
    look.workloads = state.adoption_workloads;
    state.adoption = storage::adoption_findings(look);
    state.adoption_stamp = world.stamp;
  }
  world.adoption = *state.adoption;
  return {};
}

}  // namespace

storage::AdoptionTarget adoption_target(const SwapWorld& world, const WorkspaceCopyOptions& options,
                                        const std::string& name, const std::string& driver) {
  const std::string& old_uid = is_open(world) ? world.facts.source.uid : world.source.uid;
  return {name,
          driver,
          options.to_class,
          options.ns,
          options.claim,
          {{std::string(storage::k_for_uid_label), old_uid}},
          {{std::string(storage::k_original_policy_annotation), "Retain"},
           {std::string(storage::k_kept_for_annotation), options.full_name()}}};
}

// An adoption's trial in a run that is given up, or a comparison of --finalize's after one that has ended:
// both are of the volume that was the source then.
Result<void> observe_probe_left(State& state, SwapWorld& world) {
  if (world.facts.number == 0 || (is_open(world) && !is_given_up(world, state.options))) return {};
  TM_TRY_ASSIGN(const auto probe, state.tools.view.find_volume(adoption_probe_name(world.facts.source.uid)));
  world.probe_left = probe.has_value();
  return {};
}

Result<void> observe_adoption(State& state, SwapWorld& world) {
  if (!is_adopting(world, state.options) || !world.missing_permissions.empty()) return {};
  const bool elsewhere = is_open(world) && (on_target(world) || is_given_up(world, state.options));
  // From the cut-over on seconds count, and nothing of it is decided upon any more.
  const bool begun = is_open(world) && world.facts.cutover && world.target_noted && state.adoption;
  if (elsewhere || begun || !world.source.exists) return {};
  TM_TRY_ASSIGN(const auto source, state.tools.view.find_volume(world.source.name));
  if (!source || kube::identity_of(*source).uid != world.source.uid) return {};
  if (world.target.exists && is_open(world)) {
    TM_TRY_ASSIGN(const auto target, state.tools.view.find_volume(world.target.name));
    if (target && kube::identity_of(*target).uid == world.target.uid)
      world.target_unfit = unfit(*target, *source, world, state);
  }
  const bool moves =
      world.claim.exists && world.claim.volume == world.source.name && !world.claim.terminating;
  if (moves && world.to.exists) return observe_findings(state, world, *source);
  return {};
}

void add_target_attachment(const Value& attachment, SwapWorld& world) {
  if (!world.target.exists || attachment.text_at("/spec/source/persistentVolumeName") != world.target.name)
    return;
  world.target_attached.push_back(
      {attachment.text_at("/spec/nodeName"), attachment.text_at("/status/attachmentMetadata/nfsPath"),
       attachment.text_at("/status/attachError/message"), attachment.boolean_at("/status/attached")});
}

}  // namespace truenas::workflow
