#pragma once
// The decisions of the rolling move, one after the other. Each looks at the whole world and either says what
// is next or passes on (nullopt). Pure: the only place that decides.

#include <optional>

#include "lib/engine/workflow.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

engine::Next decide(const PostgresWorld& world, const RollingOptions& options);

// The canary: claim, Pod, verdict, clean-up; refuses when the class cannot carry PostgreSQL.
std::optional<engine::Next> decide_canary(const PostgresWorld& world, const RollingOptions& options);
// Nothing of a canary stays behind; what it has shown is written down first, or the next run would try again.
std::optional<engine::Next> remove_canary(const PostgresWorld& world);
// Instances: replicas one at a time, then the switchover, then the old primary.
std::optional<engine::Next> decide_instances(const PostgresWorld& world);
// Away from a primary whose claim is being deleted, before its Pod goes.
std::optional<engine::Next> rescue_primary(const PostgresWorld& world);
// A replacement by claim and Pod that was begun and not finished.
std::optional<engine::Next> finish_replacement(const PostgresWorld& world);
// Proof, removal of the spare instance, end of the journal's move.
engine::Next decide_ending(const PostgresWorld& world, const RollingOptions& options);
// Volumes to Retain: of claims, and of kept ones that somebody set back.
std::optional<engine::Next> keep_volumes(const PostgresWorld& world);

}  // namespace truenas::workflow
