// What the CloudNativePG operator, the provisioner, the kubelet and the volume controller do next.

#include <fmt/format.h>

#include <algorithm>

#include "lib/workflow/postgres_rolling/project.h"
#include "lib/workflow/postgres_rolling/queries.h"

namespace truenas::workflow {
namespace {

constexpr const char* k_healthy = "Cluster in healthy state";

void release(PostgresWorld& world, const cnpg::InstanceClaim& claim) {
  const auto found = world.cluster.volumes.find(claim.volume);
  if (found == world.cluster.volumes.end()) return;
  if (found->second.reclaim_policy == "Retain") {
    found->second.phase = "Released";
  } else {
    world.cluster.volumes.erase(found);  // the driver deletes it, and the bytes with it
  }
}

// The operator destroys what is marked, the kubelet stops Pods, the volume controller lets claims go.
bool advance_removal(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  for (auto& pod : cluster.pods) {
    if (!pod.marked_unrecoverable || pod.terminating) continue;
    if (pod.name == cluster.current_primary || pod.name == cluster.target_primary) continue;
    if (!operator_replaces_marked(world)) continue;
    pod.terminating = true;
    for (auto& claim : cluster.claims) {
      if (claim.instance == pod.name) claim.terminating = true;
    }
    return true;
  }
  const auto stopped =
      std::find_if(cluster.pods.begin(), cluster.pods.end(), [](const auto& pod) { return pod.terminating; });
  if (stopped != cluster.pods.end()) {
    if (cluster.replication) cluster.replication->erase(stopped->name);
    cluster.pods.erase(stopped);
    return true;
  }
  for (std::size_t i = 0; i < cluster.claims.size(); ++i) {
    if (!cluster.claims[i].terminating || cnpg::find_pod(cluster, cluster.claims[i].instance) != nullptr)
      continue;
    release(world, cluster.claims[i]);
    cluster.claims.erase(cluster.claims.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
  }
  return false;
}

std::string class_for(const PostgresWorld& world, const cnpg::InstanceClaim& pattern) {
  const std::string prefix = pattern.role == "PG_WAL"          ? "/spec/walStorage"
                             : pattern.role == "PG_TABLESPACE" ? "/spec/tablespaces"
                                                               : "/spec/storage";
  for (const auto& setting : world.cluster.storage) {
    if (setting.pointer.starts_with(prefix)) return setting.storage_class;
  }
  return pattern.storage_class;
}

std::string new_name(PostgresWorld& world) {
  int serial = 1;
  const std::vector<std::string> names = instances_of(world);
  const auto taken = [&](int n) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return serial_of(name) == n; });
  };
  while (taken(serial)) ++serial;
  if (!operator_recycles_numbers(world)) serial = world.last_serial + 1;
  world.last_serial = std::max(world.last_serial, serial);
  return fmt::format("{}-{}", world.cluster.name, serial);
}

bool advance_new_instance(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  if (!cluster.jobs.empty() || cluster.current_primary != cluster.target_primary) return false;
  if (static_cast<int>(instances_of(world).size()) >= cluster.instances) return false;
  const std::string name = new_name(world);
  std::vector<cnpg::InstanceClaim> fresh;
  for (const cnpg::InstanceClaim* pattern : cnpg::claims_of(cluster, cluster.current_primary)) {
    cnpg::InstanceClaim claim = *pattern;
    claim.name = name + pattern->name.substr(pattern->instance.size());
    claim.instance = name;
    claim.storage_class = class_for(world, *pattern);
    // Its uid tells it from every other claim of that name: the number of volumes made so far.
    claim.uid = fmt::format("claim-{}-{}", claim.name, cluster.volumes.size() + fresh.size());
    claim.phase = "Pending";
    claim.pvc_status = "initializing";
    claim.volume = "";
    claim.terminating = false;
    fresh.push_back(std::move(claim));
  }
  cluster.claims.insert(cluster.claims.end(), fresh.begin(), fresh.end());
  cluster.jobs.push_back({name + "-join", "job-" + fresh.front().uid, name, "join", false, false, false});
  return true;
}

bool advance_binding(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  for (auto& claim : cluster.claims) {
    if (claim.phase != "Pending" || claim.terminating) continue;
    const StorageClassState& source = claim.storage_class == world.from.name ? world.from : world.to;
    cnpg::InstanceVolume volume;
    volume.name = fmt::format("volume of {}", claim.uid);
    volume.driver = source.provisioner;
    volume.storage_class = claim.storage_class;
    volume.reclaim_policy = source.reclaim_policy;
    volume.phase = "Bound";
    volume.claim_ns = cluster.ns;
    volume.claim_name = claim.name;
    volume.claim_uid = claim.uid;
    claim.phase = "Bound";
    claim.volume = volume.name;
    cluster.volumes.emplace(volume.name, std::move(volume));
    return true;
  }
  return false;
}

