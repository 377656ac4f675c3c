#pragma once
// The bytes: datasets of a fake NAS. A dataset is what a user can lose; what was destroyed is remembered, so
// that a test can ask whether somebody's bytes are gone. It knows no Kubernetes.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace truenas::fakes {

struct Dataset {
  std::string path;                          // "/mnt/SAS/RKE2/pvc-…"
  std::string made_for;                      // "coder/coder-postgres-1": the claim it was provisioned for
  std::int64_t value = 0;                    // of a database: how many writes it holds
  std::map<std::string, std::string> files;  // of a home directory: content by path
  bool has_data() const { return value != 0 || !files.empty(); }
};

struct Nas {
  std::map<std::string, Dataset> datasets;  // by path
  std::vector<Dataset> destroyed;

  Dataset* find(const std::string& path) {
    const auto found = datasets.find(path);
    return found != datasets.end() ? &found->second : nullptr;
  }
  void destroy(const std::string& path) {
    const auto found = datasets.find(path);
    if (found == datasets.end()) return;
    destroyed.push_back(std::move(found->second));
    datasets.erase(found);
  }
};

}  // namespace truenas::fakes
