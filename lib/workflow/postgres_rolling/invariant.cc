#include "lib/workflow/postgres_rolling/invariant.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/decide.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/waits.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using engine::Violation;
using Violations = std::vector<Violation>;

constexpr const char* k_deleted_is_retained = "a claim that is deleted has its volume on Retain";
constexpr const char* k_current_bytes = "the primary's bytes have a home that nothing deletes";
constexpr const char* k_one_at_a_time = "one instance at a time";
constexpr const char* k_replica_streams = "a replica streams while another one is replaced";

// Volumes that would go, or are gone, together with claims that are being deleted.
void check_deleted_claims(const PostgresWorld& world, Violations& broken) {
  for (const auto& claim : world.cluster.claims) {
    const cnpg::InstancePod* pod = cnpg::find_pod(world.cluster, claim.instance);
    const bool doomed = claim.terminating || (pod != nullptr && pod->marked_unrecoverable);
    const cnpg::InstanceVolume* volume = find_volume(world, claim);
    if (!doomed || volume == nullptr || volume->reclaim_policy == "Retain") continue;
    broken.push_back(
        {k_deleted_is_retained, fmt::format("claim {} is being deleted and persistentvolume {} is {}",
                                            claim.name, volume->name, volume->reclaim_policy)});
  }
}

// The primary's claims and volumes are all there. Bytes on a kept volume of a replaced instance are old: they
// never count here.
void check_primary(const PostgresWorld& world, const RollingOptions& options, Violations& broken) {
  const cnpg::ClusterState& cluster = world.cluster;
  if (cluster.current_primary.empty()) return;  // a failover is the operator's; nothing is touched meanwhile
  const auto claims = cnpg::claims_of(cluster, cluster.current_primary);
  if (claims.empty()) {
    broken.push_back({k_current_bytes, fmt::format("primary {} has no claim", cluster.current_primary)});
  }
  for (const cnpg::InstanceClaim* claim : claims) {
    const cnpg::InstanceVolume* volume = find_volume(world, *claim);
    if (volume == nullptr) {
      broken.push_back({k_current_bytes, fmt::format("claim {} of primary {} has no persistentvolume",
                                                     claim->name, cluster.current_primary)});
    } else if (volume->terminating) {
      broken.push_back({k_current_bytes, fmt::format("persistentvolume {} of primary {} is being deleted",
                                                     volume->name, cluster.current_primary)});
    } else if (volume->reclaim_policy != "Retain" && move_is_open(world, options) &&
               claim->storage_class == world.to.name) {
      broken.push_back(
          {k_current_bytes, fmt::format("persistentvolume {} of the new primary {} is {}", volume->name,
                                        cluster.current_primary, volume->reclaim_policy)});
    }
  }
}

void check_marks(const PostgresWorld& world, Violations& broken) {
  std::vector<std::string> marked;
  for (const auto& pod : world.cluster.pods) {
    if (pod.marked_unrecoverable) marked.push_back(pod.name);
  }
  if (marked.size() > 1) {
    broken.push_back({k_one_at_a_time, fmt::format("pods {} are marked unrecoverable", join(marked, ", "))});
  }
}

