#pragma once
// The steps of changing a StorageClass, one function each: what it is called, why it is done, what undoes it.
// Verbs here are the ones that act.cc branches on. Pure; whether a step is taken is decided in decide.cc.

#include <vector>

#include "lib/engine/workflow.h"
#include "lib/storage/class_compare.h"
#include "lib/workflow/storage_class/world.h"

namespace truenas::workflow {

engine::Step note_class_begin(const ClassOptions& options, const ClassRun& run);
engine::Step note_class_end(const ClassOptions& options, const ClassRun& run);
engine::Step delete_class(const StorageClassWorld& world, const ClassOptions& options, bool for_ever);
// `again`: in the place of one that a run has deleted.
engine::Step create_class(const ClassOptions& options, bool again);
engine::Step apply_class(const StorageClassWorld& world, const ClassOptions& options,
                         const std::vector<storage::Difference>& differences);
engine::Wait wait_for_deletion(const StorageClassWorld& world, const ClassOptions& options);

}  // namespace truenas::workflow
