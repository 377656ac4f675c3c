// Instances of the CNPG model: made, joined, replaced, scaled.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "tests/fakes/cnpg_work.h"

namespace truenas::fakes {
namespace {

using json::Value;

// What a touch of the Cluster by anybody but the operator changes.
std::string touch_digest(const Value& cluster) {
  Value seen = Value::object();
  if (const Value* spec = cluster.find("spec")) seen.set("spec", *spec);
  if (const Value* annotations = cluster.at("/metadata/annotations")) seen.set("annotations", *annotations);
  if (const Value* labels = cluster.at("/metadata/labels")) seen.set("labels", *labels);
  return json::write(seen);
}

std::string instance_name(const std::string& cluster, int serial) {
  return fmt::format("{}-{}", cluster, serial);
}

const std::string& class_of(const Value& section) {
  const std::string& direct = section.text_at("/storageClass");
  return !direct.empty() ? direct : section.text_at("/pvcTemplate/storageClassName");
}

}  // namespace

void CnpgModel::bootstrap(Work& work) {
  const auto owned = [&](std::string_view kind, std::string_view api) {
    Value object = Value::object({{"apiVersion", api}, {"kind", kind}});
    object.set_at("/metadata/ownerReferences", Value::array({owner_reference(work.cluster)}));
    return object;
  };
  const Key secret = key_of(kube::k_secret, work.key.ns, work.name() + "-app");
  if (store_.find(secret) == nullptr) {
    Value object = owned("Secret", "v1");
    object.set_at("/data/password", base64_encode("secret of " + store_.new_uid()));
    object.set_at("/data/username", "Y29kZXI=");
    store_.insert(secret, object);
  }
  for (std::string_view suffix : {"-rw", "-ro", "-r"}) {
    const Key service = key_of(kube::k_service, work.key.ns, work.name() + std::string(suffix));
    if (store_.find(service) == nullptr) store_.insert(service, owned("Service", "v1"));
  }
  create_instance(work, 1, "initdb");
  work.phase = k_setting_up;
  work.cluster.set_at("/status/targetPrimary", instance_name(work.name(), 1));
  work.cluster.set_at("/status/systemID", "7412345678901234567");
  work.cluster.set_at("/status/timelineID", 1);
  work.instances = instances_of(work.cluster);
}

Value CnpgModel::make_claim(const Work& work, const std::string& instance, int serial, std::string_view role,
                            const std::string& section) const {
  const Value none = Value::object();
  const Value* storage = work.cluster.at(section);
  if (storage == nullptr) storage = &none;
  Value claim = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}});
  claim.set_at("/metadata/labels", Value::object({{"cnpg.io/cluster", work.name()},
                                                  {"cnpg.io/instanceName", instance},
                                                  {"cnpg.io/pvcRole", role},
                                                  {"app.kubernetes.io/managed-by", "cloudnative-pg"}}));
  claim.set_at("/metadata/annotations", Value::object({{"cnpg.io/nodeSerial", std::to_string(serial)},
                                                       {"cnpg.io/pvcStatus", "initializing"},
                                                       {"cnpg.io/operatorVersion", "1.30.0"}}));
  claim.set_at("/metadata/ownerReferences", Value::array({owner_reference(work.cluster)}));
  claim.set_at("/metadata/finalizers", Value::array({"kubernetes.io/pvc-protection"}));
  claim.set_at("/spec/accessModes", Value::array({"ReadWriteOnce"}));
  const std::string& size = storage->text_at("/size");
  claim.set_at("/spec/resources/requests/storage", size.empty() ? "1Gi" : size);
  claim.set_at("/spec/storageClassName", class_of(*storage));
  claim.set_at("/spec/volumeMode", "Filesystem");
  claim.set_at("/status/phase", "Pending");
  return claim;
}

void CnpgModel::create_instance(Work& work, int serial, std::string_view role) {
  const std::string name = instance_name(work.name(), serial);
  const std::string& ns = work.key.ns;
  store_.insert(claim_key(ns, name), make_claim(work, name, serial, "PG_DATA", "/spec/storage"));
  if (work.cluster.at("/spec/walStorage") != nullptr) {
    store_.insert(claim_key(ns, name + "-wal"), make_claim(work, name, serial, "PG_WAL", "/spec/walStorage"));
  }
  for (std::size_t i = 0; i < work.cluster.items_at("/spec/tablespaces").size(); ++i) {
    const std::string section = fmt::format("/spec/tablespaces/{}", i);
    const std::string& space = work.cluster.text_at(section + "/name");
    Value claim = make_claim(work, name, serial, "PG_TABLESPACE", section + "/storage");
    claim.set_at("/metadata/labels/cnpg.io~1tablespaceName", space);
    store_.insert(claim_key(ns, name + "-tbs-" + space), claim);
  }
  Value job = Value::object({{"apiVersion", "batch/v1"}, {"kind", "Job"}});
  job.set_at("/metadata/labels", Value::object({{"cnpg.io/cluster", work.name()},
                                                {"cnpg.io/instanceName", name},
                                                {"cnpg.io/jobRole", role}}));
  job.set_at("/metadata/ownerReferences", Value::array({owner_reference(work.cluster)}));
  job.set_at("/status/active", 1);
  store_.insert(key_of(kube::k_job, ns, fmt::format("{}-{}", name, role)), job);
  work.memory.highest_serial = std::max(work.memory.highest_serial, serial);
  work.memory.join_left[name] = options.join_ticks;
  work.memory.checkpoint_waited.erase(name);
  work.memory.checkpoint = false;
  if (role == "join") work.phase = k_creating_replica;
}

