#pragma once
// What a PersistentVolumeClaim says about itself. Pure; reads one document and decides nothing.

#include <string>
#include <vector>

#include "lib/json/value.h"

namespace truenas::storage {

struct Claim {
  std::string ns, name, uid;
  std::string storage_class;  // spec.storageClassName, or the legacy annotation; "" for none
  std::string size;           // status.capacity, as written; the request before it is bound
  std::string phase;          // Pending, Bound, Lost
  std::string volume;         // spec.volumeName
  bool terminating = false;   // metadata.deletionTimestamp is set
};

Claim read_claim(const json::Value& object);
// The JSON pointers that read_claim looks at, for kube::ListOptions::wanted.
std::vector<std::string> claim_fields();

}  // namespace truenas::storage
