#include "lib/workflow/postgres_rolling/queries.h"

#include <algorithm>
#include <set>

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/storage/volume.h"

namespace truenas::workflow {
namespace {

bool operator_is_at_least(const PostgresWorld& world, std::string_view version) {
  const auto& known = world.site.facts.operator_version;
  return known && !cnpg::version_less(*known, version);
}

}  // namespace

int serial_of(const std::string& instance) {
  const std::size_t dash = instance.rfind('-');
  return dash == std::string::npos ? 0 : leading_number(instance.substr(dash + 1));
}

std::vector<std::string> instances_of(const PostgresWorld& world) {
  std::set<std::string> names;
  for (const auto& claim : world.cluster.claims) names.insert(claim.instance);
  for (const auto& pod : world.cluster.pods) names.insert(pod.name);
  std::vector<std::string> sorted(names.begin(), names.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const std::string& a, const std::string& b) { return serial_of(a) < serial_of(b); });
  return sorted;
}

const cnpg::InstanceVolume* find_volume(const PostgresWorld& world, const cnpg::InstanceClaim& claim) {
  const auto found = world.cluster.volumes.find(claim.volume);
  return claim.volume.empty() || found == world.cluster.volumes.end() ? nullptr : &found->second;
}

bool is_kept(const cnpg::InstanceVolume& volume) {
  return volume.reclaim_policy == "Retain" && volume.kept;
}

bool volumes_are_safe(const PostgresWorld& world, const std::string& instance) {
  bool any = false;
  for (const auto& claim : world.cluster.claims) {
    if (claim.instance != instance) continue;
    const cnpg::InstanceVolume* volume = find_volume(world, claim);
    if (volume == nullptr || volume->reclaim_policy != "Retain" || volume->terminating) return false;
    any = true;
  }
  return any;
}

bool is_old(const PostgresWorld& world, const std::string& instance) {
  return std::any_of(world.cluster.claims.begin(), world.cluster.claims.end(), [&](const auto& claim) {
    return claim.instance == instance && claim.storage_class == world.from.name;
  });
}

std::vector<std::string> old_replicas(const PostgresWorld& world) {
  std::vector<std::string> found;
  for (const std::string& name : instances_of(world)) {
    if (name == world.cluster.current_primary || name == world.cluster.target_primary) continue;
    if (is_old(world, name)) found.insert(found.begin(), name);
  }
  return found;
}

bool is_streaming(const PostgresWorld& world, const std::string& instance) {
  if (!world.cluster.replication) return false;
  const auto found = world.cluster.replication->find(instance);
  return found != world.cluster.replication->end() && found->second.state == "streaming";
}

bool is_in_step(const PostgresWorld& world, const std::string& instance) {
  if (!is_streaming(world, instance)) return false;
  const std::int64_t lag = world.cluster.replication->at(instance).lag_bytes;
  return lag >= 0 && lag < k_lag_limit;
}

int streaming_besides(const PostgresWorld& world, const std::string& instance) {
  int count = 0;
  for (const std::string& name : instances_of(world)) {
    if (name != instance && name != world.cluster.current_primary && is_streaming(world, name)) ++count;
  }
  return count;
}

std::string next_to_be_scaled_down(const PostgresWorld& world) {
  std::string found;
  for (const std::string& name : instances_of(world)) {
    const cnpg::InstancePod* pod = cnpg::find_pod(world.cluster, name);
    if (name == world.cluster.current_primary || pod == nullptr || !pod->ready) continue;
    if (found.empty() || serial_of(name) > serial_of(found)) found = name;
  }
  return found;
}

bool work_is_left(const PostgresWorld& world) {
  const auto old_setting = [&](const auto& setting) { return setting.storage_class == world.from.name; };
  const auto old_claim = [&](const auto& claim) { return claim.storage_class == world.from.name; };
  return std::any_of(world.cluster.storage.begin(), world.cluster.storage.end(), old_setting) ||
         std::any_of(world.cluster.claims.begin(), world.cluster.claims.end(), old_claim);
}

bool move_is_open(const PostgresWorld& world, const RollingOptions& options) {
  const MoveFacts& facts = world.facts;
  return facts.number > 0 && !facts.ended && facts.from_class == options.from_class &&
         facts.to_class == options.to_class;
}

bool has_moved(const PostgresWorld& world) {
  const auto new_setting = [&](const auto& setting) { return setting.storage_class == world.to.name; };
  const auto new_claim = [&](const auto& claim) { return claim.storage_class == world.to.name; };
  return std::any_of(world.cluster.storage.begin(), world.cluster.storage.end(), new_setting) ||
         std::any_of(world.cluster.claims.begin(), world.cluster.claims.end(), new_claim);
}

bool primary_is_leaving(const PostgresWorld& world) {
  const auto& claims = world.cluster.claims;
  return std::any_of(claims.begin(), claims.end(), [&](const auto& claim) {
    return claim.instance == world.cluster.current_primary && claim.terminating;
  });
}

bool proof_holds(const PostgresWorld& world) {
  const auto& claims = world.cluster.claims;
  return !world.facts.proof.empty() && std::all_of(claims.begin(), claims.end(), [&](const auto& claim) {
    return world.facts.proof_volumes.contains(claim.volume);
  });
}

bool spare_is_there(const PostgresWorld& world) {
  return world.facts.spare && world.cluster.instances == *world.facts.spare + 1;
}

bool operator_replaces_marked(const PostgresWorld& world) {
  return operator_is_at_least(world, "1.28");
}

bool operator_recycles_numbers(const PostgresWorld& world) {
  return operator_is_at_least(world, "1.30");
}

std::vector<std::string> running_backups(const PostgresWorld& world) {
  std::vector<std::string> names;
  for (const auto& backup : world.site.facts.backups) {
    if (backup.running) names.push_back(backup.name);
  }
  return names;
}

std::vector<std::string> unlogged_relations(const PostgresWorld& world) {
  std::vector<std::string> names;
  if (!world.site.facts.databases) return names;
  for (const auto& relation : world.site.facts.databases->unlogged) {
    names.push_back(printable(relation.database + ": " + relation.name));
  }
  return names;
}

std::string full_name(const PostgresWorld& world) {
  return world.cluster.ns + "/" + world.cluster.name;
}

}  // namespace truenas::workflow
