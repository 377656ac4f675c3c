// Effects on claims and volumes.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/cutover_record.h"
#include "lib/storage/volume_patch.h"
#include "lib/workflow/workspace_copy/act_freeze.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using json::Value;
using kube::done;
using kube::PatchKind;
using kube::Writer;
using State = WorkspaceCopy::State;

// Before the run has begun, in a dry run, the journal has no claim yet.
const Value& first_claim(const State& state) {
  const SwapWorld& world = *state.world;
  return is_open(world) ? world.facts.first_claim : world.claim.document;
}

// At least what the old one asks for, and room for what is really there.
Result<std::string> temporary_size(const State& state) {
  const std::string& old = first_claim(state).text_at("/spec/resources/requests/storage");
  TM_TRY_ASSIGN(const std::int64_t asked, parse_quantity(old));
  constexpr std::int64_t k_gi = std::int64_t{1} << 30;
  const std::int64_t used = state.memory.used_bytes.value_or(0);
  const std::int64_t needed = std::max(k_gi, used + used / 10 + (k_gi >> 2));
  if (asked >= needed) return old;
  return fmt::format("{}Gi", (needed + k_gi - 1) / k_gi);
}

// A quota, a policy or a webhook may say no to what it took in the trial: no matter of credentials then.
Result<void> create_claim(const State& state, const Value& claim, Writer& writer) {
  const auto made = writer.create(kube::k_claim, state.options.ns, claim);
  if (made.ok()) return {};
  const Error& error = made.error();
  const bool without_right = contains(error.what, "is forbidden: User ");
  const bool denied =
      !without_right && (contains(error.what, "forbidden") || contains(error.what, "denied the request"));
  if (error.kind != Kind::auth || !denied) return error;
  return make_error(
      Kind::refused,
      fmt::format("{} is not taken by the server: {}",
                  kube::describe(kube::k_claim, state.options.ns, kube::identity_of(claim).name), error.what),
      error.hints);
}

Result<void> create_temporary(State& state, Writer& writer) {
  TM_TRY_ASSIGN(const std::string size, temporary_size(state));
  TM_TRY_ASSIGN(const Value claim,
                storage::temporary_claim(first_claim(state), state.options.to_class, size));
  return create_claim(state, claim, writer);
}

Result<void> attach_target(State& state, Writer& writer) {
  const VolumeState& target = state.world->target;
  const std::string& size = first_claim(state).text_at("/spec/resources/requests/storage");
  TM_TRY_ASSIGN(Value claim, storage::temporary_claim(first_claim(state), target.storage_class, size));
  claim.set_at("/spec/volumeName", target.name);
  return create_claim(state, claim, writer);
}

Result<void> reserve(const Step& step, Writer& writer) {
  const std::string uid = step.argument("uid"), from = step.argument("from_uid");
  Value patch = storage::claim_ref_patch(uid, from, step.argument("ns"), step.argument("claim"));
  if (from.empty()) {
    // Nobody's uid to test: it must be the very object that was looked at.
    Value exact = Value::array({Value::object({{"op", "test"},
                                               {"path", "/metadata/resourceVersion"},
                                               {"value", step.argument("resource_version")}})});
    for (const Value& operation : patch.items()) {
      if (operation.text_at("/path") == "/spec/claimRef/uid") continue;
      Value copy = operation;
      if (copy.text_at("/op") == "replace") copy.set("op", "add");
      exact.push_back(std::move(copy));
    }
    patch = std::move(exact);
  }
  return done(writer.patch(kube::k_volume, "", step.argument("volume"), PatchKind::json, patch));
}

Result<void> record(State& state, Writer& writer) {
  const SwapWorld& world = *state.world;
  storage::CutoverRecord record;
  record.what = world.facts.rollback ? "rollback" : world.facts.carry == Carry::adopt ? "adopt" : "copy";
  record.cluster_uid = state.options.cluster_uid;
  record.ns = state.options.ns, record.claim = state.options.claim, record.claim_uid = world.claim.uid;
  record.from_class = world.claim.storage_class;
  record.from_volume = world.source.name, record.from_volume_uid = world.source.uid;
  record.from_policy = world.facts.source.policy, record.from_dataset = world.source.dataset;
  record.to_class = world.target.storage_class;
  record.to_volume = world.target.name, record.to_volume_uid = world.target.uid;
  record.to_policy = world.facts.target.policy, record.to_dataset = world.target.dataset;
  record.time = format_time(state.tools.clock.wall());
  TM_TRY_ASSIGN(record.replacement,
                storage::replacement_claim(world.facts.claim, world.target.storage_class, world.target.name));
  TM_TRY_ASSIGN(const Value patch, storage::cutover_patch(record));
  return done(writer.patch(kube::k_volume, "", world.target.name, PatchKind::merge, patch));
}

