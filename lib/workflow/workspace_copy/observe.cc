// Looks at the cluster: everything that decide.cc needs, and nothing is decided here.

#include <fmt/format.h>

#include <algorithm>

#include "lib/storage/claim_swap.h"
#include "lib/storage/cutover_record.h"
#include "lib/storage/volume.h"
#include "lib/storage/volume_patch.h"
#include "lib/workflow/adoption_probe.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_copy/states.h"

namespace truenas::workflow {
namespace {

using json::Value;
using State = WorkspaceCopy::State;

// An authorizer needs a moment to see a changed Role.
constexpr Milliseconds k_freeze_patience{60000};

// Absent also when the name has another object by now.
Result<VolumeState> read_state(State& state, const std::string& name, const std::string& uid) {
  if (name.empty()) return VolumeState{};
  TM_TRY_ASSIGN(const auto object, state.tools.view.find_volume(name));
  if (!object || (!uid.empty() && kube::identity_of(*object).uid != uid)) {
    VolumeState gone;
    gone.name = name;
    return gone;
  }
  return volume_state(*object);
}

Result<void> observe_volumes(State& state, SwapWorld& world) {
  const SwapFacts& facts = world.facts;
  const std::string& now = world.claim.volume;
  const bool known =
      facts.number > 0 && (!facts.ended || now == facts.source.name || now == facts.target.name);
  if (!known) {
    TM_TRY_ASSIGN(world.source, read_state(state, now, ""));
    return {};
  }
  TM_TRY_ASSIGN(world.source, read_state(state, facts.source.name, facts.source.uid));
  if (facts.targets > 0) {
    TM_TRY_ASSIGN(world.target, read_state(state, facts.target.name, facts.target.uid));
    world.target_noted = world.target.exists;
  }
  if (!world.target.exists && world.temporary.exists && world.temporary.ours) {
    TM_TRY_ASSIGN(world.target, read_state(state, world.temporary.volume, ""));
  }
  if (!world.target.exists && is_open(world) && facts.carry == Carry::adopt) {
    TM_TRY_ASSIGN(world.target, read_state(state, adopted_name(world), ""));
  }
  return {};
}

Result<void> observe_claims(State& state, SwapWorld& world) {
  const WorkspaceCopyOptions& options = state.options;
  TM_TRY_ASSIGN(const auto claim, state.tools.view.find_claim(options.ns, options.claim));
  world.claim = claim_state(claim, options.claim);
  const bool first_is_known = world.facts.number > 0 && !world.facts.ended;
  const Value& original = first_is_known ? world.facts.first_claim : world.claim.document;
  if (!original.is_object()) return {};
  const std::string name = storage::temporary_claim_name(original);
  TM_TRY_ASSIGN(const auto temporary, state.tools.view.find_claim(options.ns, name));
  world.temporary = claim_state(temporary, name);
  world.temporary.ours = temporary && storage::is_temporary_claim_of(*temporary, original);
  return {};
}

// What the claim would be created again as, wherever; empty where it cannot be.
std::string replacement_text(const Value& claim) {
  const auto replacement = storage::replacement_claim(claim, "class", "volume");
  return replacement.ok() ? json::write(*replacement) : "";
}

void compare_documents(SwapWorld& world) {
  ClaimState& claim = world.claim;
  if (!claim.exists || claim.terminating) return;
  world.cannot_swap = storage::lost_by_swap(claim.document);
  if (!is_open(world)) return;
  const std::string now = replacement_text(claim.document);
  claim.changed =
      claim.volume == world.source.name && !now.empty() && now != replacement_text(world.facts.claim);
  if (!world.target_noted || claim.volume != world.target.name) return;
  const auto wanted =
      storage::replacement_claim(world.facts.claim, world.target.storage_class, world.target.name);
  if (!wanted.ok()) return;
  for (const storage::ClaimDifference& difference : storage::compare_claims(*wanted, claim.document)) {
    if (!difference.harmless) claim.differences.push_back(storage::describe(difference));
  }
}

Result<void> observe_class(State& state, SwapWorld& world) {
  world.to.name = state.options.to_class;
  TM_TRY_ASSIGN(const auto object, state.tools.view.find_class(world.to.name));
  if (!object) return {};
  world.to.exists = true;
  world.to.uid = kube::identity_of(*object).uid;
  world.to.provisioner = object->text_at("/provisioner");
  world.to.waits_for_pod = object->text_at("/volumeBindingMode") == "WaitForFirstConsumer";
  return {};
}

// A Coder that gives no answer, or only after minutes, must not keep an absent name absent.
Result<CoderState> look_at_workspace(State& state, const SwapWorld& world) {
  if (!is_name_absent(world, state.options)) return state.tools.coder->look();
  return make_error(Kind::unavailable, fmt::format("Coder is not asked while the name of claim {} is absent",
                                                   state.options.full_name()));
}

Result<void> observe_workspace(State& state, SwapWorld& world) {
  const auto seen = look_at_workspace(state, world);
  if (seen.ok()) {
    world.coder = *seen;
  } else {
    if (!is_open(world) || seen.error().kind == Kind::interrupted) return seen.error();
    CoderState unknown;
    if (state.world && state.world->coder) {
      unknown.workspace_id = state.world->coder->workspace_id;
      unknown.build_id = state.world->coder->build_id;
    }
    unknown.unknown = seen.error().what;
    world.coder = std::move(unknown);
  }
  world.stamp += " build " + world.coder->build_id;
  return {};
}

Result<void> observe_builders(State& state, SwapWorld& world) {
  const WorkspaceCopyOptions& options = state.options;
  TM_TRY_ASSIGN(
      world.freeze,
      read_build_freeze(state.tools.reader, options.coder_ns, options.ns, options.claim, state.other_runs,
                        state.tools.view.freeze_sources(options.coder_ns, options.ns)));
  const bool taken = std::any_of(world.freeze.roles.begin(), world.freeze.roles.end(),
                                 [](const ClaimRole& role) { return role.frozen && !role.grants; });
  if (!taken || world.freeze.holds()) {
    state.frozen_since.reset();
  } else if (!state.frozen_since) {
    state.frozen_since = state.tools.clock.steady();
  }
  // For good: this run does not try again what did not help.
  if (state.frozen_since && state.tools.clock.steady() - *state.frozen_since >= k_freeze_patience) {
    state.memory.freeze_overdue = true;
  }
  if (state.tools.coder == nullptr || options.accepted.contains(k_thaw)) return {};
  return observe_workspace(state, world);
}

void append(std::vector<kube::Permission>& all, const std::vector<kube::Permission>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

void remember_what_was_watched(State& state, SwapWorld& world) {
  // What was not there when it was looked last, nobody can have used since.
  const bool was_there = state.world && state.world->claim.exists;
  if (went_unwatched(state) && was_there) {
    state.memory.copied = state.memory.verified = false;
    if (!world.coder && !on_target(world)) state.memory.sighted = false;
  }
  world.memory = state.memory;
  forget_what_was_disturbed(world);
  state.memory = world.memory;
}

}  // namespace

Result<SwapWorld> WorkspaceCopy::observe() {
  State& state = *state_;
  if (may_rest(state)) return *state.world;
  const LastLook begun = begin_look(state);
  SwapWorld world;
  world.cluster_uid = state.options.cluster_uid;
  if (state.options.accepted.contains(k_thaw)) {
    TM_TRY(observe_builders(state, world));
    state.world = world;
    return world;
  }
  TM_TRY_ASSIGN(const auto facts, state.tools.facts.read());
  TM_TRY_ASSIGN(world.facts, read_swap_facts(facts));
  TM_TRY(observe_claims(state, world));
  TM_TRY(observe_volumes(state, world));
  compare_documents(world);
  TM_TRY(observe_class(state, world));
  TM_TRY(observe_users(state, world));
  state.users_stamp = world.stamp;
  TM_TRY(observe_builders(state, world));
  TM_TRY(observe_probe_left(state, world));
  if (!state.missing_permissions) {
    const bool freezes = !world.freeze.down && !state.options.accepted.contains(k_no_build_freeze);
    std::vector<kube::Permission> needed =
        workspace_copy_permissions(state.options.ns, freezes ? state.options.coder_ns : "");
    if (is_adopting(world, state.options)) append(needed, workspace_adopt_permissions(state.options.ns));
    if (world.probe_left) append(needed, adoption_probe_permissions(state.options.ns));
    TM_TRY_ASSIGN(state.missing_permissions, state.tools.view.missing(needed));
  }
  world.missing_permissions = *state.missing_permissions;
  TM_TRY(observe_adoption(state, world));
  remember_what_was_watched(state, world);
  note_rest(state, world, begun);
  state.world = world;
  return world;
}

}  // namespace truenas::workflow
