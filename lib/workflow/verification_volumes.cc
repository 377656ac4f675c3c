#include "lib/workflow/verification_volumes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/storage/dataset_index.h"

namespace truenas::workflow {
namespace {

bool in_scope(const storage::Volume& volume, const VerificationOptions& options) {
  return options.namespaces.empty() || std::find(options.namespaces.begin(), options.namespaces.end(),
                                                 volume.claim_ns) != options.namespaces.end();
}

// A bound volume on the same dataset; "" for none.
std::string user_of(const storage::DatasetIndex& datasets, const storage::Volume& volume) {
  for (const storage::DatasetUser& user : datasets.sharers_of(volume)) {
    if (user.phase == "Bound") return user.volume;
  }
  return "";
}

}  // namespace

std::vector<OldVolumeFinding> judge_old_volumes(const Site& site, const VerificationOptions& options) {
  std::set<std::string> in_use;
  for (const storage::Claim& claim : site.claims) in_use.insert(claim.volume);
  const storage::DatasetIndex datasets(site.volumes);
  std::vector<OldVolumeFinding> findings;
  for (const auto& [name, volume] : site.volumes) {
    const bool old = volume.driver == site.old_driver || volume.storage_class == options.from_class;
    if (!in_scope(volume, options) || in_use.count(name) > 0 || volume.phase == "Bound") continue;
    if (!old && !volume.kept) continue;
    OldVolumeFinding finding{volume, false, "kept"};
    if (volume.reclaim_policy != "Retain") {
      finding.alarm = true;
      finding.why = fmt::format("reclaim policy is {}: its data will be deleted", volume.reclaim_policy);
    } else if (const std::string user = user_of(datasets, volume); !user.empty()) {
      // An adopted volume: both stay Retain, for good.
      finding.why = fmt::format("Retain; its dataset is in use by volume {}", user);
    } else if (!volume.kept) {
      finding.why = "Retain, but not kept by this tool";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<SharedDatasetFinding> judge_shared_datasets(const Site& site,
                                                        const VerificationOptions& options) {
  const storage::DatasetIndex datasets(site.volumes);
  std::vector<SharedDatasetFinding> findings;
  for (const auto& [name, volume] : site.volumes) {
    if (volume.reclaim_policy == "Retain") continue;
    for (storage::DatasetUser& user : datasets.sharers_of(volume)) {
      const storage::Volume& other = site.volumes.at(user.volume);
      // Unused and not kept: nobody's data is known to be there that is not the first one's own.
      if ((other.phase != "Bound" && !other.kept) || other.probe) continue;
      if (in_scope(volume, options) || in_scope(other, options))
        findings.push_back({volume, std::move(user)});
    }
  }
  return findings;
}

}  // namespace truenas::workflow
