#pragma once
// Questions about a PostgresWorld that deciding, projecting and checking share. Pure; they decide nothing.

#include <string>
#include <vector>

#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

// A replica counts as in step when it streams and is less than this behind (facts 4a.3).
inline constexpr std::int64_t k_lag_limit = std::int64_t{1} << 20;

// Instances that have a claim or a Pod, sorted by number.
std::vector<std::string> instances_of(const PostgresWorld& world);
// The number at the end of an instance's name ("coder-postgres-12" -> 12), 0 if there is none.
int serial_of(const std::string& instance);
const cnpg::InstanceVolume* find_volume(const PostgresWorld& world, const cnpg::InstanceClaim& claim);
// Retain, and marked as kept by this tool.
bool is_kept(const cnpg::InstanceVolume& volume);
// Nothing deletes these bytes: every volume of the instance is there and Retain.
bool volumes_are_safe(const PostgresWorld& world, const std::string& instance);
// At least one claim of the instance has the class that is moved away from.
bool is_old(const PostgresWorld& world, const std::string& instance);
// Replicas (neither current nor target primary) with a claim of the old class, highest number first.
std::vector<std::string> old_replicas(const PostgresWorld& world);
bool is_streaming(const PostgresWorld& world, const std::string& instance);
// Streams with a known lag below the limit.
bool is_in_step(const PostgresWorld& world, const std::string& instance);
// Replicas other than `instance` that stream.
int streaming_besides(const PostgresWorld& world, const std::string& instance);
// The instance that the operator removes when spec.instances shrinks by one: the ready non-primary with the
// highest number (facts 4a.2 step 5). "" for none.
std::string next_to_be_scaled_down(const PostgresWorld& world);
// A setting or a claim is on the old class.
bool work_is_left(const PostgresWorld& world);
// A move of this cluster in this direction is begun and not ended.
bool move_is_open(const PostgresWorld& world, const RollingOptions& options);
// Something of the cluster has been changed already by a move in this direction.
bool has_moved(const PostgresWorld& world);
// A claim of the primary is being deleted: it runs only as long as its Pod does. So it is after a failover to
// an instance that was about to be replaced.
bool primary_is_leaving(const PostgresWorld& world);
// The newest proof was made on the volumes that the cluster has now.
bool proof_holds(const PostgresWorld& world);
// The spare instance is part of spec.instances right now.
bool spare_is_there(const PostgresWorld& world);
// Operators from 1.28 on replace an instance that is marked; false also while the version is unknown.
bool operator_replaces_marked(const PostgresWorld& world);
// Operators from 1.30 on give a replaced instance its old number again.
bool operator_recycles_numbers(const PostgresWorld& world);
std::vector<std::string> running_backups(const PostgresWorld& world);
// "database: schema.table" of what a switchover empties.
std::vector<std::string> unlogged_relations(const PostgresWorld& world);
// "coder/coder-postgres"
std::string full_name(const PostgresWorld& world);

}  // namespace truenas::workflow
