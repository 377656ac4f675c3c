// Who uses the claim: by Pods and workloads, by nodes; and what our own movers of before are up to.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/storage/volume.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_review/uses.h"

namespace truenas::workflow {
namespace {

using json::Value;

// Longer between two looks, and a workspace may have been started, written to and stopped again: two builds
// of Coder take longer than this.
constexpr Milliseconds k_unwatched{30000};
constexpr Milliseconds k_look_every{5000};

bool is_over(const Value& pod) {
  const std::string& phase = pod.text_at("/status/phase");
  return phase == "Succeeded" || phase == "Failed";
}

void add_left_mover(const Value& pod, SwapWorld& world) {
  const kube::Identity identity = kube::identity_of(pod);
  const bool terminating = !pod.text_at("/metadata/deletionTimestamp").empty();
  // One that has ended and goes is none any more; one that has only ended is cleaned away.
  if (!is_over(pod) || !terminating) world.movers.push_back({identity.name, identity.uid, terminating});
}

}  // namespace

Result<void> observe_users(WorkspaceCopy::State& state, SwapWorld& world) {
  const WorkspaceCopyOptions& options = state.options;
  LastLook begun = begin_look(state);
  begun.topics = {kube::Changes::topic(kube::k_claim, options.ns, options.claim)};
  UsesOfClaims uses;
  std::vector<std::string> generations;
  TM_TRY_ASSIGN(const HomeView::Objects pods, state.tools.view.pods(options.ns));
  for (const Value& pod : *pods) {
    if (!is_mover(pod)) {
      add_pod(pod, uses);
      // It has come and gone since the last look, unless it was there then.
      if (is_over(pod) && kube::mounts(pod, options.claim)) generations.push_back(kube::identity_of(pod).uid);
    } else if (kube::mounts(pod, options.claim) ||
               (!world.temporary.name.empty() && kube::mounts(pod, world.temporary.name))) {
      add_left_mover(pod, world);
    }
  }
  TM_TRY_ASSIGN(const HomeView::Objects workloads, state.tools.view.workloads(options.ns));
  for (const Value& workload : *workloads) {
    const bool set = workload.text_at("/kind") == "StatefulSet";
    UsesOfClaims own;
    add_workload(workload, set ? ClaimUse::Kind::stateful_set : ClaimUse::Kind::deployment, own);
    const auto found = own.find({options.ns, options.claim});
    if (found == own.end()) continue;
    auto& all = uses[found->first];
    all.insert(all.end(), found->second.begin(), found->second.end());
    generations.push_back(
        fmt::format("{} {}", kube::identity_of(workload).uid, workload.integer_at("/metadata/generation")));
  }
  for (const ClaimUse& use : uses[{options.ns, options.claim}]) {
    if (use.live()) world.uses.push_back(use);
  }
  std::sort(generations.begin(), generations.end());
  for (const std::string& generation : generations) world.stamp += generation + ";";
  TM_TRY_ASSIGN(const HomeView::Objects attachments, state.tools.view.attachments());
  for (const Value& attachment : *attachments) {
    const std::string& volume = attachment.text_at("/spec/source/persistentVolumeName");
    if (!volume.empty() && volume == world.source.name) {
      world.attached.push_back(attachment.text_at("/spec/nodeName"));
    }
    add_target_attachment(attachment, world);
  }
  state.users = std::move(begun);
  return {};
}

bool went_unwatched(WorkspaceCopy::State& state) {
  const LookedAt now = {state.tools.clock.steady(), state.tools.clock.wall()};
  const std::optional<LookedAt> before = std::exchange(state.looked, now);
  if (!before) return false;
  const auto slept = std::chrono::duration_cast<Milliseconds>(now.wall - before->wall);
  return std::max(now.steady - before->steady, slept) >= k_unwatched;
}

void look_at_users(WorkspaceCopy::State& state) {
  if (state.looked && state.tools.clock.steady() - state.looked->steady < k_look_every) return;
  if (nobody_stirred(state)) return;
  const std::optional<LastLook> before = state.users;
  SwapWorld world;
  world.source = state.world->source;
  world.temporary = state.world->temporary;
  // A look that failed is none: the next one sees how long nobody has looked.
  if (!observe_users(state, world).ok()) return;
  const kube::Changes* changes = state.tools.view.changes();
  const bool came_and_went = changes != nullptr && before &&
                             changes->used_since(before->mark, state.options.ns, state.options.claim);
  const bool unwatched = went_unwatched(state);
  if (unwatched || came_and_went || !world.uses.empty() || world.stamp != state.users_stamp)
    state.disturbed = true;
}

}  // namespace truenas::workflow
