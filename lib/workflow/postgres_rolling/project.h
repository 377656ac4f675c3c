#pragma once
// The world as it is expected to be once a step has worked or a neighbour has moved. It mirrors what the
// CloudNativePG operator, the provisioner and the kubelet do (facts 1.2, 2.1, 4a.2), never what they should
// do. Pure.

#include "lib/engine/workflow.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

// What a process keeps in mind of a world that it sees.
void remember(PostgresWorld& world);
PostgresWorld project_step(PostgresWorld world, const engine::Step& step);
// The neighbours' next notch: one of a removal, a new claim and its join Job, a bound volume, a finished Job,
// a ready Pod, a switchover, a scale-down, the canary's course. Unchanged when nobody has anything to do.
PostgresWorld advance_neighbours(PostgresWorld world);
// The canary's part of it; false when nothing moved.
bool advance_canary(PostgresWorld& world);
// status, as the operator writes it when it has seen everything.
void refresh_status(PostgresWorld& world);

}  // namespace truenas::workflow
