#include "lib/storage/claim.h"

#include "lib/kube/resource.h"

namespace truenas::storage {

Claim read_claim(const json::Value& object) {
  Claim claim;
  claim.ns = object.text_at("/metadata/namespace");
  claim.name = object.text_at("/metadata/name");
  claim.uid = object.text_at("/metadata/uid");
  claim.storage_class = object.text_at("/spec/storageClassName");
  if (claim.storage_class.empty()) {
    claim.storage_class = kube::annotation_of(object, "volume.beta.kubernetes.io/storage-class");
  }
  claim.size = object.text_at("/status/capacity/storage");
  if (claim.size.empty()) claim.size = object.text_at("/spec/resources/requests/storage");
  claim.phase = object.text_at("/status/phase");
  claim.volume = object.text_at("/spec/volumeName");
  claim.terminating = !object.text_at("/metadata/deletionTimestamp").empty();
  return claim;
}

std::vector<std::string> claim_fields() {
  return {"/metadata/name",
          "/metadata/namespace",
          "/metadata/uid",
          "/metadata/deletionTimestamp",
          "/metadata/annotations/volume.beta.kubernetes.io~1storage-class",
          "/spec/storageClassName",
          "/spec/volumeName",
          "/spec/resources/requests/storage",
          "/status/capacity/storage",
          "/status/phase"};
}

}  // namespace truenas::storage
