#include "lib/workflow/postgres_rolling/waits.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {
namespace {

using engine::Next;
using engine::Wait;

constexpr const char* k_operator = "the CloudNativePG operator";
// Joining copies the whole database; a stuck one shows as a failed Job or a Pod that does not start.
constexpr Seconds k_join_deadline{6 * 3600};
// A primary may take switchoverDelay (3600 s by default) to stop (facts 1.1).
constexpr Seconds k_switchover_deadline{3660};

// A digest of everything that changes when the operator, the provisioner or the kubelet moves.
std::string movement_of(const PostgresWorld& world) {
  const cnpg::ClusterState& cluster = world.cluster;
  std::string text = fmt::format("{}|{}|{}|{}|{}", cluster.phase, cluster.ready_instances, cluster.instances,
                                 cluster.current_primary, cluster.target_primary);
  for (const auto& claim : cluster.claims) {
    text += fmt::format("|c {} {} {} {}", claim.name, claim.uid, claim.phase, claim.terminating);
  }
  for (const auto& pod : cluster.pods) {
    text += fmt::format("|p {} {} {} {} {} {}", pod.name, pod.uid, pod.phase, pod.ready, pod.terminating,
                        pod.waiting_reason);
  }
  for (const auto& job : cluster.jobs) text += fmt::format("|j {} {} {}", job.name, job.uid, job.complete);
  if (cluster.replication) {
    for (const auto& [name, row] : *cluster.replication) text += fmt::format("|r {} {}", name, row.state);
  }
  return text + fmt::format("|{}", world.pods_with_fs_group);
}

Wait wait_on(const PostgresWorld& world, std::string id, std::string whom, std::string why,
             Seconds deadline = Seconds(600)) {
  Wait wait;
  wait.id = std::move(id);
  wait.whom = std::move(whom);
  wait.why = std::move(why);
  wait.deadline = deadline;
  wait.movement = movement_of(world);
  return wait;
}

Wait about(Wait wait, const PostgresWorld& world, const std::string& uid) {
  wait.object_ns = world.cluster.ns;
  wait.object_uid = uid;
  return wait;
}

std::optional<Next> wait_for_removal(const PostgresWorld& world) {
  for (const auto& pod : world.cluster.pods) {
    if (!pod.terminating && !pod.marked_unrecoverable) continue;
    return about(
        wait_on(world, "removal of " + pod.name + " " + pod.uid, pod.terminating ? "the kubelet" : k_operator,
                fmt::format("instance {} stops and is removed", pod.name), Seconds(2000)),
        world, pod.uid);
  }
  for (const auto& claim : world.cluster.claims) {
    if (!claim.terminating) continue;
    return about(wait_on(world, "removal of claim " + claim.uid, "the volume controller",
                         fmt::format("claim {} is removed", claim.name)),
                 world, claim.uid);
  }
  return std::nullopt;
}

std::optional<Next> wait_for_jobs(const PostgresWorld& world) {
  for (const auto& job : world.cluster.jobs) {
    if (!job.failed || job.terminating) continue;
    return engine::Blocked{
        Kind::stopped,
        fmt::format("job {}/{} that makes instance {} failed", world.cluster.ns, job.name, job.instance),
        {fmt::format("kubectl logs -n {} job/{}", world.cluster.ns, job.name),
         fmt::format(
             "once the cause is removed: kubectl delete job -n {} {}, then run the same command again",
             world.cluster.ns, job.name)}};
  }
  for (const auto& claim : world.cluster.claims) {
    if (claim.phase != "Pending") continue;
    Wait wait = wait_on(world, "volume of claim " + claim.uid,
                        claim.storage_class == world.to.name ? "the provisioner " + world.to.provisioner
                                                             : "the provisioner of " + claim.storage_class,
                        fmt::format("claim {} gets a volume of class {}", claim.name, claim.storage_class));
    return about(std::move(wait), world, claim.uid);
  }
  for (const auto& job : world.cluster.jobs) {
    if (job.complete || job.terminating) continue;
    Wait wait =
        wait_on(world, "job " + job.uid, k_operator,
                fmt::format("instance {} copies the database from the primary ({})", job.instance, job.role),
                k_join_deadline);
    wait.nudge = checkpoint(world);
    wait.nudge_after = Seconds(2);
    wait.nudge_every = Seconds(5);
    return about(std::move(wait), world, job.uid);
  }
  return std::nullopt;
}

// An instance is missing altogether: the operator has yet to begin, or has forgotten it (facts 10).
std::optional<Next> wait_for_missing(const PostgresWorld& world) {
  const int exist = static_cast<int>(instances_of(world).size());
  if (exist == world.cluster.instances) return std::nullopt;
  Wait wait =
      exist < world.cluster.instances
          ? wait_on(
                world, fmt::format("new instance beside {}", join(instances_of(world), ",")), k_operator,
                fmt::format("{} of {} instances exist, a new one is made", exist, world.cluster.instances))
          : wait_on(world, "one instance less", k_operator,
                    fmt::format("{} instances exist, {} are wanted", exist, world.cluster.instances));
  wait.nudge = touch_cluster(world);
  wait.nudge_after = Seconds(10);
  return wait;
}

std::optional<Next> wait_for_primary(const PostgresWorld& world) {
  const cnpg::ClusterState& cluster = world.cluster;
  if (!cluster.current_primary.empty() && cluster.current_primary == cluster.target_primary)
    return std::nullopt;
  return wait_on(
      world, "primary " + cluster.target_primary, k_operator,
      cluster.current_primary.empty()
          ? "the cluster has no primary"
          : fmt::format("the primary moves from {} to {}", cluster.current_primary, cluster.target_primary),
      k_switchover_deadline);
}

std::optional<Next> wait_for_pods(const PostgresWorld& world) {
  for (const auto& pod : world.cluster.pods) {
    if (pod.ready) continue;
    std::string why = fmt::format("pod {} becomes ready", pod.name);
    if (!pod.waiting_reason.empty()) why += " (" + printable(pod.waiting_reason) + ")";
    return about(wait_on(world, "pod " + pod.uid, "the kubelet", std::move(why), Seconds(1800)), world,
                 pod.uid);
  }
  if (world.pods_with_fs_group > 0) {
    return wait_on(
        world, "restart without fsGroup", k_operator,
        fmt::format("{} to be restarted without fsGroup",
                    count_of(static_cast<std::size_t>(world.pods_with_fs_group), "pod is", "pods are")),
        k_switchover_deadline);
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> not_settled_because(const PostgresWorld& world) {
  std::vector<std::string> why = cnpg::unhealthy_because(world.cluster);
  const std::vector<std::string> names = instances_of(world);
  if (static_cast<int>(names.size()) != world.cluster.instances) {
    why.push_back(fmt::format("{} instances have a claim or pod, {} are wanted", names.size(),
                              world.cluster.instances));
  }
  for (const std::string& name : names) {
    const cnpg::InstancePod* pod = cnpg::find_pod(world.cluster, name);
    if (pod == nullptr || !pod->ready) why.push_back("instance " + name + " has no ready pod");
    if (cnpg::claims_of(world.cluster, name).empty()) why.push_back("instance " + name + " has no claim");
  }
  for (const auto& claim : world.cluster.claims) {
    if (find_volume(world, claim) == nullptr) why.push_back("claim " + claim.name + " has no volume");
  }
  if (world.pods_with_fs_group > 0) why.push_back("pods still run with fsGroup");
  return why;
}

std::optional<Next> wait_until_settled(const PostgresWorld& world) {
  const std::vector<std::string> why = not_settled_because(world);
  if (why.empty()) return std::nullopt;
  if (auto next = wait_for_removal(world)) return next;
  if (auto next = wait_for_jobs(world)) return next;
  if (cnpg::is_terminal_phase(world.cluster.phase)) {
    return engine::Blocked{
        Kind::stopped,
        fmt::format("cluster {} does not go on by itself: {}", full_name(world), join(why, "; ")),
        {fmt::format("kubectl describe cluster.postgresql.cnpg.io -n {} {}", world.cluster.ns,
                     world.cluster.name),
         "once it is healthy again, run the same command again"}};
  }
  if (auto next = wait_for_missing(world)) return next;
  if (auto next = wait_for_primary(world)) return next;
  if (auto next = wait_for_pods(world)) return next;
  return wait_on(world, "health of " + full_name(world), k_operator, join(why, "; "), Seconds(1800));
}

engine::Wait wait_for_canary(const PostgresWorld& world) {
  const bool bound = world.canary.claim_phase == "Bound";
  Wait wait = wait_on(world, "canary " + world.canary.pod_uid,
                      bound ? "the kubelet" : "the provisioner " + world.to.provisioner,
                      bound ? "the canary runs PostgreSQL on " + world.to.name
                            : "the canary's claim gets a volume of class " + world.to.name,
                      Seconds(300));
  if (bound && !world.canary.pod_waiting.empty())
    wait.why += " (" + printable(world.canary.pod_waiting) + ")";
  wait.movement += world.canary.claim_phase + world.canary.pod_phase + world.canary.pod_waiting;
  return about(std::move(wait), world, bound ? world.canary.pod_uid : world.canary.claim_uid);
}

engine::Wait wait_for_canary_gone(const PostgresWorld& world) {
  Wait wait =
      wait_on(world, "end of canary " + world.canary.pod_uid + world.canary.claim_uid, "the kubelet",
              world.canary.pod_uid.empty() ? "the canary's claim is removed" : "the canary's pod is removed",
              Seconds(300));
  wait.movement += world.canary.pod_uid + world.canary.claim_uid;
  return about(std::move(wait), world,
               world.canary.pod_uid.empty() ? world.canary.claim_uid : world.canary.pod_uid);
}

engine::Wait wait_for_backups(const PostgresWorld& world) {
  const std::string names = join(running_backups(world), ", ");
  Wait wait = wait_on(world, "backup " + names, k_operator, "backup " + names + " runs", Seconds(6 * 3600));
  wait.movement += names;
  return wait;
}

engine::Wait wait_for_databases(const PostgresWorld& world) {
  return wait_on(
      world, "answer of the primary", "PostgreSQL",
      "whether there are unlogged tables could not be asked: " + world.site.facts.databases_unknown_why,
      Seconds(300));
}

engine::Wait wait_for_replay(const PostgresWorld& world) {
  std::vector<std::string> parts;
  if (world.cluster.replication) {
    for (const auto& [name, row] : *world.cluster.replication) {
      parts.push_back(fmt::format("{} {}, {} bytes behind", name, row.state, row.lag_bytes));
    }
  }
  return wait_on(world, "replay", "PostgreSQL",
                 "no replica on the new class is in step with the primary" +
                     (parts.empty() ? "" : ": " + join(parts, "; ")),
                 Seconds(1800));
}

}  // namespace truenas::workflow
