#pragma once
// What an adoption depends on, as the cluster has it now (storage::AdoptionLook): both drivers' ways, who
// mounts the claim with which security context, who else uses the dataset, snapshots and clones. Reads only;
// what it means is storage::adoption_findings' to say.

#include <optional>
#include <string>
#include <vector>

#include "lib/kube/permission.h"
#include "lib/kube/reader.h"
#include "lib/storage/adoption.h"

namespace truenas::workflow {

// `claim` and `volume` whole, as read from the cluster; `new_driver`: the new class's provisioner. The error
// is of a list without which nothing can be said; what is merely not known stays empty in the look.
Result<storage::AdoptionLook> read_adoption_look(const kube::Reader& reader, const json::Value& claim,
                                                 const json::Value& volume, const std::string& new_driver);
// The volume's VolumeSnapshotContents, as storage::snapshots_of names them; nullopt: could not be looked at.
std::optional<std::vector<std::string>> read_snapshots(const kube::Reader& reader, const json::Value& volume);
// Without these it cannot be read.
std::vector<kube::Permission> adoption_look_permissions(std::string_view ns);
// Without these the user is asked instead.
std::vector<kube::Permission> adoption_look_wishes(std::string_view ns);

}  // namespace truenas::workflow
