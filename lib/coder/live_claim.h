#pragma once
// A claim of the cluster as far as Terraform's provider compares it with a template (facts 2.1). Pure; reads
// one document and decides nothing.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/json/value.h"

namespace truenas::coder {

struct LiveClaim {
  bool absent = false;  // nothing in the cluster has this name
  std::string ns, name;
  std::string storage_class;  // spec.storageClassName and nothing else, as the provider reads it; "" for none
  std::string request;        // spec.resources.requests.storage, as stored
  std::string capacity;       // status.capacity.storage; "" before it is bound
  std::string volume_name, volume_mode;
  std::vector<std::string> access_modes;
  bool has_selector = false, has_limits = false;
  bool terminating = false;  // metadata.deletionTimestamp is set
  std::map<std::string, std::string> labels, annotations;
  // Not in the claim itself; nullopt: not known.
  std::optional<bool> class_expands;    // allowVolumeExpansion of its class
  std::optional<bool> volume_retained;  // its volume's reclaim policy is Retain
};

// `object` is a PersistentVolumeClaim; what is not in it (class_expands, volume_retained) stays unknown.
LiveClaim read_live_claim(const json::Value& object);
// The JSON pointers that read_live_claim looks at, for kube::ListOptions::wanted.
std::vector<std::string> live_claim_fields();

}  // namespace truenas::coder
