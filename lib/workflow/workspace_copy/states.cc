#include "lib/workflow/workspace_copy/states.h"

#include "lib/kube/resource.h"
#include "lib/storage/cutover_record.h"
#include "lib/storage/volume.h"
#include "lib/storage/volume_patch.h"

namespace truenas::workflow {

using json::Value;

ClaimState claim_state(const std::optional<Value>& object, const std::string& name) {
  ClaimState claim;
  claim.name = name;
  if (!object) return claim;
  const kube::Identity identity = kube::identity_of(*object);
  claim.exists = true;
  claim.terminating = !object->text_at("/metadata/deletionTimestamp").empty();
  claim.uid = identity.uid;
  claim.resource_version = identity.resource_version;
  claim.phase = object->text_at("/status/phase");
  claim.volume = object->text_at("/spec/volumeName");
  claim.storage_class = object->text_at("/spec/storageClassName");
  claim.document = *object;
  return claim;
}

VolumeState volume_state(const Value& object) {
  const storage::Volume read = storage::read_volume(object);
  VolumeState volume;
  volume.exists = true;
  volume.terminating = !object.text_at("/metadata/deletionTimestamp").empty();
  volume.name = read.name, volume.uid = read.uid;
  volume.resource_version = kube::identity_of(object).resource_version;
  volume.policy = read.reclaim_policy;
  volume.original_policy = storage::original_policy_of(object);
  volume.phase = read.phase, volume.storage_class = read.storage_class;
  volume.driver = read.driver, volume.dataset = read.dataset;
  volume.bytes = read.bytes;
  const Value* reference = object.at("/spec/claimRef");
  volume.reserved = reference != nullptr && reference->is_object();
  volume.claim_ns = read.claim_ns, volume.claim_name = read.claim_name, volume.claim_uid = read.claim_uid;
  volume.kept = read.kept;
  volume.kept_for = kube::annotation_of(object, storage::k_kept_for_annotation);
  // A record that cannot be read is as good as none: it is written again before anything is deleted.
  const auto record = storage::read_cutover(object);
  if (record.ok() && *record) {
    volume.recorded_claim_uid = (*record)->claim_uid;
    volume.recorded_from = (*record)->from_volume;
  }
  return volume;
}

}  // namespace truenas::workflow
