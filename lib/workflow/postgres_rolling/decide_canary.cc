#include <fmt/format.h>

#include <algorithm>

#include "lib/workflow/postgres_rolling/decide.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"
#include "lib/workflow/postgres_rolling/waits.h"

namespace truenas::workflow {
namespace {

using engine::Next;

bool has_passed(const CanaryState& canary) {
  return canary.as_is.trial == Trial::passed || canary.without_fs_group.trial == Trial::passed;
}

bool has_failed(const CanaryState& canary) {
  return canary.as_is.trial == Trial::failed && (!canary.uses_fs_group || !canary.worth_without_fs_group ||
                                                 canary.without_fs_group.trial == Trial::failed);
}

// The attempt that is due: without fsGroup only after the cluster's own way has failed.
const CanaryAttempt& due(const CanaryState& canary) {
  const bool second =
      canary.as_is.trial == Trial::failed && canary.uses_fs_group && canary.worth_without_fs_group;
  return second ? canary.without_fs_group : canary.as_is;
}

std::optional<Next> clean_up(const PostgresWorld& world) {
  const CanaryState& canary = world.canary;
  if (canary.claim_uid.empty() && canary.pod_uid.empty()) return std::nullopt;
  if (canary.volume_policy == "Retain" && !canary.claim_uid.empty()) return release_canary_volume(world);
  // The claim first: once it is on its way out, no later attempt can take it for a fresh one.
  if (!canary.claim_uid.empty() && !canary.claim_terminating) return delete_canary_claim(world);
  if (!canary.pod_uid.empty() && !canary.pod_terminating) return delete_canary_pod(world);
  return wait_for_canary_gone(world);
}

std::optional<Next> try_out(const PostgresWorld& world) {
  const CanaryState& canary = world.canary;
  const CanaryAttempt& attempt = due(canary);
  const bool other_pod = !canary.pod_uid.empty() && canary.pod_fingerprint != attempt.fingerprint;
  if (canary.claim_terminating || other_pod) return clean_up(world);
  if (canary.pod_terminating) return wait_for_canary_gone(world);
  if (canary.pod_passed_first_round) return delete_canary_pod(world);
  if (canary.claim_uid.empty() && !canary.pod_uid.empty()) return clean_up(world);
  if (canary.claim_uid.empty()) return create_canary_claim(world);
  if (canary.pod_uid.empty()) return create_canary_pod(world, &attempt == &canary.without_fs_group);
  return wait_for_canary(world);
}

std::optional<Next> note_verdict(const PostgresWorld& world) {
  const CanaryState& canary = world.canary;
  for (const CanaryAttempt* attempt : {&canary.as_is, &canary.without_fs_group}) {
    if (attempt->trial == Trial::passed && !attempt->noted) {
      return note_canary_passed(world, *attempt, attempt == &canary.without_fs_group);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Next> remove_canary(const PostgresWorld& world) {
  if (auto next = note_verdict(world)) return next;
  return clean_up(world);
}

std::optional<Next> decide_canary(const PostgresWorld& world, const RollingOptions& options) {
  const CanaryState& canary = world.canary;
  if (auto next = note_verdict(world)) return next;
  const std::vector<std::string> names = instances_of(world);
  const bool old_left =
      std::any_of(names.begin(), names.end(), [&](const auto& name) { return is_old(world, name); });
  const bool wanted = old_left && !options.skip_canary && !has_passed(canary);
  if (wanted && !has_failed(canary)) return try_out(world);
  if (auto next = clean_up(world)) return next;
  if (!wanted) return std::nullopt;
  const CanaryAttempt& last = due(canary);
  engine::Blocked refusal{
      Kind::refused, fmt::format("PostgreSQL does not run on storage class {}: {}", world.to.name, last.why),
      last.hints};
  if (&last != &canary.as_is) refusal.why += fmt::format("; with fsGroup: {}", canary.as_is.why);
  return refusal;
}

}  // namespace truenas::workflow
