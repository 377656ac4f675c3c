#include "tests/fakes/workload_model.h"

#include <fmt/format.h>

#include "tests/fakes/objects.h"

namespace truenas::fakes {
namespace {

using json::Value;

// The operator of another model runs these itself.
bool has_foreign_controller(const Value& object) {
  for (const Value& owner : object.items_at("/metadata/ownerReferences")) {
    if (owner.text_at("/kind") == "Cluster") return true;
  }
  return false;
}

Value container_statuses(const Value& pod, const Value& state, bool ready) {
  Value statuses = Value::array();
  for (const Value& container : pod.items_at("/spec/containers")) {
    statuses.push_back(Value::object({{"name", container.text_at("/name")},
                                      {"image", container.text_at("/image")},
                                      {"ready", ready},
                                      {"restartCount", 0},
                                      {"state", state}}));
  }
  return statuses;
}

}  // namespace

void WorkloadModel::tick() {
  for (const Key& key : store_.keys("apps", "deployments")) scale(key);
  for (const Key& key : store_.keys("batch", "jobs")) complete_job(key);
  for (const Key& key : store_.keys("", "pods")) run(key);
  collect_garbage();
  end_namespaces();
}

bool WorkloadModel::volumes_ready(const Value& pod) {
  for (const Value& volume : pod.items_at("/spec/volumes")) {
    const std::string& name = volume.text_at("/persistentVolumeClaim/claimName");
    if (name.empty()) continue;
    const Value* claim = store_.find(claim_key(pod.text_at("/metadata/namespace"), name));
    if (claim == nullptr || claim->text_at("/status/phase") != "Bound") return false;
  }
  return true;
}

void WorkloadModel::run(const Key& key) {
  const Value* pod = store_.find(key);
  if (is_being_deleted(*pod)) {
    if (pod->items_at("/metadata/finalizers").empty()) store_.erase(key);
    return;
  }
  const std::string phase = pod->text_at("/status/phase");
  if (phase == "Pending") {
    if (!volumes_ready(*pod)) {
      store_.update(key, [](Value& copy) { set_condition(copy, "PodScheduled", false, "Unschedulable"); });
      return;
    }
    store_.update(key, [&](Value& copy) {
      copy.set_at("/spec/nodeName", "node1");
      set_condition(copy, "PodScheduled", true);
      copy.set_at("/status/phase", "Running");
      copy.set_at("/status/startTime", store_.timestamp());
      const Value running = Value::object({{"running", Value::object({{"startedAt", store_.timestamp()}})}});
      const bool ready = !stuck_pods.contains(key.ns + "/" + key.name);
      copy.set_at("/status/containerStatuses", container_statuses(copy, running, ready));
      set_condition(copy, "Ready", ready);
    });
    return;
  }
  if (phase == "Running" && pod->text_at("/spec/restartPolicy") == "Never") {
    const std::optional<PodEnd> end = run_pod ? run_pod(*pod) : PodEnd{};
    if (end) finish(key, *end);
  }
}

void WorkloadModel::finish(const Key& key, const PodEnd& end) {
  logs[uid_of(*store_.find(key))] = end.log;
  store_.update(key, [&](Value& copy) {
    const Value ended =
        Value::object({{"terminated", Value::object({{"exitCode", end.exit_code},
                                                     {"reason", end.exit_code == 0 ? "Completed" : "Error"},
                                                     {"message", end.termination_message},
                                                     {"finishedAt", store_.timestamp()}})}});
    copy.set_at("/status/phase", end.exit_code == 0 ? "Succeeded" : "Failed");
    copy.set_at("/status/containerStatuses", container_statuses(copy, ended, false));
    set_condition(copy, "Ready", false, "PodCompleted");
  });
}

void WorkloadModel::complete_job(const Key& key) {
  const Value* job = store_.find(key);
  if (is_being_deleted(*job) || has_foreign_controller(*job) || has_condition(*job, "Complete")) return;
  if (job->integer_at("/status/active") == 0) {
    store_.update(key, [&](Value& copy) {
      copy.set_at("/status/active", 1);
      copy.set_at("/status/startTime", store_.timestamp());
    });
    return;
  }
  store_.update(key, [&](Value& copy) {
    copy.remove_at("/status/active");
    copy.set_at("/status/succeeded", 1);
    copy.set_at("/status/completionTime", store_.timestamp());
    set_condition(copy, "Complete", true);
  });
}

void WorkloadModel::scale(const Key& key) {
  const Value deployment = *store_.find(key);
  if (is_being_deleted(deployment)) return;
  const std::int64_t wanted = deployment.integer_at("/spec/replicas", 1);
  std::int64_t ready = 0, present = 0;
  for (const Key& pod_name : store_.keys("", "pods", key.ns)) {
    const Value* pod = store_.find(pod_name);
    if (!is_controlled_by(*pod, uid_of(deployment))) continue;
    if (!is_being_deleted(*pod) && ++present > wanted) {
      store_.mark_deleted(pod_name);
    } else if (has_condition(*pod, "Ready") && !is_being_deleted(*pod)) {
      ++ready;
    }
  }
  for (; present < wanted; ++present) {
    Value pod = Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
    if (const Value* labels = deployment.at("/spec/template/metadata/labels"))
      pod.set_at("/metadata/labels", *labels);
    pod.set_at("/metadata/ownerReferences", Value::array({owner_reference(deployment)}));
    if (const Value* spec = deployment.at("/spec/template/spec")) pod.set("spec", *spec);
    pod.set_at("/status/phase", "Pending");
    store_.insert(pod_key(key.ns, key.name + "-" + store_.new_uid().substr(0, 5)), pod);
  }
  store_.update(key, [&](Value& copy) {
    copy.set_at("/status/replicas", std::min(present, wanted));
    copy.set_at("/status/readyReplicas", ready);
    copy.set_at("/status/availableReplicas", ready);
    copy.set_at("/status/observedGeneration", copy.integer_at("/metadata/generation", 1));
  });
}

void WorkloadModel::collect_garbage() {
  std::set<std::string> living;
  for (const auto& [key, object] : store_.all()) living.insert(uid_of(object));
  std::vector<Key> orphans;
  for (const auto& [key, object] : store_.all()) {
    const Value::Array& owners = object.items_at("/metadata/ownerReferences");
    bool owned = owners.empty();
    for (const Value& owner : owners) owned = owned || living.contains(owner.text_at("/uid"));
    if (!owned) orphans.push_back(key);
  }
  for (const Key& key : orphans) store_.mark_deleted(key);
}

void WorkloadModel::end_namespaces() {
  for (const Key& key : store_.keys("", "namespaces")) {
    if (!is_being_deleted(*store_.find(key))) continue;
    bool empty = true;
    std::vector<Key> inside;
    for (const auto& [other, object] : store_.all()) {
      if (other.ns == key.name) inside.push_back(other);
    }
    for (const Key& other : inside) {
      store_.mark_deleted(other);
      empty = empty && store_.find(other) == nullptr;
    }
    if (empty) {
      store_.update(key, [](Value& copy) { remove_finalizer(copy, "kubernetes"); });
      store_.finish_deletion(key);
    }
  }
}

}  // namespace truenas::fakes
