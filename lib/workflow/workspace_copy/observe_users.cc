// Who uses the claim: by Pods and workloads, by nodes; and what our own movers of before are up to.

#include <fmt/format.h>

#include <algorithm>

#include "lib/storage/volume.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_review/uses.h"

namespace truenas::workflow {
namespace {

using json::Value;

bool is_mover(const Value& pod) {
  return kube::label_of(pod, "app.kubernetes.io/component") == "mover" &&
         kube::label_of(pod, storage::k_managed_by_label) == storage::k_managed_by_value;
}

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
  UsesOfClaims uses;
  TM_TRY_ASSIGN(const std::vector<Value> pods, state.tools.view.pods(options.ns));
  for (const Value& pod : pods) {
    if (!is_mover(pod)) {
      add_pod(pod, uses);
    } else if (kube::mounts(pod, options.claim) ||
               (!world.temporary.name.empty() && kube::mounts(pod, world.temporary.name))) {
      add_left_mover(pod, world);
    }
  }
  TM_TRY_ASSIGN(const std::vector<Value> workloads, state.tools.view.workloads(options.ns));
  std::vector<std::string> generations;
  for (const Value& workload : workloads) {
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
  TM_TRY_ASSIGN(const std::vector<Value> attachments, state.tools.view.attachments());
  for (const Value& attachment : attachments) {
    const std::string& volume = attachment.text_at("/spec/source/persistentVolumeName");
    if (!volume.empty() && volume == world.source.name) {
      world.attached.push_back(attachment.text_at("/spec/nodeName"));
    }
  }
  return {};
}

}  // namespace truenas::workflow
