#pragma once
// Who depends on a class: every claim and every volume that names it, and the volumes of the class that is
// left. Reads two lists; a list that cannot be read is an error, never an empty answer.

#include <string>
#include <vector>

#include "lib/kube/reader.h"
#include "lib/storage/claim.h"
#include "lib/storage/volume.h"

namespace truenas::storage {

struct ClassUsers {
  std::vector<Claim> claims;        // of the class, by namespace and name
  std::vector<Volume> volumes;      // of the class, by name
  std::vector<Volume> old_volumes;  // of the class that is left, by name
  bool empty() const { return claims.empty() && volumes.empty(); }
};

// `old_class` "": its volumes are not asked for. Kind::auth when the lists may not be read.
Result<ClassUsers> read_class_users(const kube::Reader& reader, const std::string& storage_class,
                                    const std::string& old_class);
// "persistentvolumeclaim coder/x", "persistentvolume pvc-1 (claim coder/x, Released)", claims first. Pure.
std::vector<std::string> describe_users(const ClassUsers& users);

}  // namespace truenas::storage
