#include "tests/fakes/cnpg_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tests/fakes/cnpg_work.h"

namespace truenas::fakes {

using json::Value;

void CnpgModel::tick() {
  for (const Key& key : store_.keys("postgresql.cnpg.io", "clusters")) reconcile(key);
}

std::vector<CnpgModel::Instance> CnpgModel::instances_of(const Value& cluster) const {
  const std::string& ns = cluster.text_at("/metadata/namespace");
  std::map<int, Instance> by_serial;
  for (const Key& key : store_.keys("", "persistentvolumeclaims", ns)) {
    const Value* claim = store_.find(key);
    if (!is_controlled_by(*claim, uid_of(cluster))) continue;
    const std::string& name = kube::label_of(*claim, "cnpg.io/instanceName");
    int serial = 0;
    const std::string digits = name.substr(std::min(name.size(), name_of(cluster).size() + 1));
    std::from_chars(digits.data(), digits.data() + digits.size(), serial);
    Instance& instance = by_serial[serial];
    instance.name = name;
    instance.serial = serial;
    instance.claims.push_back(key);
    instance.claims_leaving = instance.claims_leaving || is_being_deleted(*claim);
    instance.claims_bound = instance.claims_bound && claim->text_at("/status/phase") == "Bound";
    instance.claims_ready =
        instance.claims_ready && kube::annotation_of(*claim, "cnpg.io/pvcStatus") == "ready";
    instance.pod = store_.find(pod_key(ns, name));
    instance.ready =
        instance.pod != nullptr && !is_being_deleted(*instance.pod) && has_condition(*instance.pod, "Ready");
    for (std::string_view role : {"initdb", "join"}) {
      const Value* job = store_.find(key_of(kube::k_job, ns, fmt::format("{}-{}", name, role)));
      if (job != nullptr && !is_being_deleted(*job)) instance.job = job;
    }
  }
  std::vector<Instance> instances;
  for (auto& [serial, instance] : by_serial) instances.push_back(std::move(instance));
  return instances;
}

// Hibernation, fencing, supervised updates and replica clusters are not modelled: a plan refuses them.
void CnpgModel::reconcile(const Key& key) {
  const Value cluster = *store_.find(key);
  if (is_being_deleted(cluster)) return;
  if (kube::annotation_of(cluster, "cnpg.io/reconciliationLoop") == "disabled") return;
  Work work{key, cluster, memory_[uid_of(cluster)], instances_of(cluster), "", ""};
  work.phase = cluster.text_at("/status/phase");
  replicate(work);
  if (work.memory.lock_left > 0) --work.memory.lock_left;
  if (work.instances.empty() && work.current().empty()) {
    bootstrap(work);
    return write_status(work);
  }
  const bool moved = destroy_unrecoverable(work) || change_primary(work) || finish_joins(work);
  if (moved) work.instances = instances_of(cluster);
  create_pods(work);
  work.instances = instances_of(cluster);
  if (!moved) scale(work);
  work.instances = instances_of(cluster);
  label_roles(work);
  write_status(work);
}

// Streaming replicas follow what the primary held when the reconciliation began.
void CnpgModel::replicate(Work& work) {
  const Instance* primary = work.find(work.current());
  if (primary == nullptr || !primary->ready) return;
  const std::vector<Dataset*> source = datasets_of(work.key, primary->name);
  if (source.empty()) return;
  for (const Instance& replica : work.instances) {
    if (replica.name == primary->name || !replica.ready || lagging.contains(replica.name)) continue;
    for (Dataset* dataset : datasets_of(work.key, replica.name)) dataset->value = source.front()->value;
  }
}

std::vector<Dataset*> CnpgModel::datasets_of(const Key& cluster, const std::string& instance) {
  std::vector<Dataset*> found;
  for (const Key& key : store_.keys("", "persistentvolumeclaims", cluster.ns)) {
    if (kube::label_of(*store_.find(key), "cnpg.io/instanceName") != instance) continue;
    Dataset* dataset = storage_.dataset_of(key.ns, key.name);
    if (dataset == nullptr) return {};  // half an instance holds nothing
    found.push_back(dataset);
  }
  return found;
}

bool CnpgModel::write(std::string_view ns, std::string_view name) {
  const Value* cluster = store_.find(key_of(kube::k_cluster, ns, name));
  if (cluster == nullptr) return false;
  Memory& memory = memory_[uid_of(*cluster)];
  const std::string& primary = cluster->text_at("/status/currentPrimary");
  if (primary.empty() || memory.lock_left > 0 || memory.switchover_left >= 0 ||
      cluster->text_at("/status/targetPrimary") != primary) {
    return false;
  }
  const Value* pod = store_.find(pod_key(ns, primary));
  if (pod == nullptr || is_being_deleted(*pod) || !has_condition(*pod, "Ready")) return false;
  const std::vector<Dataset*> datasets = datasets_of(key_of(kube::k_cluster, ns, name), primary);
  if (datasets.empty()) return false;
  for (Dataset* dataset : datasets) ++dataset->value;
  ++memory.acknowledged;
  return true;
}

std::int64_t CnpgModel::acknowledged(std::string_view ns, std::string_view name) const {
  const Value* cluster = store_.find(key_of(kube::k_cluster, ns, name));
  if (cluster == nullptr) return 0;
  const auto found = memory_.find(uid_of(*cluster));
  return found != memory_.end() ? found->second.acknowledged : 0;
}

std::optional<std::int64_t> CnpgModel::stored(std::string_view ns, std::string_view name) {
  const Key key = key_of(kube::k_cluster, ns, name);
  const Value* cluster = store_.find(key);
  if (cluster == nullptr) return std::nullopt;
  const std::vector<Dataset*> datasets = datasets_of(key, cluster->text_at("/status/currentPrimary"));
  if (datasets.empty()) return std::nullopt;
  return datasets.front()->value;
}

}  // namespace truenas::fakes
