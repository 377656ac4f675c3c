#include "lib/coder/live_claim.h"

namespace truenas::coder {

LiveClaim read_live_claim(const json::Value& object) {
  LiveClaim claim;
  claim.ns = object.text_at("/metadata/namespace");
  claim.name = object.text_at("/metadata/name");
  claim.storage_class = object.text_at("/spec/storageClassName");
  for (const auto& [key, value] : object.members_at("/metadata/labels")) claim.labels[key] = value.text();
  for (const auto& [key, value] : object.members_at("/metadata/annotations"))
    claim.annotations[key] = value.text();
  claim.request = object.text_at("/spec/resources/requests/storage");
  claim.capacity = object.text_at("/status/capacity/storage");
  claim.volume_name = object.text_at("/spec/volumeName");
  claim.volume_mode = object.text_at("/spec/volumeMode");
  for (const json::Value& mode : object.items_at("/spec/accessModes"))
    claim.access_modes.push_back(mode.text());
  claim.has_selector = object.at("/spec/selector") != nullptr;
  claim.has_limits = object.at("/spec/resources/limits") != nullptr;
  claim.terminating = !object.text_at("/metadata/deletionTimestamp").empty();
  return claim;
}

std::vector<std::string> live_claim_fields() {
  return {"/metadata/namespace",
          "/metadata/name",
          "/metadata/labels",
          "/metadata/annotations",
          "/metadata/deletionTimestamp",
          "/spec/storageClassName",
          "/spec/resources",
          "/spec/volumeName",
          "/spec/volumeMode",
          "/spec/accessModes",
          "/spec/selector",
          "/status/capacity/storage"};
}

}  // namespace truenas::coder