// facts 4a.2: claims, Pod and Jobs of an instance marked unrecoverable; never of the primary.
bool CnpgModel::destroy_unrecoverable(Work& work) {
  for (const Instance& instance : work.instances) {
    if (instance.pod == nullptr || is_being_deleted(*instance.pod)) continue;
    if (kube::annotation_of(*instance.pod, "alpha.cnpg.io/unrecoverable") != "true") continue;
    if (instance.name == work.current() || instance.name == work.target()) continue;
    destroy(work, instance);
    if (work.memory.forgotten < options.forgotten_replacements) {
      ++work.memory.forgotten;
      work.memory.standing_still = touch_digest(work.cluster);
    }
    return true;
  }
  return false;
}

void CnpgModel::destroy(Work& work, const Instance& instance) {
  for (const Key& claim : instance.claims) store_.mark_deleted(claim);
  store_.mark_deleted(pod_key(work.key.ns, instance.name));
  for (std::string_view role : {"initdb", "join"}) {
    store_.mark_deleted(key_of(kube::k_job, work.key.ns, fmt::format("{}-{}", instance.name, role)));
  }
  work.phase = k_creating_replica;
}

bool CnpgModel::finish_joins(Work& work) {
  bool moved = false;
  for (const Instance& instance : work.instances) {
    if (instance.job == nullptr || has_condition(*instance.job, "Complete")) continue;
    moved = complete_join(work, instance) || moved;
  }
  return moved;
}

bool CnpgModel::complete_join(Work& work, const Instance& instance) {
  if (!instance.claims_bound) return false;  // its Pod cannot start
  const bool first = instance.job->text_at("/metadata/name").ends_with("-initdb");
  const Instance* primary = work.find(work.current());
  if (!first && (primary == nullptr || !primary->ready)) return false;
  if (!first) {
    // pg_basebackup begins with a checkpoint: a spread one takes its time unless somebody hurries it.
    int& waited = work.memory.checkpoint_waited[instance.name];
    if (!work.memory.checkpoint && waited++ < options.spread_checkpoint_ticks) return false;
    if (--work.memory.join_left[instance.name] > 0) return false;
  }
  const std::int64_t value = first ? 0 : datasets_of(work.key, primary->name).front()->value;
  for (Dataset* dataset : datasets_of(work.key, instance.name)) dataset->value = value;
  for (const Key& claim : instance.claims) {
    store_.update(claim,
                  [](Value& copy) { copy.set_at("/metadata/annotations/cnpg.io~1pvcStatus", "ready"); });
  }
  const Key job = key_of(kube::k_job, work.key.ns, name_of(*instance.job));
  store_.update(job, [](Value& copy) {
    copy.remove_at("/status/active");
    copy.set_at("/status/succeeded", 1);
    set_condition(copy, "Complete", true);
  });
  return true;
}

Value CnpgModel::make_pod(const Work& work, const Instance& instance) const {
  Value pod = Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
  const std::string role = instance.name == work.current() ? "primary" : "replica";
  pod.set_at("/metadata/labels", Value::object({{"cnpg.io/cluster", work.name()},
                                                {"cnpg.io/instanceName", instance.name},
                                                {"cnpg.io/podRole", "instance"},
                                                {"cnpg.io/instanceRole", role},
                                                {"role", role}}));
  pod.set_at("/metadata/annotations/cnpg.io~1nodeSerial", std::to_string(instance.serial));
  pod.set_at("/metadata/ownerReferences", Value::array({owner_reference(work.cluster)}));
  const std::string& image = work.cluster.text_at("/spec/imageName");
  pod.set_at("/spec/containers",
             Value::array({Value::object(
                 {{"name", "postgres"},
                  {"image", image.empty() ? "ghcr.io/cloudnative-pg/postgresql:15.18" : image}})}));
  Value volumes = Value::array();
  for (const Key& claim : instance.claims) {
    volumes.push_back(Value::object(
        {{"name", claim.name}, {"persistentVolumeClaim", Value::object({{"claimName", claim.name}})}}));
  }
  pod.set_at("/spec/volumes", volumes);
  pod.set_at("/status/phase", "Pending");
  return pod;
}

void CnpgModel::create_pods(Work& work) {
  for (const Instance& instance : work.instances) {
    if (instance.claims_leaving || !instance.claims_ready || instance.pod != nullptr) continue;
    store_.insert(pod_key(work.key.ns, instance.name), make_pod(work, instance));
    if (work.current().empty()) work.cluster.set_at("/status/currentPrimary", instance.name);
    for (std::string_view role : {"initdb", "join"}) {
      store_.mark_deleted(key_of(kube::k_job, work.key.ns, fmt::format("{}-{}", instance.name, role)));
    }
  }
}

// One instance more or less at a time, and only while all others are ready.
bool CnpgModel::scale(Work& work) {
  const int wanted = static_cast<int>(work.cluster.integer_at("/spec/instances", 1));
  int present = 0;
  bool settled = true;
  std::set<int> serials;
  for (const Instance& instance : work.instances) {
    serials.insert(instance.serial);
    settled = settled && instance.ready && !instance.claims_leaving;
    present += instance.claims_leaving ? 0 : 1;
  }
  if (!settled || work.current() != work.target()) return false;
  if (present < wanted) {
    if (!work.memory.standing_still.empty() && work.memory.standing_still == touch_digest(work.cluster))
      return false;
    work.memory.standing_still.clear();
    int serial = work.memory.highest_serial + 1;
    if (!options.monotonic_serials) {
      for (serial = 1; serials.contains(serial);) ++serial;
    }
    create_instance(work, serial, "join");
    return true;
  }
  if (present <= wanted) return false;
  for (auto instance = work.instances.rbegin(); instance != work.instances.rend(); ++instance) {
    if (instance->name == work.current()) continue;
    destroy(work, *instance);
    return true;
  }
  return false;
}

}  // namespace truenas::fakes