void guard_replacement(const PostgresWorld& world, const Step& step, Violations& broken) {
  const std::string instance = step.argument("instance");
  const cnpg::ClusterState& cluster = world.cluster;
  if (instance == cluster.current_primary || instance == cluster.target_primary) {
    broken.push_back({"the primary is never replaced", "instance " + instance});
  }
  if (!volumes_are_safe(world, instance)) {
    broken.push_back({k_deleted_is_retained, "a volume of instance " + instance + " is not Retain"});
  }
  if (!volumes_are_safe(world, cluster.current_primary)) {
    broken.push_back({k_current_bytes, "a volume of primary " + cluster.current_primary + " is not Retain"});
  }
  if (streaming_besides(world, instance) < 1) {
    broken.push_back({k_replica_streams, "besides instance " + instance + " no replica streams"});
  }
  for (const auto& pod : cluster.pods) {
    if (pod.name != instance && (pod.marked_unrecoverable || pod.terminating)) {
      broken.push_back({k_one_at_a_time, "instance " + pod.name + " is on its way out"});
    }
  }
  for (const auto& claim : cluster.claims) {
    if (claim.instance != instance && claim.terminating) {
      broken.push_back({k_one_at_a_time, "claim " + claim.name + " is being deleted"});
    }
  }
  const bool first = std::none_of(cluster.claims.begin(), cluster.claims.end(), [&](const auto& claim) {
    return claim.instance == instance && claim.terminating;
  });
  if (first && !not_settled_because(world).empty()) {
    broken.push_back(
        {k_one_at_a_time, "the cluster is not healthy: " + join(not_settled_because(world), "; ")});
  }
}

void guard_switchover(const PostgresWorld& world, const Step& step, Violations& broken) {
  const std::string to = step.argument("to");
  // A primary that is leaving is never settled: then only the next one must be sound.
  if (!primary_is_leaving(world) && !not_settled_because(world).empty()) {
    broken.push_back({"a switchover needs a healthy cluster", join(not_settled_because(world), "; ")});
  }
  if (!is_in_step(world, to))
    broken.push_back({"the next primary is in step", "instance " + to + " is behind"});
  if (!volumes_are_safe(world, to) || !volumes_are_safe(world, world.cluster.current_primary)) {
    broken.push_back({k_current_bytes, "a volume of the old or the next primary is not Retain"});
  }
}

void guard_scale_down(const PostgresWorld& world, const Step& step, Violations& broken) {
  const std::string victim = next_to_be_scaled_down(world);
  if (!world.facts.spare || std::to_string(*world.facts.spare) != step.argument("to")) {
    broken.push_back({"only an added spare is removed", "the journal knows of no spare to remove"});
  }
  if (!proof_holds(world)) broken.push_back({"nothing is removed before the proof", "there is no proof"});
  if (is_old(world, world.cluster.current_primary)) {
    broken.push_back({"the spare goes last", "the primary is still on the old class"});
  }
  for (const std::string& name : instances_of(world)) {
    if (!volumes_are_safe(world, name)) {
      broken.push_back({k_deleted_is_retained, "a volume of instance " + name + " is not Retain"});
    }
    if (name != victim && is_old(world, name)) {
      broken.push_back({"the spare goes last", "instance " + name + " is still on the old class"});
    }
  }
}

}  // namespace

Violations check_world(const PostgresWorld& world, const RollingOptions& options) {
  Violations broken;
  if (!world.found || world.cluster.terminating) return broken;
  check_deleted_claims(world, broken);
  check_primary(world, options, broken);
  check_marks(world, broken);
  if (broken.empty()) return broken;
  const engine::Next next = decide(world, options);
  const Step* repair = std::get_if<Step>(&next);
  if (repair != nullptr && repair->verb == "keep-volume") {
    const auto repairable = [](const Violation& violation) {
      return violation.rule != k_one_at_a_time && violation.detail.find(" is Delete") != std::string::npos;
    };
    std::erase_if(broken, repairable);
  }
  return broken;
}

Violations guard(const PostgresWorld& world, const RollingOptions& options, const Step& step) {
  Violations broken;
  if (step.verb == "note" || step.verb == "keep-volume") return broken;
  if (!move_is_open(world, options) && step.verb.find("canary") == std::string::npos) {
    broken.push_back({"the journal comes first", "no move is written down"});
  }
  if (step.verb == "mark-unrecoverable" || step.verb == "delete-claim" || step.verb == "delete-pod") {
    guard_replacement(world, step, broken);
  }
  if (step.verb == "switch-over") guard_switchover(world, step, broken);
  if (step.verb == "remove-spare") guard_scale_down(world, step, broken);
  return broken;
}

}  // namespace truenas::workflow
