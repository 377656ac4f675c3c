#pragma once
// Which dataset on the NAS is behind a volume, whichever driver made it, and who else uses it: a dataset is
// destroyed with everything in it as soon as one volume object with policy Delete goes, whoever made it
// (facts/truenas.md §8.7). Pure. What cannot be derived is unknown, and unknown is never "nobody".

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"

namespace truenas::storage {

struct Volume;

struct Dataset {
  enum class Kind {
    unknown,  // not derivable: it may be any
    known,    // `paths` on `server`
    none,     // a block device, which no file system of the NAS is
  };
  Kind kind = Kind::unknown;
  std::string server;  // as written; "" when the volume does not say
  // Without /mnt/: "SAS/RKE2/pvc-1". Two where TrueNAS CSI's nfsPath and volumeHandle disagree: the one is
  // what was promised, the other what is mounted and deleted.
  std::vector<std::string> paths;
};

// Democratic CSI: server and share; TrueNAS CSI: nfsServer, nfsPath and volumeHandle; csi-driver-nfs and
// plain nfs volumes: server and path.
Dataset dataset_of(const json::Value& volume);
// The JSON pointers that dataset_of looks at, for kube::ListOptions::wanted.
std::vector<std::string> dataset_fields();
// "/mnt/SAS//a/" -> "SAS/a"; a path outside /mnt keeps its slash; "" for what may be any dataset: a path with
// "." or ".." in it, "/" and "/mnt".
std::string dataset_path(std::string_view mount_path);

enum class Overlap {
  none,
  same,     // the same path on the same server
  perhaps,  // the same path; the servers have different names, or none, which proves nothing
  below,    // the other's dataset lies in this one: destroyed with it
  above,    // this one lies in the other's
  unknown,  // the other's (or this one's) cannot be derived
};
// How `other` relates to `dataset`.
Overlap overlap_of(const Dataset& dataset, const Dataset& other);
// Whether two host names are surely one: letter case, a dot at the end, brackets and leading zeros aside.
// False is no proof of the contrary: a NAS has many names.
bool same_host(std::string_view a, std::string_view b);

struct DatasetUser {
  std::string volume, phase, claim;  // claim "ns/name", "" for none
  Overlap overlap = Overlap::none;
};
// "volume pv-2 (Bound to coder/home) is on the same dataset".
std::string describe(const DatasetUser& user);
// Every other volume of the cluster, in any phase, that uses or may use the volume's dataset. `volumes`: all
// of them, by name; other clusters on the same NAS cannot be seen.
std::vector<DatasetUser> users_of_dataset(const Volume& volume, const std::map<std::string, Volume>& volumes);

}  // namespace truenas::storage
