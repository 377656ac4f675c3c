#pragma once
// The decisions about a StorageClass, and the forecast of what each brings about. Pure: the only place that
// decides. docs/safety.md says the same in plain words.

#include <vector>

#include "lib/engine/workflow.h"
#include "lib/workflow/storage_class/world.h"

namespace truenas::workflow {

engine::Next decide_class(const StorageClassWorld& world, const ClassOptions& options);
StorageClassWorld project_class(StorageClassWorld world, const ClassOptions& options,
                                const engine::Next& next);

// The promises that are broken in this world.
std::vector<engine::Violation> check_class(const StorageClassWorld& world);
// Why this step must not be taken in this world; empty: it may. A second look, independent of how
// decide_class() came to ask for it: act() refuses on it.
std::vector<engine::Violation> guard_class(const StorageClassWorld& world, const ClassOptions& options,
                                           const engine::Step& step);

// The run that a step "note-begin" writes down in this world.
ClassRun next_run(const StorageClassWorld& world, const ClassOptions& options);

}  // namespace truenas::workflow