bool advance_start(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  if (!cluster.jobs.empty()) {
    const std::string instance = cluster.jobs.front().instance;
    if (cluster.jobs.front().failed) return false;
    cluster.jobs.erase(cluster.jobs.begin());
    // A finished job is seen beside its instance for a while; one of an instance that is gone makes nothing.
    if (cnpg::find_pod(cluster, instance) != nullptr || cnpg::claims_of(cluster, instance).empty())
      return true;
    cnpg::InstancePod pod;
    pod.name = instance;
    pod.uid = "pod-" + cnpg::claims_of(cluster, instance).front()->uid;
    pod.role = "replica";
    pod.phase = "Running";
    cluster.pods.push_back(std::move(pod));
    for (auto& claim : cluster.claims) claim.pvc_status = "ready";
    return true;
  }
  for (auto& pod : cluster.pods) {
    if (pod.ready) continue;
    pod.ready = true;
    if (cluster.replication && pod.name != cluster.current_primary)
      (*cluster.replication)[pod.name] = {"streaming", 0};
    return true;
  }
  return false;
}

bool advance_roles(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  if (cluster.current_primary != cluster.target_primary) {
    if (cluster.replication) {
      cluster.replication->erase(cluster.target_primary);
      (*cluster.replication)[cluster.current_primary] = {"streaming", 0};
    }
    cluster.current_primary = cluster.target_primary;
    ++cluster.timeline;
    for (auto& pod : cluster.pods) pod.role = pod.name == cluster.current_primary ? "primary" : "replica";
    return true;
  }
  if (static_cast<int>(instances_of(world).size()) > cluster.instances) {
    const std::string victim = next_to_be_scaled_down(world);
    for (auto& pod : cluster.pods) pod.terminating = pod.terminating || pod.name == victim;
    for (auto& claim : cluster.claims) claim.terminating = claim.terminating || claim.instance == victim;
    return !victim.empty();
  }
  if (world.pods_with_fs_group > 0) {
    world.pods_with_fs_group = 0;
    return true;
  }
  if (cluster.replication) {
    for (const auto& pod : cluster.pods) {
      if (pod.name == cluster.current_primary || is_in_step(world, pod.name)) continue;
      (*cluster.replication)[pod.name] = {"streaming", 0};
      return true;
    }
  }
  if (std::any_of(world.site.facts.backups.begin(), world.site.facts.backups.end(),
                  [](const auto& backup) { return backup.running; })) {
    for (auto& backup : world.site.facts.backups) backup.running = false;
    return true;
  }
  return false;
}

// Nothing moves any more, so what was seen was the operator's status lagging behind, or a primary that could
// not be asked at that moment: both catch up.
void catch_up(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  std::erase_if(cluster.jobs, [](const auto& job) { return job.complete || job.terminating; });
  for (auto* claims : {&cluster.dangling, &cluster.initializing, &cluster.unusable, &cluster.resizing})
    claims->clear();
  if (!cluster.replication) {
    cluster.replication.emplace();
    for (const auto& pod : cluster.pods) {
      if (pod.name != cluster.current_primary) (*cluster.replication)[pod.name] = {"streaming", 0};
    }
  }
  if (!world.site.facts.databases) world.site.facts.databases.emplace();
}

}  // namespace

void refresh_status(PostgresWorld& world) {
  cnpg::ClusterState& cluster = world.cluster;
  cluster.instance_names = instances_of(world);
  cluster.ready_instances =
      static_cast<int>(std::count_if(cluster.pods.begin(), cluster.pods.end(),
                                     [](const auto& pod) { return pod.ready && !pod.terminating; }));
  const bool complete = cluster.ready_instances == cluster.instances &&
                        static_cast<int>(cluster.instance_names.size()) == cluster.instances;
  cluster.phase = cluster.current_primary != cluster.target_primary ? "Switchover in progress"
                  : complete && cluster.jobs.empty()                ? k_healthy
                                                                    : "Creating a new replica";
}

PostgresWorld advance_neighbours(PostgresWorld world) {
  const bool moved = advance_canary(world) || advance_removal(world) || advance_roles(world) ||
                     advance_binding(world) || advance_start(world) || advance_new_instance(world);
  if (!moved) catch_up(world);
  refresh_status(world);
  return world;
}

}  // namespace truenas::workflow
