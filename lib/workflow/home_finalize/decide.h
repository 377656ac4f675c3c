#pragma once
// What HomeFinalize decides, as functions of what was observed. Pure.

#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/workflow/home_finalize.h"

namespace truenas::workflow {

engine::Next decide_finalize(const FinalizeWorld& world, const FinalizeOptions& options);
FinalizeWorld project_finalize(FinalizeWorld world, const engine::Next& next);
// What must be so at any time while the move can be finalized.
std::vector<engine::Violation> check_finalize(const FinalizeWorld& world);
// What must be so for this step to be taken; empty: it may.
std::vector<engine::Violation> guard_finalize(const FinalizeWorld& world, const FinalizeOptions& options,
                                              const engine::Step& step);
// "SAS/RKE2/pvc-1 (10Gi)"; the volume's name where its dataset is not known.
std::string dataset_text(const VolumeState& volume);

}  // namespace truenas::workflow
