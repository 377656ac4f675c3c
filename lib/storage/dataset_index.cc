#include "lib/storage/dataset_index.h"

#include <set>

namespace truenas::storage {

DatasetIndex::DatasetIndex(const std::map<std::string, Volume>& volumes) {
  for (const auto& [name, volume] : volumes) {
    for (const std::string& path : volume.location.paths) by_path_[path].push_back(&volume);
  }
}

std::vector<DatasetUser> DatasetIndex::sharers_of(const Volume& volume) const {
  std::set<const Volume*> candidates;
  for (const std::string& path : volume.location.paths) {
    if (const auto at = by_path_.find(path); at != by_path_.end()) {
      candidates.insert(at->second.begin(), at->second.end());
    }
    const std::string inside = path + "/";
    for (auto at = by_path_.lower_bound(inside); at != by_path_.end() && at->first.starts_with(inside);
         ++at) {
      candidates.insert(at->second.begin(), at->second.end());
    }
  }
  std::map<std::string, Volume> found;
  for (const Volume* candidate : candidates) {
    if (candidate->name != volume.name) found.emplace(candidate->name, *candidate);
  }
  std::vector<DatasetUser> sharers;
  for (DatasetUser& user : users_of_dataset(volume, found)) {
    if (user.overlap != Overlap::above) sharers.push_back(std::move(user));
  }
  return sharers;
}

}  // namespace truenas::storage
