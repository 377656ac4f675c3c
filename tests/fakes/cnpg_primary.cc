// Who is the primary in the CNPG model, and what the operator says about it.

#include <fmt/format.h>

#include <algorithm>

#include "tests/fakes/cnpg_work.h"

namespace truenas::fakes {
namespace {

using json::Value;

Value names(const std::vector<std::string>& list) {
  Value array = Value::array();
  for (const std::string& name : list) array.push_back(name);
  return array;
}

}  // namespace

// Switchover when somebody named another target, failover when the primary stayed away. True while either
// goes on.
bool CnpgModel::change_primary(Work& work) {
  Memory& memory = work.memory;
  const Instance* primary = work.find(work.current());
  if (!work.current().empty() && work.target() != work.current() && work.target() != "pending") {
    const Instance* target = work.find(work.target());
    work.phase = k_switchover;
    work.phase_reason = "Switching over to " + work.target();
    if (target == nullptr || !target->ready) return true;
    if (memory.switchover_left < 0) memory.switchover_left = options.switchover_ticks;
    if (--memory.switchover_left > 0) return true;
    memory.switchover_left = -1;
    // A clean shutdown of the old primary sends everything; a replica that stands still gets none of it.
    if (primary != nullptr && primary->ready && !lagging.contains(target->name)) {
      const std::vector<Dataset*> source = datasets_of(work.key, primary->name);
      for (Dataset* dataset : datasets_of(work.key, target->name)) {
        if (!source.empty()) dataset->value = source.front()->value;
      }
    }
    promote(work, work.target());
    return true;
  }
  const bool away = !work.current().empty() && (primary == nullptr || !primary->ready);
  memory.primary_away = away ? memory.primary_away + 1 : 0;
  if (!away || memory.primary_away <= options.failover_ticks) return false;
  work.phase = k_failing_over;
  const Instance* best = nullptr;
  for (const Instance& candidate : work.instances) {
    if (!candidate.ready || candidate.name == work.current()) continue;
    const auto value = [&](const Instance& one) {
      const std::vector<Dataset*> datasets = datasets_of(work.key, one.name);
      return datasets.empty() ? -1 : datasets.front()->value;
    };
    if (best == nullptr || value(candidate) > value(*best)) best = &candidate;
  }
  if (best == nullptr) return false;  // nobody can take over: its own Pod may come back
  promote(work, best->name);
  return true;
}

void CnpgModel::promote(Work& work, const std::string& name) {
  const std::string promoted = name;
  work.cluster.set_at("/status/currentPrimary", promoted);
  work.cluster.set_at("/status/targetPrimary", promoted);
  work.cluster.set_at("/status/currentPrimaryTimestamp", store_.timestamp());
  work.cluster.set_at("/status/timelineID", work.cluster.integer_at("/status/timelineID", 1) + 1);
  work.memory.primary_away = 0;
  work.phase = k_waiting;
  work.phase_reason.clear();
}

void CnpgModel::label_roles(Work& work) {
  for (const Instance& instance : work.instances) {
    const std::string role = instance.name == work.current() ? "primary" : "replica";
    const auto label = [&](Value& object) {
      object.set_at("/metadata/labels/cnpg.io~1instanceRole", role);
      object.set_at("/metadata/labels/role", role);
    };
    store_.update(pod_key(work.key.ns, instance.name), label);
    for (const Key& claim : instance.claims) store_.update(claim, label);
  }
}

void CnpgModel::write_status(Work& work) {
  std::vector<std::string> instances, healthy, initializing, dangling;
  int ready = 0;
  for (const Instance& instance : work.instances) {
    if (instance.claims_leaving) continue;
    instances.push_back(instance.name);
    ready += instance.ready ? 1 : 0;
    const bool joining = instance.job != nullptr && !has_condition(*instance.job, "Complete");
    for (const Key& claim : instance.claims) {
      (instance.pod != nullptr ? healthy : joining ? initializing : dangling).push_back(claim.name);
    }
  }
  const int wanted = static_cast<int>(work.cluster.integer_at("/spec/instances", 1));
  const bool all_ready = ready == wanted && static_cast<int>(instances.size()) == wanted;
  const bool leaving = std::any_of(work.instances.begin(), work.instances.end(),
                                   [](const Instance& one) { return one.claims_leaving; });
  if (all_ready && !leaving && work.current() == work.target() && !work.current().empty()) {
    work.phase = k_healthy;
    work.phase_reason.clear();
  } else if (work.phase == k_healthy) {
    work.phase = k_waiting;
  }
  store_.update(work.key, [&](Value& cluster) {
    const Value* status = work.cluster.find("status");
    if (status != nullptr) {
      for (std::string_view field :
           {"currentPrimary", "targetPrimary", "timelineID", "systemID", "currentPrimaryTimestamp"}) {
        if (const Value* value = status->find(field)) cluster.set_at("/status/" + std::string(field), *value);
      }
    }
    cluster.set_at("/status/phase", work.phase);
    if (work.phase_reason.empty()) {
      cluster.remove_at("/status/phaseReason");
    } else {
      cluster.set_at("/status/phaseReason", work.phase_reason);
    }
    const std::string& image = cluster.text_at("/spec/imageName");
    cluster.set_at("/status/image", image.empty() ? "ghcr.io/cloudnative-pg/postgresql:15.18" : image);
    cluster.set_at("/status/instances", static_cast<int>(instances.size()));
    cluster.set_at("/status/readyInstances", ready);
    cluster.set_at("/status/pvcCount",
                   static_cast<int>(healthy.size() + initializing.size() + dangling.size()));
    cluster.set_at("/status/instanceNames", names(instances));
    for (const auto& [field, list] :
         {std::pair("healthyPVC", healthy), std::pair("initializingPVC", initializing),
          std::pair("danglingPVC", dangling)}) {
      if (list.empty()) {
        cluster.remove_at(std::string("/status/") + field);
      } else {
        cluster.set_at(std::string("/status/") + field, names(list));
      }
    }
    set_condition(cluster, "Ready", work.phase == k_healthy,
                  work.phase == k_healthy ? "ClusterIsReady" : "ClusterIsNotReady");
  });
}

std::string CnpgModel::replication_rows(const Key& pod) {
  const std::string& cluster_name = kube::label_of(*store_.find(pod), "cnpg.io/cluster");
  const Key key = key_of(kube::k_cluster, pod.ns, cluster_name);
  const Value* cluster = store_.find(key);
  if (cluster == nullptr) return {};
  const std::vector<Dataset*> source = datasets_of(key, pod.name);
  std::string rows;
  for (const Instance& instance : instances_of(*cluster)) {
    if (instance.name == pod.name || !instance.ready || source.empty()) continue;
    const std::vector<Dataset*> copy = datasets_of(key, instance.name);
    if (copy.empty()) continue;
    const bool stands = lagging.contains(instance.name);
    // 16 MiB behind for each write that has not arrived: one WAL segment.
    const std::int64_t behind = (source.front()->value - copy.front()->value) * (stands ? 16777216 : 0);
    rows += fmt::format("{},streaming,{}\n", instance.name, behind);
  }
  return rows;
}

}  // namespace truenas::fakes
