// The effects of an adoption: its trial, the volume object, the proof. The dataset is the user's live data:
// nothing here writes to it, deletes a volume object but the trial's own, or gives any a policy but Retain.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/adoption_probe.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using json::Value;
using storage::MoverEnd;
using State = WorkspaceCopy::State;
using Line = std::function<void(const std::string&)>;

constexpr const char* k_source = "/source";

// The old volume as it is now.
Result<Value> old_volume(const State& state) {
  const VolumeState& source = home_now(*state.world);
  TM_TRY_ASSIGN(Value volume, state.tools.reader.get(kube::k_volume, "", source.name));
  if (kube::identity_of(volume).uid == source.uid) return volume;
  return make_error(Kind::conflict, fmt::format("persistentvolume {} was made anew", source.name));
}

Result<AdoptionProbeRequest> probe_request(const State& state) {
  AdoptionProbeRequest request;
  request.ns = state.options.ns;
  TM_TRY_ASSIGN(request.old_volume, old_volume(state));
  request.driver = state.world->to.provisioner;
  request.storage_class = state.options.to_class;
  // Which mount it is, is told by comparing what both drivers show.
  request.expected_type = "";
  request.wishes = state.tools.wishes;
  return request;
}

// What lies directly in the root of the home, through its own claim. `on_look`: once a second.
Result<MoverEnd> read_root(State& state, kube::Writer& writer, const Line& on_line,
                           const std::function<void()>& on_look) {
  MoverRun run(state.tools.reader, writer, state.tools.program, state.tools.clock);
  run.on_line = on_line;
  run.on_look = on_look;
  MoverRequest request;
  request.ns = state.options.ns;
  request.run = fmt::format("{}-{}", state.tools.run, ++state.movers);
  request.arguments = {"scan", "--top", "--expect-source-mount", k_source};
  request.mounts = {{state.options.claim, k_source, true}};
  request.wishes = state.tools.wishes;
  TM_TRY_ASSIGN(MoverEnd end, run.run(request));
  if (end.exit == 143) return make_error(Kind::interrupted, "interrupted");
  return end;
}

// Facts of the root's listing; an end without them has read nothing.
Result<DatasetSight> sight_of(const State& state, const MoverEnd& end, const char* through) {
  DatasetSight sight;
  sight.top = end.result.text_at("/facts/top");
  sight.names = end.result.text_at("/facts/top_names");
  if (end.exit == 0 && !sight.top.empty() && !sight.names.empty()) return sight;
  return make_error(Kind::stopped, fmt::format("cannot read the root of claim {} through {}: {}",
                                               state.options.full_name(), through, end.text));
}

// The same path on another NAS, a replica's for example, shows the same names.
Result<void> check_server(const State& state, const Value& volume, const AdoptionSight& sight) {
  const std::string& server = volume.text_at("/spec/csi/volumeAttributes/server");
  const bool same = !sight.path.empty() && storage::same_host(server, sight.server);
  if (same || state.options.accepted.contains(k_adopt_server)) return {};
  const std::string what =
      sight.path.empty()
          ? "the new driver does not say which server and path it mounts"
          : fmt::format(
                "the new driver mounts from {}, the old one from {}: whether that is the same NAS, and "
                "not one with a copy of the dataset, is not known here",
                sight.server.empty() ? "a server that it does not name" : sight.server, server);
  return make_error(Kind::refused,
                    fmt::format("[{}] claim {}: {}", k_adopt_server, state.options.full_name(), what),
                    {fmt::format("if it is the same NAS: --accept={}", k_adopt_server)});
}

// While somebody works there sizes and times move on.
Result<void> compare_sights(const State& state, const DatasetSight& before, const DatasetSight& after) {
  const bool used = !state.world->uses.empty() || state.disturbed;
  if (used ? before.names == after.names : before.top == after.top) return {};
  if (used) {
    return make_error(Kind::unavailable, fmt::format("the root of claim {} changes while it is read",
                                                     state.options.full_name()));
  }
  return make_error(
      Kind::refused,
      fmt::format("claim {} cannot be adopted: what the new driver mounts is not what the old one "
                  "shows at its root",
                  state.options.full_name()),
      {"look which NAS and dataset each driver serves", "or copy it: --strategy=copy"});
}

Result<void> probe(State& state, const Step& step, kube::Writer& writer, const Line& on_line) {
  TM_TRY_ASSIGN(const AdoptionProbeRequest request, probe_request(state));
  state.disturbed = false;
  const auto look = [&state] { look_at_users(state); };
  TM_TRY_ASSIGN(const MoverEnd before, read_root(state, writer, on_line, look));
  TM_TRY_ASSIGN(const DatasetSight old_sight, sight_of(state, before, "the old driver"));
  AdoptionProbe adoption(state.tools.reader, writer, state.tools.program, state.tools.clock);
  adoption.on_line = on_line;
  adoption.on_look = look;
  TM_TRY_ASSIGN(const AdoptionSight seen, adoption.run(request));
  TM_TRY_ASSIGN(DatasetSight sight, sight_of(state, seen.scan, "the new driver"));
  TM_TRY(check_server(state, request.old_volume, seen));
  TM_TRY(compare_sights(state, old_sight, sight));
  sight.path = seen.path;
  sight.stamp = state.world->stamp;
  TM_TRY(state.tools.facts.write(
      fmt::format("run-{}.sight-{}", state.world->facts.number, step.argument("number")),
      sight_value(sight)));
  // Of one that is still in use only the names count, and it is to be stopped yet.
  state.memory.sighted = !state.disturbed || state.world->coder;
  state.memory.stamp = sight.stamp;
  return {};
}

