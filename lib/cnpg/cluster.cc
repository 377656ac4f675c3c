#include "lib/cnpg/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lib/base/text.h"

namespace truenas::cnpg {
namespace {

constexpr std::string_view k_healthy_phase = "Cluster in healthy state";

void check_status(const ClusterState& cluster, std::vector<std::string>& why) {
  if (cluster.terminating) why.push_back("the Cluster is being deleted");
  if (cluster.phase != k_healthy_phase) {
    why.push_back(fmt::format("phase is \"{}\"{}", printable(cluster.phase),
                              cluster.phase_reason.empty() ? "" : ": " + printable(cluster.phase_reason)));
  }
  if (cluster.ready_instances != cluster.instances) {
    why.push_back(fmt::format("{} of {} instances are ready", cluster.ready_instances, cluster.instances));
  }
  if (cluster.instance_names.size() != static_cast<std::size_t>(std::max(cluster.instances, 0))) {
    why.push_back(
        fmt::format("{} instances exist, {} are wanted", cluster.instance_names.size(), cluster.instances));
  }
  if (cluster.current_primary.empty()) {
    why.push_back("there is no primary");
  } else if (cluster.current_primary != cluster.target_primary) {
    why.push_back(
        fmt::format("the primary moves from {} to {}", cluster.current_primary, cluster.target_primary));
  }
  const std::array<std::pair<const std::vector<std::string>*, std::string_view>, 3> groups{
      {{&cluster.dangling, "dangling"},
       {&cluster.initializing, "initializing"},
       {&cluster.unusable, "unusable"}}};
  for (const auto& [claims, word] : groups) {
    if (!claims->empty()) why.push_back(fmt::format("claims are {}: {}", word, join(*claims, ", ")));
  }
}

void check_objects(const ClusterState& cluster, std::vector<std::string>& why) {
  for (const InstanceJob& job : cluster.jobs) {
    if (job.failed) {
      why.push_back(fmt::format("job {} failed", job.name));
    } else if (!job.complete && !job.terminating) {
      why.push_back(fmt::format("job {} is running", job.name));
    }
  }
  for (const InstanceClaim& claim : cluster.claims) {
    if (claim.terminating) why.push_back(fmt::format("claim {} is being deleted", claim.name));
  }
  for (const InstancePod& pod : cluster.pods) {
    if (pod.terminating) {
      why.push_back(fmt::format("pod {} is being deleted", pod.name));
    } else if (pod.marked_unrecoverable) {
      why.push_back(fmt::format("pod {} is marked unrecoverable", pod.name));
    }
  }
  for (const std::string& instance : cluster.instance_names) {
    const InstancePod* pod = find_pod(cluster, instance);
    if (pod == nullptr) {
      why.push_back(fmt::format("instance {} has no pod", instance));
    } else if (!pod->ready && !pod->terminating) {
      why.push_back(
          fmt::format("pod {} is not ready{}", pod->name,
                      pod->waiting_reason.empty() ? "" : " (" + printable(pod->waiting_reason) + ")"));
    }
  }
}

void check_replication(const ClusterState& cluster, std::vector<std::string>& why) {
  // Without a primary that is the finding; whom replicas should follow is not known.
  if (cluster.instance_names.size() <= 1 || cluster.current_primary.empty()) return;
  if (!cluster.replication) {
    why.push_back(fmt::format("replication is unknown: {}", cluster.replication_unknown_why.empty()
                                                                ? "the primary was not asked"
                                                                : cluster.replication_unknown_why));
    return;
  }
  for (const std::string& instance : cluster.instance_names) {
    if (instance == cluster.current_primary) continue;
    const auto row = cluster.replication->find(instance);
    if (row == cluster.replication->end()) {
      why.push_back(fmt::format("replica {} is not connected to the primary", instance));
    } else if (row->second.state != "streaming") {
      why.push_back(
          fmt::format("replica {} does not stream (state \"{}\")", instance, printable(row->second.state)));
    } else if (row->second.lag_bytes < 0) {
      // What pg_basebackup's own WAL stream looks like while an instance joins: connected, never replaying.
      why.push_back(fmt::format("replica {} has not said how far it has replayed", instance));
    }
  }
}

}  // namespace

std::vector<std::string> unhealthy_because(const ClusterState& cluster) {
  std::vector<std::string> why;
  check_status(cluster, why);
  check_objects(cluster, why);
  check_replication(cluster, why);
  return why;
}

bool is_terminal_phase(std::string_view phase) {
  static const std::set<std::string_view> k_terminal{
      "Cluster is unrecoverable and needs manual intervention",
      "Cluster has incomplete or invalid image catalog",
      "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
      "Cluster cannot execute instance online upgrade due to missing architecture binary",
      "Invalid cluster definition",
      "Unable to create required cluster objects",
      "Waiting for user action",
      "Not enough disk space",
  };
  return k_terminal.contains(phase);
}

const InstancePod* find_pod(const ClusterState& cluster, std::string_view instance) {
  const auto found = std::ranges::find(cluster.pods, instance, &InstancePod::name);
  return found == cluster.pods.end() ? nullptr : &*found;
}

std::vector<const InstanceClaim*> claims_of(const ClusterState& cluster, std::string_view instance) {
  std::vector<const InstanceClaim*> claims;
  for (const InstanceClaim& claim : cluster.claims) {
    if (claim.instance == instance) claims.push_back(&claim);
  }
  return claims;
}

}  // namespace truenas::cnpg
