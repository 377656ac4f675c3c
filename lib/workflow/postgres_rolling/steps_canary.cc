// Steps of the canary: a throw-away claim of the target class and a Pod that runs PostgreSQL on it.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {

using engine::Step;

namespace {

// What the canary made goes again. Nothing to try on the server: it does not exist yet when a plan is shown.
Step clear_away(std::string id, std::string verb) {
  Step step;
  step.id = std::move(id);
  step.verb = std::move(verb);
  step.leaves_no_trace = true;
  step.can_be_tried = false;
  return step;
}

}  // namespace

std::string canary_name(const PostgresWorld& world) {
  return cut_name(world.cluster.name + "-class-canary");
}

Step create_canary_claim(const PostgresWorld& world) {
  Step step;
  const std::string name = canary_name(world);
  step.id = "create canary claim";
  step.verb = "create-canary-claim";
  step.leaves_no_trace = true;
  step.object = fmt::format("persistentvolumeclaim {}/{}", world.cluster.ns, name);
  step.arguments = {{"name", name}, {"class", world.to.name}};
  step.title = fmt::format("create the throw-away claim {} on {}", name, world.to.name);
  step.reason = "whether the class can carry PostgreSQL is tried before anything is changed";
  step.undo = "it is deleted in any case";
  return step;
}

Step create_canary_pod(const PostgresWorld& world, bool without_fs_group) {
  Step step;
  const std::string name = canary_name(world);
  const int round = world.canary.first_round_passed ? 2 : 1;
  step.id = fmt::format("create canary pod{}, round {}", without_fs_group ? " without fsGroup" : "", round);
  step.verb = "create-canary-pod";
  step.leaves_no_trace = true;
  step.object = fmt::format("pod {}/{}", world.cluster.ns, name);
  step.arguments = {{"name", name},
                    {"without_fs_group", without_fs_group ? "true" : "false"},
                    {"fingerprint", without_fs_group ? world.canary.without_fs_group.fingerprint
                                                     : world.canary.as_is.fingerprint}};
  const std::string how = without_fs_group ? " without fsGroup" : "";
  if (round == 2) {
    step.title = fmt::format("mount the claim again{} and start PostgreSQL once more: pod {}", how, name);
    step.reason =
        "an instance mounts its volume anew after its join job: what fsGroup does to it shows only then";
  } else {
    step.title = fmt::format("run initdb, start and stop PostgreSQL on it{}: pod {}", how, name);
    step.reason = "same image, user and security context as the cluster";
  }
  if (round == 1 && !without_fs_group && world.canary.uses_fs_group) {
    step.reason +=
        "; should it pass only without fsGroup, spec.podSecurityContext is set first, which restarts every "
        "pod "
        "on its old volume (one more switchover)";
  }
  step.undo = "it is deleted in any case";
  return step;
}

Step delete_canary_pod(const PostgresWorld& world) {
  const std::string name = canary_name(world);
  Step step = clear_away("delete canary pod " + world.canary.pod_uid, "delete-canary-pod");
  step.object = fmt::format("pod {}/{}", world.cluster.ns, name);
  step.arguments = {{"name", name}, {"uid", world.canary.pod_uid}};
  step.title = fmt::format("delete the canary's pod {}", name);
  step.reason = "it has served";
  return step;
}

Step release_canary_volume(const PostgresWorld& world) {
  Step step = clear_away("release canary volume " + world.canary.volume, "release-canary-volume");
  step.object = "persistentvolume " + world.canary.volume;
  step.arguments = {{"volume", world.canary.volume},
                    {"uid", world.canary.volume_uid},
                    {"claim_uid", world.canary.claim_uid}};
  step.title = "let the canary's volume go with its claim";
  step.reason = fmt::format("class {} keeps volumes; this one holds nothing but the trial", world.to.name);
  return step;
}

Step delete_canary_claim(const PostgresWorld& world) {
  const std::string name = canary_name(world);
  Step step = clear_away("delete canary claim " + world.canary.claim_uid, "delete-canary-claim");
  step.object = fmt::format("persistentvolumeclaim {}/{}", world.cluster.ns, name);
  step.arguments = {{"name", name}, {"uid", world.canary.claim_uid}};
  step.title = fmt::format("delete the canary's claim {}", name);
  step.reason = "it has served; its volume goes with it";
  return step;
}

}  // namespace truenas::workflow
