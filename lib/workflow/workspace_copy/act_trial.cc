// What is put to the API server as a trial (dryRun=All) before anything is changed: the claim as it will be
// created again, the Pods of the way that the bytes go, and the way back of Coder's rights.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/quota_refusal.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"

namespace truenas::workflow {
namespace {

using json::Value;
using kube::PatchKind;
using kube::Writer;
using State = WorkspaceCopy::State;

Result<void> try_freeze(const State& state, Writer& writer) {
  const SwapWorld& world = *state.world;
  if (state.options.accepted.contains(k_no_build_freeze) || world.freeze.down) return {};
  for (const ClaimRole& role : world.freeze.roles) TM_TRY(prove_thaw(role, writer));
  return {};
}

// The trial is counted beside claims that go before the replacement comes: the temporary one, and where bytes
// are not copied the home's own, which is of another class.
bool has_room_then(const State& state, const Error& refusal) {
  const SwapWorld& world = *state.world;
  const bool temporary = world.temporary.exists && world.temporary.ours;
  if (!temporary && is_copying(world, state.options)) return false;
  return storage::fits_in_place(refusal.what, temporary);
}

Error not_taken(const State& state, const std::string& storage_class, const Error& error) {
  std::vector<std::string> hints = error.hints;
  if (contains(error.what, "exceeded quota")) {
    hints.push_back(
        fmt::format("there must be room for one claim more while a home is moved: kubectl describe "
                    "quota -n {}",
                    state.options.ns));
  }
  if (contains(error.what, "per PersistentVolumeClaim")) {
    hints.push_back(fmt::format("kubectl describe limitrange -n {}", state.options.ns));
  }
  return make_error(Kind::refused,
                    fmt::format("the claim of {} would not be taken on {}: {}", state.options.full_name(),
                                storage_class, error.what),
                    std::move(hints));
}

// What a webhook makes of every claim it would make of this one too: while the name is absent is too late.
Result<void> check_taken(const State& state, const Value& trial, const Value& taken) {
  std::vector<std::string> changed;
  for (const storage::ClaimDifference& difference : storage::compare_claims(trial, taken)) {
    if (!difference.harmless) changed.push_back(storage::describe(difference));
  }
  if (changed.empty()) return {};
  return make_error(Kind::refused,
                    fmt::format("claim {} would not be created again as it is: {}", state.options.full_name(),
                                join(changed, "; ")),
                    {"a webhook or a policy changes claims: kubectl get mutatingwebhookconfigurations,"
                     "mutatingadmissionpolicies"});
}

Result<void> try_claim(const State& state, Writer& writer) {
  const SwapWorld& world = *state.world;
  const Value& original = is_open(world) ? world.facts.claim : world.claim.document;
  const std::string storage_class = target_class(world, state.options);
  TM_TRY_ASSIGN(const Value trial, storage::trial_claim(original, storage_class));
  Writer trying = writer.trying();
  const auto tried = trying.create(kube::k_claim, state.options.ns, trial);
  if (tried.ok()) return check_taken(state, trial, *tried);
  const Error& error = tried.error();
  if (error.kind == Kind::unavailable || error.kind == Kind::outcome_unknown) {
    return make_error(Kind::unavailable, error.what, error.hints);
  }
  if (has_room_then(state, error)) return {};
  return not_taken(state, storage_class, error);
}

// All of a copy's Pods are alike but for what they mount.
Result<void> try_mover(State& state, Writer& writer) {
  MoverRequest request;
  request.ns = state.options.ns;
  request.run = state.tools.run + "-0";
  request.arguments = {"scan"};
  request.mounts = {{state.options.claim, "/source", true}};
  request.wishes = state.tools.wishes;
  MoverRun mover(state.tools.reader, writer, state.tools.program, state.tools.clock);
  return mover.try_it(request);
}

}  // namespace

// A user who may take rights may lack them, and could not give them back: the API server lets nobody grant
// what he has not got, and looks at the whole Role.
Result<void> prove_thaw(const ClaimRole& role, Writer& writer) {
  TM_TRY_ASSIGN(const Value patch, thaw_trial_patch(role));
  Writer trying = writer.trying();
  const auto tried = trying.patch(kube::k_role, role.ns, role.name, PatchKind::merge, patch);
  if (tried.ok()) return {};
  const Error& error = tried.error();
  if (error.kind == Kind::outcome_unknown) return make_error(Kind::unavailable, error.what, error.hints);
  if (error.kind != Kind::auth) return error;
  return make_error(
      Kind::refused,
      fmt::format("[{}] the rights of role {}/{} could be taken, but not given back: {}", k_no_build_freeze,
                  role.ns, role.name, error.what),
      {"run it as somebody who has all rights of that Role, or the verb escalate on roles",
       "or scale Coder and its provisioners to 0", fmt::format("or --accept={}", k_no_build_freeze)});
}

Result<void> try_replacement(State& state, Writer& writer) {
  const SwapWorld& world = *state.world;
  TM_TRY(try_claim(state, writer));
  if (is_adopting(world, state.options)) TM_TRY(try_adoption(state, writer));
  if (is_copying(world, state.options)) TM_TRY(try_mover(state, writer));
  TM_TRY(try_freeze(state, writer));
  state.memory.replacement_tried = true;
  return {};
}

}  // namespace truenas::workflow
