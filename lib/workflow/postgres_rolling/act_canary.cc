// Effects on the canary: its claim, its Pod, and the volume behind them.

#include <fmt/format.h>

#include "lib/cnpg/canary.h"
#include "lib/workflow/postgres_rolling/state.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using json::Value;
using kube::done;
using State = PostgresRolling::State;

Result<void> create_pod(State& state, const Step& step, kube::Writer& writer) {
  const std::string name = step.argument("name");
  Value pod = cnpg::canary_pod(state.world->cluster, name, name, step.argument("without_fs_group") == "true");
  pod.set_at("/metadata/annotations/" + json::pointer_token(k_fingerprint_annotation),
             step.argument("fingerprint"));
  return done(writer.create(kube::k_pod, state.options.ns, pod));
}

// A class that keeps its volumes would leave the canary's behind for ever. It is let go only while it is the
// volume of exactly this claim.
Result<void> release_volume(State& state, const Step& step, kube::Writer& writer) {
  const std::string name = step.argument("volume");
  TM_TRY_ASSIGN(const Value volume, state.reader.get(kube::k_volume, "", name));
  if (volume.text_at("/spec/claimRef/uid") != step.argument("claim_uid")) {
    return make_error(Kind::conflict, fmt::format("persistentvolume {} belongs to another claim", name));
  }
  const Value patch = Value::object(
      {{"metadata", Value::object({{"uid", step.argument("uid")},
                                   {"resourceVersion", kube::identity_of(volume).resource_version}})},
       {"spec", Value::object({{"persistentVolumeReclaimPolicy", "Delete"}})}});
  return done(writer.patch(kube::k_volume, "", name, kube::PatchKind::merge, patch));
}

}  // namespace

Result<void> act_on_canary(State& state, const Step& step, kube::Writer& writer) {
  const std::string name = step.argument("name");
  const std::string& ns = state.options.ns;
  if (step.verb == "create-canary-claim") {
    return done(writer.create(kube::k_claim, ns,
                              cnpg::canary_claim(state.world->cluster, step.argument("class"), name)));
  }
  if (step.verb == "create-canary-pod") return create_pod(state, step, writer);
  if (step.verb == "release-canary-volume") return release_volume(state, step, writer);
  kube::DeleteOptions options;
  options.uid = step.argument("uid");
  if (step.verb == "delete-canary-claim") return writer.remove(kube::k_claim, ns, name, options);
  if (step.verb == "delete-canary-pod") {
    options.grace_period_seconds = 5;  // it holds nothing worth a clean stop
    return writer.remove(kube::k_pod, ns, name, options);
  }
  return make_error(Kind::bug, fmt::format("no such verb: {}", step.verb));
}

}  // namespace truenas::workflow
