#include "lib/storage/adoption.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/kube/resource.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/volume.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::string_view k_mount = "/mnt/";

std::string name_of(const Value& volume) {
  return kube::describe(kube::k_volume, "", kube::identity_of(volume).name);
}

Error no_handle(const Value& volume, const std::string& why) {
  return make_error(Kind::refused, fmt::format("cannot adopt {}: {}", name_of(volume), why));
}

std::string_view last_part(std::string_view path) {
  while (path.ends_with("/")) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

Value texts(const std::map<std::string, std::string>& pairs) {
  Value object = Value::object();
  for (const auto& [key, value] : pairs) object.set(key, value);
  return object;
}

Value metadata_of(const AdoptionTarget& target) {
  Value labels = texts(target.labels);
  labels.set(k_managed_by_label, k_managed_by_value);
  if (labels.find(k_component_label) == nullptr) labels.set(k_component_label, k_adopted_volume_value);
  Value metadata = Value::object({{"name", target.volume}, {"labels", std::move(labels)}});
  if (!target.annotations.empty()) metadata.set("annotations", texts(target.annotations));
  return metadata;
}

}  // namespace

Result<std::string> adopted_handle(const Value& old_volume) {
  const Value* attributes = old_volume.at("/spec/csi/volumeAttributes");
  if (attributes == nullptr) return no_handle(old_volume, "it is no volume of a CSI driver with attributes");
  const std::string& driver = attributes->text_at("/provisioner_driver");
  if (attributes->text_at("/node_attach_driver") != "nfs" || !driver.ends_with("-nfs")) {
    return no_handle(old_volume, "it was not made by an NFS driver of Democratic CSI");
  }
  if (old_volume.text_at("/spec/volumeMode") == "Block") return no_handle(old_volume, "it is a block device");
  const std::string &server = attributes->text_at("/server"), &share = attributes->text_at("/share");
  if (server.empty() || share.empty()) return no_handle(old_volume, "it does not say its server and share");
  const std::string path = dataset_path(share);
  if (!share.starts_with(k_mount) || share != std::string(k_mount) + path || !contains(path, "/")) {
    return no_handle(old_volume, fmt::format("its share {} is not /mnt/<pool>/<dataset>: which dataset it is "
                                             "cannot be told",
                                             share));
  }
  const std::string& handle = old_volume.text_at("/spec/csi/volumeHandle");
  if (handle.empty() || last_part(path) != last_part(handle)) {
    return no_handle(old_volume, fmt::format("its share {} is not named as its dataset ({}): the dataset is "
                                             "mounted somewhere else",
                                             share, handle));
  }
  return path;
}

std::string adopted_volume_name(const Value& old_volume) {
  const kube::Identity identity = kube::identity_of(old_volume);
  return adopted_name_of_uid(identity.uid.empty() ? identity.name : identity.uid);
}

std::string adopted_name_of_uid(std::string_view old_volume_uid) {
  return fmt::format("truenas-migrate-adopted-{}", old_volume_uid);
}

Result<Value> adopted_volume(const Value& old_volume, const AdoptionTarget& target) {
  TM_TRY_ASSIGN(const std::string handle, adopted_handle(old_volume));
  const Value *capacity = old_volume.at("/spec/capacity/storage"),
              *modes = old_volume.at("/spec/accessModes");
  if (capacity == nullptr || modes == nullptr || modes->items().empty()) {
    return no_handle(old_volume, "it does not say its capacity and access modes");
  }
  if (target.volume.empty() || target.driver.empty() || target.storage_class.empty() || target.ns.empty() ||
      target.claim.empty()) {
    return make_error(Kind::bug, "an adopted volume needs a name, a driver, a class and a claim");
  }
  const std::string& share = old_volume.text_at("/spec/csi/volumeAttributes/share");
  const std::string& server = old_volume.text_at("/spec/csi/volumeAttributes/server");
  Value spec = Value::object({{"capacity", Value::object({{"storage", *capacity}})},
                              {"accessModes", *modes},
                              {"volumeMode", "Filesystem"},
                              {"persistentVolumeReclaimPolicy", "Retain"},
                              {"storageClassName", target.storage_class}});
  spec.set("claimRef", Value::object({{"apiVersion", kube::api_version(kube::k_claim)},
                                      {"kind", kube::k_claim.kind},
                                      {"namespace", target.ns},
                                      {"name", target.claim}}));
  spec.set("csi", Value::object(
                      {{"driver", target.driver},
                       {"volumeHandle", handle},
                       {"volumeAttributes",
                        Value::object({{"protocol", "nfs"}, {"nfsServer", server}, {"nfsPath", share}})}}));
  if (const Value* options = old_volume.at("/spec/mountOptions")) spec.set("mountOptions", *options);
  return Value::object({{"apiVersion", kube::api_version(kube::k_volume)},
                        {"kind", kube::k_volume.kind},
                        {"metadata", metadata_of(target)},
                        {"spec", std::move(spec)}});
}

