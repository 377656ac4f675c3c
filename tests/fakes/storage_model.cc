#include "tests/fakes/storage_model.h"

#include <fmt/format.h>

#include "tests/fakes/objects.h"

namespace truenas::fakes {
namespace {

using json::Value;

constexpr std::string_view k_provisioner_finalizer = "external-provisioner.volume.kubernetes.io/finalizer";
constexpr std::string_view k_provisioned_by = "/metadata/annotations/pv.kubernetes.io~1provisioned-by";

bool claims(const Value& volume, const Value& claim) {
  const Value* reference = volume.at("/spec/claimRef");
  if (reference == nullptr || reference->is_null()) return false;
  const std::string& uid = reference->text_at("/uid");
  return reference->text_at("/namespace") == claim.text_at("/metadata/namespace") &&
         reference->text_at("/name") == name_of(claim) && (uid.empty() || uid == uid_of(claim));
}

}  // namespace

void StorageModel::tick() {
  for (const Key& key : store_.keys("", "persistentvolumeclaims")) bind(key);
  for (const Key& key : store_.keys("", "persistentvolumes")) settle_volume(key);
  for (const Key& key : store_.keys("", "persistentvolumeclaims")) protect(key);
}

Dataset* StorageModel::dataset_of(std::string_view ns, std::string_view claim) {
  const Value* object = store_.find(claim_key(ns, claim));
  if (object == nullptr || object->text_at("/spec/volumeName").empty()) return nullptr;
  const Value* volume = store_.find(volume_key(object->text_at("/spec/volumeName")));
  return volume != nullptr ? nas_.find(dataset_path(*volume)) : nullptr;
}

void StorageModel::bind(const Key& key) {
  const Value* claim = store_.find(key);
  const std::string& phase = claim->text_at("/status/phase");
  const std::string& wanted = claim->text_at("/spec/volumeName");
  if (phase == "Bound") {
    if (store_.find(volume_key(wanted)) == nullptr) {
      store_.update(key, [](Value& copy) { copy.set_at("/status/phase", "Lost"); });
    }
    return;
  }
  if (phase != "Pending" || is_being_deleted(*claim)) return;
  for (const Key& volume : store_.keys("", "persistentvolumes")) {
    if (claims(*store_.find(volume), *claim) && (wanted.empty() || wanted == volume.name)) {
      return bind_to(key, volume, wanted.empty());
    }
  }
  if (!wanted.empty()) {
    const Value* volume = store_.find(volume_key(wanted));
    if (volume != nullptr && volume->at("/spec/claimRef") == nullptr) bind_to(key, volume_key(wanted), false);
    return;
  }
  const std::string& class_name = claim->text_at("/spec/storageClassName");
  const Value* storage_class = store_.find(key_of(kube::k_storage_class, "", class_name));
  if (storage_class == nullptr) {
    record_event(store_, *claim, "Warning", "ProvisioningFailed",
                 fmt::format("storageclass.storage.k8s.io \"{}\" not found", class_name));
    return;
  }
  provision(key, *storage_class);
}

void StorageModel::provision(const Key& key, const Value& storage_class) {
  const std::string& driver = storage_class.text_at("/provisioner");
  store_.update(key, [&](Value& claim) {
    claim.set_at("/metadata/annotations/volume.beta.kubernetes.io~1storage-provisioner", driver);
    claim.set_at("/metadata/annotations/volume.kubernetes.io~1storage-provisioner", driver);
  });
  const Value claim = *store_.find(key);
  if (drivers_down.contains(driver)) {
    record_event(
        store_, claim, "Normal", "ExternalProvisioning",
        fmt::format("Waiting for a volume to be created either by the external provisioner '{}' or manually "
                    "by the system administrator. If volume creation is delayed, please verify that the "
                    "provisioner is running and correctly registered.",
                    driver));
    return;
  }
  if (storage_class.text_at("/volumeBindingMode") == "WaitForFirstConsumer") {
    bool used = false;
    for (const Value* pod : store_.list("", "pods", key.ns)) used = used || mounts(*pod, key.name);
    if (!used) return;
  }
  const Value volume = new_volume(claim, storage_class);
  const Key volume_name = volume_key("pvc-" + uid_of(claim));
  nas_.datasets[dataset_path(volume)] = Dataset{dataset_path(volume), key.ns + "/" + key.name, 0, {}};
  store_.insert(volume_name, volume);
  record_event(store_, claim, "Normal", "ProvisioningSucceeded",
               "Successfully provisioned volume " + volume_name.name);
  bind_to(key, volume_name, true);
}

// The shapes that Democratic CSI and truenas-csi give their volumes.
Value StorageModel::new_volume(const Value& claim, const Value& storage_class) {
  const std::string name = "pvc-" + uid_of(claim);
  const std::string& driver = storage_class.text_at("/provisioner");
  Value attributes = Value::object();
  std::string handle = name;
  const bool truenas = driver == "csi.truenas.io";
  if (truenas) {
    const std::string& pool = storage_class.text_at("/parameters/pool");
    attributes =
        storage_class.at("/parameters") != nullptr ? *storage_class.at("/parameters") : Value::object();
    attributes.set("csi.storage.k8s.io/pv/name", name);
    attributes.set("csi.storage.k8s.io/pvc/name", name_of(claim));
    attributes.set("csi.storage.k8s.io/pvc/namespace", claim.text_at("/metadata/namespace"));
    handle = (pool.empty() ? "SAS" : pool) + "/" + name;
    attributes.set("nfsPath", "/mnt/" + handle);
    attributes.set("nfsServer", "127.0.0.1");
  } else {
    attributes.set("node_attach_driver", "nfs");
    attributes.set("provisioner_driver", "freenas-api-nfs");
    attributes.set("server", "127.0.0.1");
    attributes.set("share", "/mnt/SAS/RKE2/" + name);
  }
  attributes.set("storage.kubernetes.io/csiProvisionerIdentity", "1795354085387-1864-" + driver);
  Value finalizers = Value::array({k_provisioner_finalizer, "kubernetes.io/pv-protection"});
  if (truenas) finalizers.push_back("external-attacher/csi-truenas-io");
  const Value* requested = claim.at("/spec/resources/requests/storage");
  Value volume = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolume"}});
  volume.set_at("/metadata/annotations/pv.kubernetes.io~1provisioned-by", driver);
  volume.set_at("/metadata/annotations/volume.kubernetes.io~1provisioner-deletion-secret-name", "");
  volume.set_at("/metadata/annotations/volume.kubernetes.io~1provisioner-deletion-secret-namespace", "");
  volume.set_at("/metadata/finalizers", finalizers);
  volume.set_at("/spec/accessModes", claim.at("/spec/accessModes") != nullptr
                                         ? *claim.at("/spec/accessModes")
                                         : Value::array({"ReadWriteOnce"}));
  volume.set_at("/spec/capacity/storage", requested != nullptr ? *requested : Value("1Gi"));
  volume.set_at("/spec/csi", Value::object({{"driver", driver},
                                            {"fsType", truenas ? "ext4" : "nfs"},
                                            {"volumeAttributes", attributes},
                                            {"volumeHandle", handle}}));
  volume.set_at("/spec/persistentVolumeReclaimPolicy", storage_class.text_at("/reclaimPolicy"));
  volume.set_at("/spec/storageClassName", name_of(storage_class));
  volume.set_at("/spec/volumeMode", "Filesystem");
  return volume;
}

void StorageModel::bind_to(const Key& claim_name, const Key& volume_name, bool by_controller) {
  const Value claim = *store_.find(claim_name);
  store_.update(volume_name, [&](Value& volume) {
    volume.set_at("/spec/claimRef",
                  Value::object({{"apiVersion", "v1"},
                                 {"kind", "PersistentVolumeClaim"},
                                 {"name", claim_name.name},
                                 {"namespace", claim_name.ns},
                                 {"resourceVersion", claim.text_at("/metadata/resourceVersion")},
                                 {"uid", uid_of(claim)}}));
  });
  set_phase(volume_name, "Bound");
  const Value volume = *store_.find(volume_name);
  store_.update(claim_name, [&](Value& copy) {
    copy.set_at("/spec/volumeName", volume_name.name);
    copy.set_at("/metadata/annotations/pv.kubernetes.io~1bind-completed", "yes");
    if (by_controller) copy.set_at("/metadata/annotations/pv.kubernetes.io~1bound-by-controller", "yes");
    copy.set_at("/status/phase", "Bound");
    copy.set_at("/status/accessModes", *volume.at("/spec/accessModes"));
    copy.set_at("/status/capacity", *volume.at("/spec/capacity"));
  });
}

void StorageModel::set_phase(const Key& key, std::string_view phase) {
  store_.update(key, [&](Value& volume) {
    if (volume.text_at("/status/phase") == phase) return;
    volume.set_at("/status/phase", phase);
    volume.set_at("/status/lastPhaseTransitionTime", store_.timestamp());
  });
}

void StorageModel::settle_volume(const Key& key) {
  const Value* volume = store_.find(key);
  const Value* reference = volume->at("/spec/claimRef");
  const bool provisioned = !volume->text_at(k_provisioned_by).empty();
  const std::string policy = volume->text_at("/spec/persistentVolumeReclaimPolicy");
  // The sidecar holds its finalizer only while it would have to delete something.
  if (provisioned && policy == "Retain") {
    store_.update(key, [](Value& copy) { remove_finalizer(copy, k_provisioner_finalizer); });
    volume = store_.find(key);
    reference = volume->at("/spec/claimRef");
  }
  if (reference == nullptr || reference->is_null() || reference->text_at("/uid").empty()) {
    set_phase(key, "Available");
  } else {
    const Value* claim =
        store_.find(claim_key(reference->text_at("/namespace"), reference->text_at("/name")));
    const bool lives = claim != nullptr && uid_of(*claim) == reference->text_at("/uid");
    set_phase(key, lives ? "Bound" : "Released");
  }
  const bool released = store_.find(key)->text_at("/status/phase") == "Released";
  if (released && policy == "Delete") return reclaim(key);
  if (is_being_deleted(*store_.find(key)) && store_.find(key)->text_at("/status/phase") != "Bound") {
    store_.update(key, [](Value& copy) {
      remove_finalizer(copy, "kubernetes.io/pv-protection");
      remove_finalizer(copy, "external-attacher/csi-truenas-io");
    });
    store_.finish_deletion(key);
  }
}

// Here user bytes end: the driver deletes the dataset whatever it holds.
void StorageModel::reclaim(const Key& key) {
  const Value volume = *store_.find(key);
  const std::string& driver = volume.text_at("/spec/csi/driver");
  if (drivers_down.contains(driver)) return;
  nas_.destroy(dataset_path(volume));
  store_.update(key, [](Value& copy) { copy.remove_at("/metadata/finalizers"); });
  store_.erase(key);
}

void StorageModel::protect(const Key& key) {
  const Value* claim = store_.find(key);
  if (!is_being_deleted(*claim)) return;
  for (const Value* pod : store_.list("", "pods", key.ns)) {
    // A Pod that no node has yet will not be started with a claim that is leaving.
    if (mounts(*pod, key.name) && !pod->text_at("/spec/nodeName").empty()) return;
  }
  store_.update(key, [](Value& copy) { remove_finalizer(copy, "kubernetes.io/pvc-protection"); });
  store_.finish_deletion(key);
}

}  // namespace truenas::fakes