// The last look before the claim goes: both volumes, all Pods and who may build, as they are now.
Result<void> look_once_more(State& state) {
  SwapWorld now = *state.world;
  now.uses.clear(), now.movers.clear(), now.attached.clear(), now.stamp.clear();
  TM_TRY(observe_users(state, now));
  if (!now.uses.empty() || !now.movers.empty() || !now.attached.empty()) {
    return make_error(Kind::conflict, fmt::format("claim {} is in use again: {}", state.options.full_name(),
                                                  join(use_texts(now), ", ")));
  }
  for (const VolumeState* volume : {&now.source, &now.target}) {
    TM_TRY_ASSIGN(const auto object, state.tools.reader.find(kube::k_volume, "", volume->name));
    const bool kept = object && kube::identity_of(*object).uid == volume->uid &&
                      object->text_at("/spec/persistentVolumeReclaimPolicy") == "Retain" &&
                      object->text_at("/metadata/deletionTimestamp").empty();
    if (kept) continue;
    return make_error(Kind::conflict, fmt::format("persistentvolume {} is no longer kept", volume->name));
  }
  const WorkspaceCopyOptions& options = state.options;
  TM_TRY_ASSIGN(now.freeze, read_build_freeze(state.tools.reader, options.coder_ns, options.ns, options.claim,
                                              state.other_runs));
  if (builds_are_frozen(now, options)) return {};
  return make_error(Kind::conflict, fmt::format("Coder can build in namespace {} again: {}", options.ns,
                                                now.freeze.unknown + join(now.freeze.able, ", ")));
}

Result<void> remove(const Step& step, const State& state, Writer& writer, const kube::ResourceType& type) {
  kube::DeleteOptions options;
  options.uid = step.argument("uid");
  options.resource_version = step.argument("resource_version");
  return writer.remove(type, state.options.ns, step.argument("name"), options);
}

Result<void> create_home(State& state, const Step& step, Writer& writer) {
  TM_TRY_ASSIGN(
      const Value claim,
      storage::replacement_claim(state.world->facts.claim, step.argument("class"), step.argument("volume")));
  const auto created = create_claim(state, claim, writer);
  if (created.ok() || created.error().kind != Kind::refused) return created;
  return created.error().with_hint(
      fmt::format("the home's bytes are kept on volume {}; let the claim be created, then run the same "
                  "command again",
                  step.argument("volume")));
}

// A host that Terraform's provider leaves alone (facts/coder.md §6: J2), and that no re-creation copies.
constexpr const char* k_nudge_annotation = "volume.truenas-migrate.kubernetes.io/nudge";

Result<void> nudge(State& state, const Step& step, Writer& writer) {
  const Value metadata = Value::object(
      {{"uid", step.argument("uid")},
       {"annotations", Value::object({{k_nudge_annotation, format_micro_time(state.tools.clock.wall())}})}});
  return done(writer.patch(kube::k_claim, state.options.ns, step.argument("name"), PatchKind::merge,
                           Value::object({{"metadata", metadata}})));
}

Result<void> keep(const Step& step, Writer& writer) {
  return done(writer.patch(
      kube::k_volume, "", step.argument("volume"), PatchKind::merge,
      storage::keep_patch(step.argument("uid"), step.argument("original_policy"), step.argument("for"))));
}

}  // namespace

Result<void> act_on_objects(State& state, const Step& step, Writer& writer) {
  const std::string& verb = step.verb;
  if (verb == "keep-volume") return keep(step, writer);
  if (verb == "try-replacement") return try_replacement(state, writer);
  if (verb == "create-temporary") return create_temporary(state, writer);
  if (verb == "attach-target") return attach_target(state, writer);
  if (verb == "reserve-volume") return reserve(step, writer);
  if (verb == "record-cutover") return record(state, writer);
  if (verb == "freeze-builds" || verb == "thaw-builds") return change_role(state, step, writer);
  if (verb == "remove-mover") return remove(step, state, writer, kube::k_pod);
  if (verb == "delete-temporary") return remove(step, state, writer, kube::k_claim);
  if (verb == "create-claim") return create_home(state, step, writer);
  if (verb == "nudge-claim") return nudge(state, step, writer);
  if (verb != "delete-claim") return make_error(Kind::bug, fmt::format("no such verb: {}", verb));
  TM_TRY(look_once_more(state));
  return remove(step, state, writer, kube::k_claim);
}

}  // namespace truenas::workflow
