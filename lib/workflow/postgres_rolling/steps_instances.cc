// Steps that change instances: spares, replacements, the switchover, the proof, and the two nudges.

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;

Step on_cluster(const PostgresWorld& world, const std::string& id, const std::string& verb) {
  Step step;
  step.id = id;
  step.verb = verb;
  step.object = "cluster " + full_name(world);
  step.arguments = {{"resource_version", world.cluster.resource_version}, {"uid", world.cluster.uid}};
  return step;
}

Step scale(const PostgresWorld& world, const std::string& verb, int to) {
  Step step = on_cluster(world, fmt::format("{}: {} instances", verb, to), verb);
  step.arguments["from"] = std::to_string(world.cluster.instances);
  step.arguments["to"] = std::to_string(to);
  step.settle_polls = 2;
  return step;
}

std::string replica_reason(const PostgresWorld& world, const std::string& instance) {
  const int others = streaming_besides(world, instance);
  return fmt::format(
      "the operator makes it anew from the primary on {}; the primary{} go on", world.to.name,
      others == 0 ? "" : fmt::format(" and {}", count_of(static_cast<std::size_t>(others), "other replica")));
}

constexpr const char* k_old_volume_stays = "the old volume stays (Retain); its bytes are old from now on";

}  // namespace

Step add_spare(const PostgresWorld& world) {
  const int now = world.cluster.instances;
  Step step = scale(world, "add-spare", now + 1);
  step.title = fmt::format("add a {}: spec.instances {} -> {}",
                           now == 1 ? "temporary replica" : "spare instance", now, now + 1);
  step.reason = now == 1 ? "a single instance can only move by way of a replica on the new class"
                         : "so that a replica streams while another one is replaced";
  step.undo = "it is removed at the end";
  return step;
}

Step remove_spare(const PostgresWorld& world) {
  const int now = world.cluster.instances;
  Step step = scale(world, "remove-spare", now - 1);
  step.title = fmt::format("remove the spare instance: spec.instances {} -> {}", now, now - 1);
  step.reason =
      fmt::format("the cluster had {} before; the operator removes {} and its volume is kept (Retain)",
                  count_of(static_cast<std::size_t>(now - 1), "instance"), next_to_be_scaled_down(world));
  step.undo = fmt::format("set spec.instances to {} again", now);
  step.can_be_tried = false;
  return step;
}

Step mark_unrecoverable(const PostgresWorld& world, const std::string& instance) {
  const cnpg::InstancePod* pod = cnpg::find_pod(world.cluster, instance);
  Step step;
  step.id = "replace instance " + instance + (pod == nullptr ? "" : " " + pod->uid);
  step.verb = "mark-unrecoverable";
  step.object = "pod " + world.cluster.ns + "/" + instance;
  step.arguments = {{"instance", instance}, {"uid", pod == nullptr ? "" : pod->uid}};
  step.title = fmt::format("replace replica {}: mark its pod unrecoverable", instance);
  step.reason = replica_reason(world, instance);
  step.undo = k_old_volume_stays;
  step.settle_polls = 2;
  return step;
}

Step remove_mark(const PostgresWorld& world, const cnpg::InstancePod& pod) {
  Step step;
  step.id = "remove mark of pod " + pod.name + " " + pod.uid;
  step.verb = "remove-mark";
  step.object = "pod " + world.cluster.ns + "/" + pod.name;
  step.arguments = {{"instance", pod.name}, {"uid", pod.uid}};
  step.title = fmt::format("remove the mark unrecoverable of pod {}", pod.name);
  step.reason =
      operator_replaces_marked(world)
          ? "it is or becomes the primary: the operator must not destroy it once it is a replica again"
          : "this operator does not act on it, and a later one must not";
  return step;
}

Step delete_job(const PostgresWorld& world, const cnpg::InstanceJob& job) {
  Step step;
  step.id = "delete job " + job.name + " " + job.uid;
  step.verb = "delete-job";
  step.object = "job " + world.cluster.ns + "/" + job.name;
  step.arguments = {{"name", job.name}, {"uid", job.uid}, {"instance", job.instance}};
  step.title = fmt::format("delete the finished job {}", job.name);
  step.reason = "the operator cannot make a new one under its name";
  return step;
}

Step delete_claim(const PostgresWorld& world, const cnpg::InstanceClaim& claim) {
  Step step;
  step.id = "delete claim " + claim.name + " " + claim.uid;
  step.verb = "delete-claim";
  step.object = "persistentvolumeclaim " + world.cluster.ns + "/" + claim.name;
  step.arguments = {
      {"name", claim.name}, {"uid", claim.uid}, {"instance", claim.instance}, {"volume", claim.volume}};
  step.title = fmt::format("replace replica {}: delete claim {}", claim.instance, claim.name);
  step.reason = replica_reason(world, claim.instance);
  step.undo = k_old_volume_stays;
  step.settle_polls = 2;
  return step;
}

Step delete_pod(const PostgresWorld& world, const cnpg::InstancePod& pod) {
  Step step;
  step.id = "delete pod " + pod.name + " " + pod.uid;
  step.verb = "delete-pod";
  step.object = "pod " + world.cluster.ns + "/" + pod.name;
  step.arguments = {{"instance", pod.name}, {"uid", pod.uid}};
  step.title = fmt::format("replace replica {}: delete pod {}", pod.name, pod.name);
  step.reason = "its claim goes only once nothing mounts it";
  step.undo = k_old_volume_stays;
  return step;
}

Step switch_over(const PostgresWorld& world, const std::string& to) {
  Step step = on_cluster(world, fmt::format("switch over to {}", to), "switch-over");
  step.arguments["from"] = world.cluster.current_primary;
  step.arguments["to"] = to;
  step.title = fmt::format("switch over from {} to {}", world.cluster.current_primary, to);
  step.reason = is_old(world, to)
                    ? fmt::format("{} streams, and the primary's claim is being deleted", to)
                    : fmt::format("{} streams from the primary and runs on {}; writers wait some seconds", to,
                                  world.to.name);
  step.undo = "switch back while an instance on the old class is left";
  step.settle_polls = 2;
  return step;
}

Step prove(const PostgresWorld& world, const RollingOptions& options) {
  Step step =
      on_cluster(world, fmt::format("prove run-{}.{}", world.facts.number, world.facts.proofs + 1), "prove");
  step.arguments["key"] = fmt::format("run-{}.proof-{}", world.facts.number, world.facts.proofs + 1);
  step.title = "compare every table on the primary and its replicas, by count and content";
  step.reason = fmt::format(
      "a table's writers may wait up to 2 s for the lock and while it is read; tables above {} are "
      "counted only",
      format_bytes(options.proof_max_bytes));
  step.deadline = Seconds(24 * 3600);
  step.can_be_tried = false;
  step.settle_polls = 2;
  return step;
}

Step checkpoint(const PostgresWorld& world) {
  Step step = on_cluster(world, "checkpoint", "checkpoint");
  step.object = "pod " + world.cluster.ns + "/" + world.cluster.current_primary;
  step.arguments["pod"] = world.cluster.current_primary;
  step.title = "CHECKPOINT in the primary";
  step.reason = "pg_basebackup waits for one; by itself it takes minutes";
  return step;
}

Step touch_cluster(const PostgresWorld& world) {
  Step step = on_cluster(world, "touch cluster", "touch-cluster");
  step.title = "touch the Cluster by an annotation";
  step.reason = "the operator sometimes forgets a replacement until something changes";
  return step;
}

}  // namespace truenas::workflow
