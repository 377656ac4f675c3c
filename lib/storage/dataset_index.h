#pragma once
// DatasetIndex: who shares a dataset with whom among all volumes of a cluster, without comparing each with
// each. It knows only what can be derived: a volume without a known dataset is nobody's sharer here, though
// it may be one (users_of_dataset). Pure.

#include <map>
#include <string>
#include <vector>

#include "lib/storage/volume.h"

namespace truenas::storage {

class DatasetIndex {
 public:
  // `volumes`, by name, must outlive it.
  explicit DatasetIndex(const std::map<std::string, Volume>& volumes);
  // The volumes whose data would be destroyed with this one's dataset: Overlap::same, perhaps and below.
  std::vector<DatasetUser> sharers_of(const Volume& volume) const;

 private:
  std::map<std::string, std::vector<const Volume*>> by_path_;
};

}  // namespace truenas::storage
