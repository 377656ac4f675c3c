#pragma once
// The volumes' part of a verification: what is kept, what is about to be lost, and which volume would destroy
// another one's data. Pure.

#include <vector>

#include "lib/workflow/verification.h"

namespace truenas::workflow {

// The old driver's volumes that no claim of the cluster uses: kept on purpose, or about to be lost.
std::vector<OldVolumeFinding> judge_old_volumes(const Site& site, const VerificationOptions& options);
// Every volume, of any driver and in any phase, whose policy would destroy a dataset that another one's data
// lies on.
std::vector<SharedDatasetFinding> judge_shared_datasets(const Site& site, const VerificationOptions& options);

}  // namespace truenas::workflow
