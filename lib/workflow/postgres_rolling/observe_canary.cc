// Looks at the canary's claim and Pod and reads their verdict.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/cnpg/canary.h"
#include "lib/storage/volume.h"
#include "lib/workflow/postgres_rolling/facts.h"
#include "lib/workflow/postgres_rolling/state.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {
namespace {

using json::Value;

// A provisioner that runs makes a volume in seconds; one that does not is told from a slow one after this
// long.
constexpr Milliseconds k_provision_limit{60000};

// Of image, security context and class: the Pod's whole document, keys sorted.
std::string fingerprint_of(const PostgresWorld& world, bool without_fs_group) {
  const std::string name = canary_name(world);
  const Value pod = cnpg::canary_pod(world.cluster, name, name, without_fs_group);
  const Value* spec = pod.find("spec");
  return sha256_hex(json::write_yaml(spec == nullptr ? pod : *spec) + world.to.name + world.to.uid)
      .substr(0, 12);
}

Result<std::optional<Value>> find_ours(const kube::Reader& reader, const kube::ResourceType& type,
                                       const PostgresWorld& world) {
  const std::string name = canary_name(world);
  TM_TRY_ASSIGN(std::optional<Value> object, reader.find(type, world.cluster.ns, name));
  if (object && kube::label_of(*object, storage::k_managed_by_label) != storage::k_managed_by_value) {
    return make_error(Kind::refused,
                      fmt::format("{} exists and was not made by this program",
                                  kube::describe(type, world.cluster.ns, name)),
                      {"it stands where the canary would be: rename or remove it"});
  }
  return object;
}

bool is_terminating(const Value& object) {
  return object.at("/metadata/deletionTimestamp") != nullptr;
}

Result<void> observe_claim(PostgresRolling::State& state, PostgresWorld& world) {
  CanaryState& canary = world.canary;
  TM_TRY_ASSIGN(const std::optional<Value> claim, find_ours(state.reader, kube::k_claim, world));
  if (!claim) return {};
  canary.claim_uid = kube::identity_of(*claim).uid;
  canary.claim_phase = claim->text_at("/status/phase");
  canary.claim_terminating = is_terminating(*claim);
  canary.volume = claim->text_at("/spec/volumeName");
  canary.first_round_passed = canary.claim_uid == state.first_round_claim;
  if (canary.claim_phase == "Pending" && state.pending_claim != canary.claim_uid) {
    state.pending_claim = canary.claim_uid;
    state.pending_since = state.clock.steady();
  }
  if (canary.volume.empty()) return {};
  TM_TRY_ASSIGN(const std::optional<Value> volume, state.reader.find(kube::k_volume, "", canary.volume));
  if (volume) {
    canary.volume_uid = kube::identity_of(*volume).uid;
    canary.volume_policy = volume->text_at("/spec/persistentVolumeReclaimPolicy");
  }
  return {};
}

Result<cnpg::CanaryVerdict> read_verdict(const kube::Reader& reader, const PostgresWorld& world,
                                         const Value& pod) {
  std::vector<kube::EventLine> events;
  for (const std::string& uid : {world.canary.pod_uid, world.canary.claim_uid}) {
    if (uid.empty()) continue;
    TM_TRY_ASSIGN(const auto lines, reader.events_of(world.cluster.ns, uid));
    events.insert(events.end(), lines.begin(), lines.end());
  }
  // Before its container has started a Pod has no log; the verdict then comes from its state and events.
  const auto log = reader.logs(world.cluster.ns, canary_name(world), kube::LogOptions{});
  return cnpg::parse_canary(pod, log.ok() ? *log : "", events);
}

void judge(PostgresRolling::State& state, PostgresWorld& world, cnpg::CanaryVerdict verdict) {
  CanaryState& canary = world.canary;
  const bool without = canary.pod_fingerprint != canary.as_is.fingerprint;
  const bool unbound =
      canary.claim_phase == "Pending" && state.clock.steady() - state.pending_since > k_provision_limit;
  if (verdict.state == cnpg::CanaryVerdict::State::waiting && unbound) {
    verdict.state = cnpg::CanaryVerdict::State::failed;
    verdict.stage = "provision";
    if (verdict.detail.empty()) verdict.detail = "the claim stays Pending and nobody says why";
  }
  canary.pod_waiting = verdict.detail;
  CanaryAttempt& attempt = state.attempts[canary.pod_fingerprint];
  if (verdict.state == cnpg::CanaryVerdict::State::passed) {
    if (verdict.second_round) {
      attempt.trial = Trial::passed;
    } else {
      canary.pod_passed_first_round = canary.first_round_passed = true;
      state.first_round_claim = canary.claim_uid;
    }
  } else if (verdict.state == cnpg::CanaryVerdict::State::failed) {
    const Error error = cnpg::explain_canary_failure(world.cluster, world.to.name, verdict, without);
    attempt.trial = Trial::failed;
    attempt.why = error.what;
    attempt.hints = error.hints;
    if (!without) state.worth_without_fs_group = cnpg::may_pass_without_fs_group(verdict);
  }
}

}  // namespace

Result<void> observe_canary(PostgresRolling::State& state, const std::map<std::string, std::string>& facts,
                            PostgresWorld& world) {
  CanaryState& canary = world.canary;
  canary.uses_fs_group = world.site.facts.shape.has_fs_group;
  canary.as_is.fingerprint = fingerprint_of(world, false);
  if (canary.uses_fs_group) canary.without_fs_group.fingerprint = fingerprint_of(world, true);
  TM_TRY(observe_claim(state, world));
  TM_TRY_ASSIGN(const std::optional<Value> pod, find_ours(state.reader, kube::k_pod, world));
  if (pod) {
    canary.pod_uid = kube::identity_of(*pod).uid;
    canary.pod_phase = pod->text_at("/status/phase");
    canary.pod_terminating = is_terminating(*pod);
    canary.pod_fingerprint = kube::annotation_of(*pod, k_fingerprint_annotation);
    const bool known =
        canary.pod_fingerprint == canary.as_is.fingerprint ||
        (canary.uses_fs_group && canary.pod_fingerprint == canary.without_fs_group.fingerprint);
    if (known && !canary.pod_terminating) {
      TM_TRY_ASSIGN(const cnpg::CanaryVerdict verdict, read_verdict(state.reader, world, *pod));
      judge(state, world, verdict);
    }
  }
  canary.worth_without_fs_group = state.worth_without_fs_group;
  for (CanaryAttempt* attempt : {&canary.as_is, &canary.without_fs_group}) {
    if (attempt->fingerprint.empty()) continue;
    const auto seen = state.attempts.find(attempt->fingerprint);
    if (seen != state.attempts.end()) {
      attempt->trial = seen->second.trial;
      attempt->why = seen->second.why;
      attempt->hints = seen->second.hints;
    }
    attempt->noted = canary_is_noted(facts, attempt->fingerprint);
    if (attempt->noted) attempt->trial = Trial::passed;
  }
  return {};
}

}  // namespace truenas::workflow
