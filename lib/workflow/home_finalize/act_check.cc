// The comparison on a cluster. The old volume has no claim: it is mounted through a second, read-only volume
// object with a claim of its own, so that the old one stays as it is, Released and Retain.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/adoption_probe.h"
#include "lib/workflow/home_finalize/check.h"

namespace truenas::workflow {
namespace {

using json::Value;

bool one_pod_only(const Value& claim) {
  const auto& modes = claim.items_at("/spec/accessModes");
  return std::any_of(modes.begin(), modes.end(),
                     [](const Value& mode) { return mode.text() == "ReadWriteOncePod"; });
}

// Why nobody but its user's Pod can mount it; "" when somebody can.
Result<std::string> why_not_mounted(const kube::Reader& reader, const std::string& ns,
                                    const std::string& name) {
  TM_TRY_ASSIGN(const auto claim, reader.find(kube::k_claim, ns, name));
  if (!claim || !one_pod_only(*claim)) return std::string();
  TM_TRY_ASSIGN(const std::vector<Value> pods, reader.list(kube::k_pod, ns));
  for (const Value& pod : pods) {
    const std::string& phase = pod.text_at("/status/phase");
    if (phase == "Succeeded" || phase == "Failed" || !kube::mounts(pod, name)) continue;
    return fmt::format("it is ReadWriteOncePod, and {} mounts it; stop the workspace", kube::describe(pod));
  }
  return std::string();
}

AdoptionProbeRequest probe_of(const FinalizeOptions& options, const std::string& uid) {
  AdoptionProbeRequest request;
  request.ns = options.ns;
  request.own_driver = true;
  request.old_volume = Value::object({{"metadata", Value::object({{"uid", uid}})}});
  return request;
}

}  // namespace

Result<void> HomeFinalize::look_at_check(FinalizeWorld& world) const {
  TM_TRY_ASSIGN(const auto left,
                tools_.reader.find(kube::k_volume, "", adoption_probe_name(world.facts.source.uid)));
  world.check_left = left.has_value();
  AgreedVolumes now = volumes_of(world);
  if (!world.old.exists) now.old_uid = checked_volumes_.old_uid;
  if (checked_volumes_ == now) world.checked = checked_;
  if (options_.no_check || !world.old.exists || world.adopted) return {};
  const auto& equal = world.facts.equal;
  if (!tools_.program) {
    world.cannot_check = "there is no mover";
  } else if (!equal || equal->source_change.empty() || equal->target_change.empty()) {
    world.cannot_check = "the journal does not say when they were equal";
  } else {
    TM_TRY_ASSIGN(world.cannot_check, why_not_mounted(tools_.reader, options_.ns, options_.claim));
  }
  return {};
}

Result<void> HomeFinalize::act_on_check(const engine::Step& step, kube::Writer& writer) {
  Clock& clock = tools_.clock == nullptr ? system_clock() : *tools_.clock;
  AdoptionProbe probe(tools_.reader, writer, tools_.program, clock);
  probe.on_line = tools_.on_line;
  AdoptionProbeRequest request = probe_of(options_, world_->facts.source.uid);
  if (step.verb == "remove-check") {
    if (probe.remove_remains(request)) return {};
    return make_error(Kind::stopped, "what a comparison that was killed has made is still there",
                      {fmt::format("kubectl get pv,pvc -A -l {}", adoption_probe_selector(request))});
  }
  TM_TRY_ASSIGN(request.old_volume, tools_.reader.get(kube::k_volume, "", world_->old.name));
  if (kube::identity_of(request.old_volume).uid != world_->old.uid) {
    return make_error(Kind::conflict, fmt::format("persistentvolume {} was made anew", world_->old.name));
  }
  request.driver = world_->old.driver;
  request.storage_class = world_->old.storage_class;
  request.expected_type = "";
  request.wishes = tools_.wishes;
  request.arguments = check_words(*world_->facts.equal, options_);
  request.more = {{options_.claim, k_checked_home, true}};
  if (writer.server_dry_run()) return probe.try_it(request);
  const AgreedVolumes volumes = volumes_of(*world_);
  TM_TRY_ASSIGN(const AdoptionSight sight, probe.run(request));
  TM_TRY_ASSIGN(std::string seen, judge_check(options_, world_->old, sight.scan));
  if (tools_.on_line) tools_.on_line(seen);
  checked_ = std::move(seen);
  checked_volumes_ = volumes;
  return {};
}

}  // namespace truenas::workflow
