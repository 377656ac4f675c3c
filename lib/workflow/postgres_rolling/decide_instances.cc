#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/decide.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"
#include "lib/workflow/postgres_rolling/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;

Next replace(const PostgresWorld& world, const std::string& instance) {
  if (!running_backups(world).empty()) return wait_for_backups(world);
  if (streaming_besides(world, instance) < 1) {
    return Blocked{
        Kind::stopped,
        fmt::format("replica {} is the only one that streams: replacing it would leave the primary alone",
                    instance),
        {"run the same command again: its plan adds a spare instance first"}};
  }
  if (operator_replaces_marked(world)) return mark_unrecoverable(world, instance);
  for (const auto& job : world.cluster.jobs) {
    if (job.instance == instance && job.complete && !job.terminating) return delete_job(world, job);
  }
  return delete_claim(world, *cnpg::claims_of(world.cluster, instance).front());
}

Next switch_over_from_old(const PostgresWorld& world) {
  if (!running_backups(world).empty()) return wait_for_backups(world);
  if (!world.site.facts.databases) return wait_for_databases(world);
  for (const std::string& name : instances_of(world)) {
    if (name == world.cluster.current_primary || is_old(world, name)) continue;
    if (is_in_step(world, name)) return switch_over(world, name);
  }
  return wait_for_replay(world);
}

// Claims that say the new class but lie on another driver's volume: the class was made anew, or lies.
std::optional<Next> refuse_wrong_driver(const PostgresWorld& world) {
  for (const auto& claim : world.cluster.claims) {
    const cnpg::InstanceVolume* volume = find_volume(world, claim);
    if (claim.storage_class != world.to.name || volume == nullptr || volume->driver == world.to.provisioner)
      continue;
    return Blocked{Kind::mismatch,
                   fmt::format("claim {}/{} has class {}, but its volume {} was made by {}, not {}",
                               world.cluster.ns, claim.name, claim.storage_class, volume->name,
                               quote(volume->driver), quote(world.to.provisioner)),
                   {fmt::format("kubectl get pv {} -o yaml", volume->name)}};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Next> rescue_primary(const PostgresWorld& world) {
  if (!primary_is_leaving(world) || world.cluster.current_primary != world.cluster.target_primary) {
    return std::nullopt;
  }
  for (const bool old_too : {false, true}) {
    for (const std::string& name : instances_of(world)) {
      if (name == world.cluster.current_primary || (!old_too && is_old(world, name))) continue;
      const cnpg::InstancePod* pod = cnpg::find_pod(world.cluster, name);
      if (pod != nullptr && pod->ready && !pod->terminating && is_in_step(world, name))
        return switch_over(world, name);
    }
  }
  return wait_for_replay(world);
}

std::optional<Next> finish_replacement(const PostgresWorld& world) {
  for (const auto& pod : world.cluster.pods) {
    const bool primary =
        pod.name == world.cluster.current_primary || pod.name == world.cluster.target_primary;
    if (primary || pod.terminating || pod.marked_unrecoverable || !is_old(world, pod.name)) continue;
    const cnpg::InstanceClaim* left = nullptr;
    bool begun = false;
    for (const cnpg::InstanceClaim* claim : cnpg::claims_of(world.cluster, pod.name)) {
      if (claim->terminating) begun = true;
      if (!claim->terminating && left == nullptr) left = claim;
    }
    if (!begun || streaming_besides(world, pod.name) < 1) continue;
    if (left != nullptr) {
      engine::Step step = delete_claim(world, *left);
      step.settle_polls = 1;  // it was decided when the first claim was deleted
      return step;
    }
    return delete_pod(world, pod);
  }
  return std::nullopt;
}

std::optional<Next> decide_instances(const PostgresWorld& world) {
  if (auto refusal = refuse_wrong_driver(world)) return refusal;
  const std::vector<std::string> old = old_replicas(world);
  const bool goes_anyway = spare_is_there(world) && old.size() == 1 &&
                           old[0] == next_to_be_scaled_down(world) &&
                           !is_old(world, world.cluster.current_primary);
  if (!old.empty() && !goes_anyway) return replace(world, old.front());
  if (is_old(world, world.cluster.current_primary)) return switch_over_from_old(world);
  return std::nullopt;
}

Next decide_ending(const PostgresWorld& world, const RollingOptions& options) {
  if (move_is_open(world, options)) {
    if (!proof_holds(world) && !world.memory.proof_failed.empty()) {
      return Blocked{world.memory.proof_kind, world.memory.proof_failed, world.memory.proof_hints};
    }
    if (!proof_holds(world)) return prove(world, options);
    if (spare_is_there(world)) return remove_spare(world);
    return note_end(world);
  }
  std::size_t kept = 0;
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (volume.storage_class == world.from.name && is_kept(volume)) ++kept;
  }
  return engine::Done{fmt::format("every instance of cluster {} runs on {}; {} on {} kept until --finalize",
                                  full_name(world), world.to.name, count_of(kept, "volume", "volumes"),
                                  world.from.name)};
}

}  // namespace truenas::workflow
