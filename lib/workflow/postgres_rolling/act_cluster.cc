// Effects on the Cluster, its instances and their volumes.

#include <fmt/format.h>

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cnpg/sql.h"
#include "lib/storage/volume.h"
#include "lib/workflow/postgres_rolling/state.h"
#include "lib/workflow/postgres_rolling/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using json::Value;
using kube::done;
using kube::PatchKind;
using kube::Writer;
using State = PostgresRolling::State;

Value test(std::string_view path, Value value) {
  return Value::object({{"op", "test"}, {"path", path}, {"value", std::move(value)}});
}

Value add(std::string_view path, Value value) {
  return Value::object({{"op", "add"}, {"path", path}, {"value", std::move(value)}});
}

// Metadata of a merge patch that must meet exactly this object.
Value only_if(std::string_view field, const std::string& value) {
  Value metadata = Value::object();
  if (!value.empty()) metadata.set(field, value);
  return metadata;
}

Result<void> patch_cluster(State& state, Writer& writer, PatchKind kind, const Value& patch,
                           std::string_view subresource = "") {
  return done(
      writer.patch(kube::k_cluster, state.options.ns, state.options.cluster, kind, patch, subresource));
}

Result<void> keep_volume(const Step& step, Writer& writer) {
  Value metadata = only_if("uid", step.argument("uid"));
  metadata.set("labels",
               Value::object({{std::string(storage::k_managed_by_label), storage::k_managed_by_value}}));
  metadata.set("annotations",
               Value::object({{std::string(k_original_policy_annotation), step.argument("original_policy")},
                              {std::string(k_kept_for_annotation), step.argument("cluster")}}));
  const Value patch = Value::object({{"metadata", std::move(metadata)},
                                     {"spec", Value::object({{"persistentVolumeReclaimPolicy", "Retain"}})}});
  return done(writer.patch(kube::k_volume, "", step.argument("volume"), PatchKind::merge, patch));
}

// Every setting that still says the old class, in one patch that fails when one of them was changed
// meanwhile.
Result<void> set_class(State& state, const Step& step, Writer& writer) {
  Value patch = Value::array({test("/metadata/uid", step.argument("uid"))});
  for (const std::string& field : split(step.argument("fields"), ',')) {
    const Value* now = state.world->cluster.object.at(field);
    if (now != nullptr && !now->is_null()) patch.push_back(test(field, step.argument("from")));
    patch.push_back(add(field, step.argument("to")));
  }
  return patch_cluster(state, writer, PatchKind::json, patch);
}

Result<void> scale(State& state, const Step& step, Writer& writer) {
  const int from = leading_number(step.argument("from"));
  const int to = leading_number(step.argument("to"));
  return patch_cluster(state, writer, PatchKind::json,
                       Value::array({test("/metadata/uid", step.argument("uid")),
                                     test("/spec/instances", from), add("/spec/instances", to)}));
}

Result<void> drop_fs_group(State& state, const Step& step, Writer& writer) {
  const cnpg::ClusterShape& shape = state.world->site.facts.shape;
  Value metadata = only_if("uid", step.argument("uid"));
  metadata.set("resourceVersion", step.argument("resource_version"));
  const Value context = Value::object(
      {{"runAsUser", shape.uid}, {"runAsGroup", shape.gid}, {"runAsNonRoot", true}, {"fsGroup", nullptr}});
  return patch_cluster(state, writer, PatchKind::merge,
                       Value::object({{"metadata", std::move(metadata)},
                                      {"spec", Value::object({{"podSecurityContext", context}})}}));
}

Result<void> switch_over(State& state, const Step& step, Writer& writer) {
  const std::string to = step.argument("to");
  const Value patch = Value::object(
      {{"metadata", only_if("resourceVersion", step.argument("resource_version"))},
       {"status", Value::object({{"targetPrimary", to},
                                 {"targetPrimaryTimestamp", format_micro_time(state.clock.wall())},
                                 {"phase", "Switchover in progress"},
                                 {"phaseReason", "Switching over to " + to}})}});
  return patch_cluster(state, writer, PatchKind::merge, patch, "status");
}

Result<void> touch(State& state, Writer& writer) {
  const Value stamp = Value::object({{"truenas-migrate/touched-at", format_micro_time(state.clock.wall())}});
  return patch_cluster(state, writer, PatchKind::merge,
                       Value::object({{"metadata", Value::object({{"annotations", stamp}})}}));
}

// The last look before an instance goes: its volumes and the primary's, as they are now.
Result<void> require_retained(const State& state, const std::string& instance) {
  for (const auto& claim : state.world->cluster.claims) {
    if (claim.instance != instance && claim.instance != state.world->cluster.current_primary) continue;
    TM_TRY_ASSIGN(const Value volume, state.reader.get(kube::k_volume, "", claim.volume));
    if (volume.text_at("/spec/persistentVolumeReclaimPolicy") == "Retain") continue;
    return make_error(Kind::conflict, fmt::format("persistentvolume {} of claim {}/{} is no longer Retain",
                                                  claim.volume, state.options.ns, claim.name));
  }
  return {};
}

Result<void> mark(State& state, const Step& step, Writer& writer, const Value& value) {
  Value metadata = only_if("uid", step.argument("uid"));
  metadata.set("annotations", Value::object({{"alpha.cnpg.io/unrecoverable", value}}));
  return done(writer.patch(kube::k_pod, state.options.ns, step.argument("instance"), PatchKind::merge,
                           Value::object({{"metadata", std::move(metadata)}})));
}

Result<void> remove(State& state, const Step& step, Writer& writer, const kube::ResourceType& type,
                    const char* name) {
  kube::DeleteOptions options;
  options.uid = step.argument("uid");
  return writer.remove(type, state.options.ns, step.argument(name), options);
}

}  // namespace

Result<void> act_on_cluster(State& state, const Step& step, Writer& writer) {
  const std::string& verb = step.verb;
  if (verb == "keep-volume") return keep_volume(step, writer);
  if (verb == "set-class") return set_class(state, step, writer);
  if (verb == "add-spare" || verb == "remove-spare") return scale(state, step, writer);
  if (verb == "drop-fs-group") return drop_fs_group(state, step, writer);
  if (verb == "switch-over") return switch_over(state, step, writer);
  if (verb == "touch-cluster") return touch(state, writer);
  if (verb == "checkpoint") return cnpg::checkpoint(writer, {state.options.ns, step.argument("pod")});
  if (verb == "remove-mark") return mark(state, step, writer, nullptr);
  if (verb == "delete-job") return remove(state, step, writer, kube::k_job, "name");
  const bool takes_away = verb == "mark-unrecoverable" || verb == "delete-claim" || verb == "delete-pod";
  if (!takes_away) return make_error(Kind::bug, fmt::format("no such verb: {}", verb));
  if (!writer.server_dry_run()) TM_TRY(require_retained(state, step.argument("instance")));
  if (verb == "mark-unrecoverable") return mark(state, step, writer, "true");
  if (verb == "delete-claim") return remove(state, step, writer, kube::k_claim, "name");
  return remove(state, step, writer, kube::k_pod, "instance");
}

}  // namespace truenas::workflow
