// What the provisioner and the kubelet do with the canary.

#include "lib/workflow/postgres_rolling/project.h"

namespace truenas::workflow {

bool advance_canary(PostgresWorld& world) {
  CanaryState& canary = world.canary;
  if (canary.pod_terminating) {
    canary.pod_uid = canary.pod_phase = canary.pod_waiting = canary.pod_fingerprint = "";
    canary.pod_terminating = canary.pod_passed_first_round = false;
    return true;
  }
  if (canary.claim_terminating && canary.pod_uid.empty()) {
    canary.claim_uid = canary.claim_phase = canary.volume = canary.volume_uid = canary.volume_policy = "";
    canary.claim_terminating = canary.first_round_passed = false;
    return true;
  }
  if (canary.pod_uid.empty() || canary.pod_terminating || canary.claim_uid.empty()) return false;
  if (canary.claim_phase == "Pending") {
    canary.claim_phase = "Bound";
    canary.volume = canary.volume_uid = "canary-volume";
    canary.volume_policy = world.to.reclaim_policy;
    return true;
  }
  if (canary.pod_phase != "Pending") return false;
  canary.pod_phase = "Succeeded";
  if (!canary.first_round_passed) {
    canary.first_round_passed = canary.pod_passed_first_round = true;
    return true;
  }
  for (CanaryAttempt* attempt : {&canary.as_is, &canary.without_fs_group}) {
    if (attempt->fingerprint == canary.pod_fingerprint) attempt->trial = Trial::passed;
  }
  return true;
}

}  // namespace truenas::workflow
