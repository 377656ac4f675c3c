#pragma once
// StorageClassReview: what a StorageClass really is: its differences from the wanted one with their
// consequences, who owns it, who depends on it, whether its driver is ready, and what is remarkable about it.
// read_surroundings() reads, review() is pure. It changes nothing and leaves the change to storage_class.h.

#include <optional>
#include <string>
#include <vector>

#include "lib/kube/gitops.h"
#include "lib/kube/reader.h"
#include "lib/storage/class_compare.h"
#include "lib/storage/class_parameters.h"
#include "lib/storage/driver.h"
#include "lib/workflow/storage_class/world.h"

namespace truenas::workflow {

// What is read beside the class and its users.
struct ClassSurroundings {
  storage::DriverState driver;               // of the live class, else of the wanted one
  std::vector<std::string> default_classes;  // annotated so, by name
  bool old_class_exists = false;
  std::string unknown;  // why the list of classes could not be read; "" when it was
};

struct StorageClassReview {
  std::string name, old_class;
  StorageClassWorld world;
  storage::StorageClass wanted;
  ClassSurroundings surroundings;
  std::vector<storage::Difference> differences;
  std::vector<std::string> kept;  // of the live class, that the wanted one does not speak of
  std::vector<kube::GitOpsOwner> owners;
  std::optional<storage::SharePromise> live_share;  // nullopt: no class, or no NFS class of TrueNAS CSI
  std::optional<storage::SharePromise> wanted_share;
  std::vector<std::string> notes;  // one sentence each
  json::Value manifest;            // the document that would make the class as wanted
  bool same() const { return world.live && differences.empty(); }
};

// Kind::auth, unavailable: only where the driver's own object cannot be asked for; the rest is said as
// unknown.
Result<ClassSurroundings> read_surroundings(const kube::Reader& reader, const StorageClassWorld& world,
                                            const ClassOptions& options);
// Kind::format when the wanted document is no class.
Result<StorageClassReview> review(const StorageClassWorld& world, const ClassSurroundings& surroundings,
                                  const ClassOptions& options);

}  // namespace truenas::workflow