Result<Value> read_only_adopted_volume(const Value& old_volume, const AdoptionTarget& target) {
  TM_TRY_ASSIGN(Value volume, adopted_volume(old_volume, target));
  volume.set_at("/spec/accessModes", Value::array({"ReadOnlyMany"}));
  volume.set_at("/spec/csi/readOnly", true);
  return volume;
}

Result<Value> read_only_twin(const Value& volume, const AdoptionTarget& target) {
  const char* by = volume.at("/spec/csi") != nullptr ? "csi" : "nfs";
  const Value *origin = volume.at(fmt::format("/spec/{}", by)), *capacity = volume.at("/spec/capacity");
  if (origin == nullptr || capacity == nullptr || volume.text_at("/spec/volumeMode") == "Block") {
    return make_error(Kind::refused,
                      fmt::format("{} is no file system of a CSI driver or of plain NFS", name_of(volume)));
  }
  Value spec = Value::object({{"capacity", *capacity},
                              {"accessModes", Value::array({"ReadOnlyMany"})},
                              {"volumeMode", "Filesystem"},
                              {"persistentVolumeReclaimPolicy", "Retain"},
                              {"storageClassName", target.storage_class},
                              {by, *origin}});
  spec.set_at(fmt::format("/{}/readOnly", by), true);
  spec.set("claimRef", Value::object({{"apiVersion", kube::api_version(kube::k_claim)},
                                      {"kind", kube::k_claim.kind},
                                      {"namespace", target.ns},
                                      {"name", target.claim}}));
  for (const char* field : {"mountOptions", "nodeAffinity"}) {
    if (const Value* found = volume.at(fmt::format("/spec/{}", field))) spec.set(field, *found);
  }
  return Value::object({{"apiVersion", kube::api_version(kube::k_volume)},
                        {"kind", kube::k_volume.kind},
                        {"metadata", metadata_of(target)},
                        {"spec", std::move(spec)}});
}

Seconds adoption_downtime(bool old_driver_attaches) {
  return old_driver_attaches ? Seconds(20) : Seconds(10);
}

Result<void> check_attachment(const Value& attachment, const Value& old_volume) {
  const std::string volume = attachment.text_at("/spec/source/persistentVolumeName");
  const auto cannot_say = [&](const std::string& what) {
    return fmt::format("persistentvolume {} on node {}: {}", volume, attachment.text_at("/spec/nodeName"),
                       what);
  };
  if (!attachment.boolean_at("/status/attached")) {
    const std::string& error = attachment.text_at("/status/attachError/message");
    if (error.empty()) return make_error(Kind::unavailable, cannot_say("it is not attached yet"));
    return make_error(Kind::refused, cannot_say("the new driver cannot attach it: " + error));
  }
  const std::string& path = attachment.text_at("/status/attachmentMetadata/nfsPath");
  const std::string& share = old_volume.text_at("/spec/csi/volumeAttributes/share");
  if (path.empty()) return make_error(Kind::unavailable, cannot_say("its attachment does not say a path"));
  if (share.empty() || dataset_path(path) != dataset_path(share)) {
    return make_error(Kind::mismatch,
                      cannot_say(fmt::format("the new driver mounts {}, the old one mounted {}", path,
                                             share.empty() ? "nothing that is known" : share)));
  }
  return {};
}

}  // namespace truenas::storage
