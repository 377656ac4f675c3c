#pragma once
// Waiting for the neighbours: who is awaited, why, for how long, and what nudges them. Pure.

#include <optional>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

// Why no instance may be touched now: cnpg::unhealthy_because, and what the operator's status, which may be
// old, does not show yet: instances without a ready Pod, claims without a volume, Pods that still run as
// before a change of the security context.
std::vector<std::string> not_settled_because(const PostgresWorld& world);
// What to wait for until the cluster is settled; nullopt when it is.
std::optional<engine::Next> wait_until_settled(const PostgresWorld& world);
// For the canary's claim, Pod, or their end.
engine::Wait wait_for_canary(const PostgresWorld& world);
engine::Wait wait_for_canary_gone(const PostgresWorld& world);
engine::Wait wait_for_backups(const PostgresWorld& world);
engine::Wait wait_for_databases(const PostgresWorld& world);
engine::Wait wait_for_replay(const PostgresWorld& world);

}  // namespace truenas::workflow
