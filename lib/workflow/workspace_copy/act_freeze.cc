#include "lib/workflow/workspace_copy/act_freeze.h"

#include <fmt/format.h>

#include <mutex>

#include "lib/workflow/build_freeze/claim_role.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using json::Value;
using kube::PatchKind;
using kube::Writer;
using State = WorkspaceCopy::State;

// Only needed where the Role itself does not tell; a journal that cannot be read tells nothing either.
std::optional<Value> noted(const State& state, const ClaimRole& role) {
  if (!role.frozen || rules_before(role).ok()) return std::nullopt;
  const auto facts = state.tools.facts.read();
  return facts.ok() ? noted_rules(*facts, role.uid) : std::nullopt;
}

// With many homes at once the Role of the last look is an old one before it is written. Nothing but this
// home's own entry may be judged by then, so that only this is put on, or taken off, the Role of now.
Result<ClaimRole> role_of_now(const State& state, const ClaimRole& seen) {
  TM_TRY_ASSIGN(const auto object, state.tools.reader.find(kube::k_role, seen.ns, seen.name));
  if (!object || kube::identity_of(*object).uid != seen.uid) {
    return make_error(Kind::conflict, fmt::format("role {}/{} is another one by now", seen.ns, seen.name));
  }
  return claim_role(*object);
}

Result<Value> patch_for(const State& state, const Step& step, const ClaimRole& seen, Writer& writer) {
  if (step.verb == "freeze-builds") {
    TM_TRY_ASSIGN(const ClaimRole role, role_of_now(state, seen));
    TM_TRY(prove_thaw(role, writer));
    const bool asks = state.world->coder && state.world->coder->found;
    return freeze_patch(role, step.argument("for"), noted(state, role), asks);
  }
  TM_TRY_ASSIGN(const Value drop, json::parse(step.argument("drop"), "step " + step.id));
  std::vector<std::string> claims;
  for (const Value& claim : drop.items()) claims.push_back(claim.text());
  const bool only_own = claims == std::vector<std::string>{state.options.full_name()};
  if (!only_own) return thaw_patch(seen, claims, noted(state, seen));
  TM_TRY_ASSIGN(const ClaimRole role, role_of_now(state, seen));
  return thaw_patch(role, claims, noted(state, role));
}

}  // namespace

Result<void> change_role(const State& state, const Step& step, Writer& writer) {
  static std::mutex turn;
  const std::lock_guard<std::mutex> lock(turn);
  for (const ClaimRole& role : state.world->freeze.roles) {
    if (role.uid != step.argument("uid")) continue;
    TM_TRY_ASSIGN(const Value patch, patch_for(state, step, role, writer));
    return kube::done(writer.patch(kube::k_role, role.ns, role.name, PatchKind::merge, patch));
  }
  return make_error(Kind::conflict, fmt::format("{} is not there any more", step.object));
}

}  // namespace truenas::workflow
