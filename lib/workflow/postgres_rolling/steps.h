#pragma once
// The steps of the rolling move, one function each: what it is called, why it is done, what undoes it. Verbs
// here are the ones that act.cc branches on. Pure; whether and when a step is taken is decided in decide.cc.

#include <string>

#include "lib/engine/workflow.h"
#include "lib/storage/volume.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

using storage::k_kept_for_annotation;
using storage::k_original_policy_annotation;

// Annotation on the canary's Pod: which attempt it is.
inline constexpr std::string_view k_fingerprint_annotation = "truenas-migrate/fingerprint";

engine::Step begin_move(const PostgresWorld& world, const RollingOptions& options);
engine::Step note_spare(const PostgresWorld& world);
engine::Step note_canary_passed(const PostgresWorld& world, const CanaryAttempt& attempt,
                                bool without_fs_group);
engine::Step note_end(const PostgresWorld& world);

engine::Step create_canary_claim(const PostgresWorld& world);
engine::Step create_canary_pod(const PostgresWorld& world, bool without_fs_group);
engine::Step delete_canary_pod(const PostgresWorld& world);
engine::Step delete_canary_claim(const PostgresWorld& world);
engine::Step release_canary_volume(const PostgresWorld& world);
std::string canary_name(const PostgresWorld& world);

engine::Step drop_fs_group(const PostgresWorld& world);
engine::Step keep_volume(const PostgresWorld& world, const cnpg::InstanceVolume& volume,
                         const std::string& claim);
engine::Step set_class(const PostgresWorld& world);
engine::Step add_spare(const PostgresWorld& world);
engine::Step remove_spare(const PostgresWorld& world);

// Replacing an instance: by the operator's own annotation, or claim by claim and then the Pod.
engine::Step mark_unrecoverable(const PostgresWorld& world, const std::string& instance);
engine::Step remove_mark(const PostgresWorld& world, const cnpg::InstancePod& pod);
engine::Step delete_job(const PostgresWorld& world, const cnpg::InstanceJob& job);
engine::Step delete_claim(const PostgresWorld& world, const cnpg::InstanceClaim& claim);
engine::Step delete_pod(const PostgresWorld& world, const cnpg::InstancePod& pod);

engine::Step switch_over(const PostgresWorld& world, const std::string& to);
engine::Step prove(const PostgresWorld& world, const RollingOptions& options);

// Nudges.
engine::Step checkpoint(const PostgresWorld& world);
engine::Step touch_cluster(const PostgresWorld& world);

}  // namespace truenas::workflow
