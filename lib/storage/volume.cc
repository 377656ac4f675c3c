#include "lib/storage/volume.h"

#include "lib/base/quantity.h"
#include "lib/kube/resource.h"

namespace truenas::storage {
namespace {

// Where a volume says which dataset it is: truenas-csi, Democratic CSI, and a volume without a driver.
constexpr std::string_view k_dataset_fields[] = {"/spec/csi/volumeAttributes/nfsPath",
                                                 "/spec/csi/volumeAttributes/share", "/spec/nfs/path"};

}  // namespace

Volume read_volume(const json::Value& object) {
  Volume volume;
  volume.name = object.text_at("/metadata/name");
  volume.uid = object.text_at("/metadata/uid");
  volume.driver = object.text_at("/spec/csi/driver");
  volume.handle = object.text_at("/spec/csi/volumeHandle");
  for (std::string_view pointer : k_dataset_fields) {
    if (volume.dataset.empty()) volume.dataset = object.text_at(pointer);
  }
  volume.location = dataset_of(object);
  volume.storage_class = object.text_at("/spec/storageClassName");
  if (volume.storage_class.empty()) {
    volume.storage_class = kube::annotation_of(object, "volume.beta.kubernetes.io/storage-class");
  }
  volume.reclaim_policy = object.text_at("/spec/persistentVolumeReclaimPolicy");
  volume.phase = object.text_at("/status/phase");
  volume.claim_ns = object.text_at("/spec/claimRef/namespace");
  volume.claim_name = object.text_at("/spec/claimRef/name");
  volume.claim_uid = object.text_at("/spec/claimRef/uid");
  volume.bytes = parse_quantity(object.text_at("/spec/capacity/storage")).value_or(0);
  const bool ours = kube::label_of(object, k_managed_by_label) == k_managed_by_value;
  volume.probe = ours && kube::label_of(object, k_component_label) == k_adoption_probe_value;
  volume.kept = ours && !volume.probe;
  return volume;
}

std::vector<std::string> volume_fields() {
  std::vector<std::string> fields{
      "/metadata/name",         "/metadata/uid",
      "/metadata/labels",       "/metadata/annotations/volume.beta.kubernetes.io~1storage-class",
      "/spec/storageClassName", "/spec/persistentVolumeReclaimPolicy",
      "/spec/claimRef",         "/spec/capacity",
      "/status/phase"};
  for (std::string& field : dataset_fields()) fields.push_back(std::move(field));
  return fields;
}

}  // namespace truenas::storage