// Whoever sets the old volume back to Delete, or deletes it, between the last look and this one is seen.
Result<void> create_adopted(State& state, const Step& step, kube::Writer& writer) {
  TM_TRY_ASSIGN(const Value volume, old_volume(state));
  const std::string& policy = volume.text_at("/spec/persistentVolumeReclaimPolicy");
  if (policy != "Retain" || !volume.text_at("/metadata/deletionTimestamp").empty()) {
    return make_error(Kind::conflict, fmt::format("persistentvolume {} is not kept (policy {})",
                                                  state.world->source.name, policy));
  }
  TM_TRY_ASSIGN(
      const Value adopted,
      storage::adopted_volume(volume, adoption_target(*state.world, state.options, step.argument("volume"),
                                                      state.world->to.provisioner)));
  return kube::done(writer.create(kube::k_volume, "", adopted));
}

// What the new driver has attached while the home was read through its claim.
struct Served {
  std::string node, path;
};

Result<void> see_served(const State& state, Served& served) {
  SwapWorld now = *state.world;
  now.target_attached.clear();
  TM_TRY_ASSIGN(const HomeView::Objects attachments, state.tools.view.attachments());
  for (const Value& attachment : *attachments) add_target_attachment(attachment, now);
  for (const TargetAttachment& attachment : now.target_attached) {
    if (attachment.attached && !attachment.path.empty()) served = {attachment.node, attachment.path};
  }
  return {};
}

Result<void> check_served(const State& state, const Served& served) {
  const std::string& expected = state.world->facts.sight.path;
  if (expected.empty()) return {};  // the user has accepted that it is not said
  if (served.path.empty()) {
    return make_error(
        Kind::stopped,
        fmt::format("claim {} is on its adopted volume, but what the new driver mounts there was "
                    "not seen: no VolumeAttachment says it",
                    state.options.full_name()),
        {"run the same command again"});
  }
  if (storage::dataset_path(served.path) == storage::dataset_path(expected)) return {};
  return make_error(Kind::mismatch,
                    fmt::format("the new driver mounts {} for claim {}, the old one mounted {}", served.path,
                                state.options.full_name(), expected),
                    {"nothing is lost: the home's files are on the old volume's dataset; do not start the "
                     "workspace, go back: the same command with --rollback"});
}

Result<void> prove(State& state, kube::Writer& writer, const Line& on_line) {
  Served served;
  state.disturbed = false;
  TM_TRY_ASSIGN(const MoverEnd end, read_root(state, writer, on_line, [&] {
                  look_at_users(state);
                  if (served.path.empty()) (void)see_served(state, served);
                }));
  // The attachment outlives the Pod by some seconds.
  if (served.path.empty()) TM_TRY(see_served(state, served));
  TM_TRY_ASSIGN(const DatasetSight now, sight_of(state, end, "the new driver"));
  TM_TRY(check_served(state, served));
  const DatasetSight& before = state.world->facts.sight;
  const bool same = now.top == before.top;
  const bool worked_on = state.disturbed || state.world->stamp != before.stamp;
  if (!same && !worked_on && !state.options.accepted.contains(k_adopt_files)) {
    return make_error(
        Kind::mismatch,
        fmt::format("[{}] claim {}: what is read through it is not what was seen at its root before",
                    k_adopt_files, state.options.full_name()),
        {fmt::format("if its user has worked there since: --accept={}", k_adopt_files),
         "else do not start the workspace, and go back: the same command with --rollback"});
  }
  return state.tools.facts.write(
      fmt::format("run-{}.proved", state.world->facts.number),
      fmt::format("{}: {} on {}; {}", format_time(state.tools.clock.wall()), served.path, served.node,
                  same ? "the root is as it was" : "the home was in use since it was looked at"));
}

}  // namespace

Result<void> try_adoption(State& state, kube::Writer& writer) {
  TM_TRY_ASSIGN(const AdoptionProbeRequest request, probe_request(state));
  AdoptionProbe adoption(state.tools.reader, writer, state.tools.program, state.tools.clock);
  return adoption.try_it(request);
}

Result<void> act_on_adoption(State& state, const Step& step, kube::Writer& writer, const Line& on_line) {
  if (step.verb == "probe-adoption") return probe(state, step, writer, on_line);
  if (step.verb == "create-adopted") return create_adopted(state, step, writer);
  if (step.verb == "prove-adoption") return prove(state, writer, on_line);
  // Its volume may be gone by now, or the home be on another one.
  const RememberedVolume& source = state.world->facts.source;
  AdoptionProbeRequest request;
  request.ns = state.options.ns;
  request.old_volume = Value::object({{"metadata", Value::object({{"uid", source.uid}})}});
  AdoptionProbe adoption(state.tools.reader, writer, state.tools.program, state.tools.clock);
  adoption.on_line = on_line;
  if (adoption.remove_remains(request)) return {};
  return make_error(Kind::unavailable,
                    fmt::format("what the trial of {} has left is still there", source.name),
                    {fmt::format("kubectl get pv,pvc -A -l {}", adoption_probe_selector(request))});
}

}  // namespace truenas::workflow
