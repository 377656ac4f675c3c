// An adoption probe from its volume to what was seen.

#include <fmt/format.h>

#include "lib/base/interrupt.h"
#include "lib/base/quantity.h"
#include "lib/storage/adoption.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/volume_patch.h"
#include "lib/workflow/adoption_probe.h"

namespace truenas::workflow {
namespace {

using json::Value;

constexpr Milliseconds k_poll{500};
constexpr int k_nudge_every = 10;  // polls

bool is_probe_of(const Value& object, const AdoptionProbeRequest& request) {
  return kube::label_of(object, storage::k_component_label) == storage::k_adoption_probe_value &&
         kube::label_of(object, storage::k_for_uid_label) == request.old_volume.text_at("/metadata/uid");
}

Error refusal_of(const Error& error, const std::string& what) {
  if (error.kind == Kind::outcome_unknown || error.kind == Kind::unavailable) {
    return make_error(Kind::unavailable, error.what, error.hints);
  }
  return make_error(Kind::refused, fmt::format("{} would not be taken: {}", what, error.what), error.hints);
}

// Created, or there already because the reply was lost. What was made by somebody else is an error.
Result<void> made(const Result<Value>& created, const kube::Reader& reader, const kube::ResourceType& type,
                  const AdoptionProbeRequest& request, const std::string& ns) {
  if (created.ok()) return {};
  if (created.error().kind != Kind::outcome_unknown) return created.error();
  TM_TRY_ASSIGN(const auto found, reader.find(type, ns, adoption_probe_name(request)));
  if (found && is_probe_of(*found, request)) return {};
  return make_error(Kind::unavailable, created.error().what, created.error().hints);
}

Result<void> check(const AdoptionProbeRequest& request) {
  if (request.old_volume.text_at("/metadata/uid").empty() || request.ns.empty()) {
    return make_error(Kind::bug, "an adoption probe needs a namespace and a volume with its uid");
  }
  const auto volume = adoption_probe_volume(request);
  if (!volume.ok()) return volume.error();
  return {};
}

}  // namespace

Result<void> AdoptionProbe::try_it(const AdoptionProbeRequest& request) {
  TM_TRY(check(request));
  kube::Writer trial = writer_.trying();
  const std::string name = adoption_probe_name(request);
  const auto volume = trial.create(kube::k_volume, "", *adoption_probe_volume(request));
  if (!volume.ok() && volume.error().kind != Kind::conflict) {
    return refusal_of(volume.error(), kube::describe(kube::k_volume, "", name));
  }
  const auto claim = trial.create(kube::k_claim, request.ns, adoption_probe_claim(request));
  if (!claim.ok() && claim.error().kind != Kind::conflict) {
    return refusal_of(claim.error(), kube::describe(kube::k_claim, request.ns, name));
  }
  // The place is chosen without the claim, which is not there yet.
  MoverRequest bare = adoption_probe_mover(request);
  bare.mounts.clear();
  MoverRun mover(reader_, writer_, program_, *clock_);
  return mover.try_it(bare);
}

Result<void> AdoptionProbe::make_volume(const AdoptionProbeRequest& request) {
  TM_TRY_ASSIGN(const Value wanted, adoption_probe_volume(request));
  TM_TRY(made(writer_.create(kube::k_volume, "", wanted), reader_, kube::k_volume, request, ""));
  TM_TRY_ASSIGN(const Value volume, reader_.get(kube::k_volume, "", adoption_probe_name(request)));
  // A webhook may have had other ideas.
  TM_TRY_ASSIGN(const Value kept, retained(volume));
  for (const char* pointer : {"/spec/csi", "/spec/nfs", "/spec/accessModes"}) {
    const Value *seen = kept.at(pointer), *right = wanted.at(pointer);
    if (right == nullptr ? seen == nullptr : seen != nullptr && *seen == *right) continue;
    return make_error(Kind::refused,
                      fmt::format("{} is not as it was created: {} is {}", kube::describe(kept), pointer,
                                  seen == nullptr ? "gone" : json::write(*seen)));
  }
  return {};
}

Result<void> AdoptionProbe::make_claim(const AdoptionProbeRequest& request) {
  return made(writer_.create(kube::k_claim, request.ns, adoption_probe_claim(request)), reader_,
              kube::k_claim, request, request.ns);
}

// Any update wakes the binder, which otherwise may come by only every 15 s (facts/truenas.md §8.3). Whether
// it worked is seen by looking on.
void AdoptionProbe::nudge(const Value& claim) {
  const kube::Identity identity = kube::identity_of(claim);
  const Value stamp = Value::object({{"truenas-migrate/nudge", std::to_string(clock_->steady().count())}});
  const auto nudged = writer_.patch(
      kube::k_claim, identity.ns, identity.name, kube::PatchKind::merge,
      Value::object({{"metadata", Value::object({{"uid", identity.uid}, {"annotations", stamp}})}}));
  if (!nudged.ok()) say(fmt::format("{}: {}", kube::describe(claim), nudged.error().what));
}

Result<void> AdoptionProbe::wait_bound(const AdoptionProbeRequest& request) {
  const std::string name = adoption_probe_name(request);
  const Milliseconds since = clock_->steady();
  for (int polls = 0;; ++polls) {
    TM_TRY_ASSIGN(const Value claim, reader_.get(kube::k_claim, request.ns, name));
    const std::string& phase = claim.text_at("/status/phase");
    if (phase == "Bound") {
      TM_TRY_ASSIGN(const Value volume, reader_.get(kube::k_volume, "", name));
      if (claim.text_at("/spec/volumeName") == name &&
          volume.text_at("/spec/claimRef/uid") == kube::identity_of(claim).uid) {
        return {};
      }
      return make_error(Kind::stopped, fmt::format("{} is bound, but not to persistentvolume {}",
                                                   kube::describe(claim), name));
    }
    if (clock_->steady() - since >= request.bound_deadline) {
      return make_error(Kind::stopped, fmt::format("{} is {} after {}", kube::describe(claim),
                                                   phase.empty() ? "not bound" : phase,
                                                   format_elapsed(request.bound_deadline)));
    }
    if (interrupted()) return make_error(Kind::interrupted, "interrupted");
    if (polls % k_nudge_every == 1) nudge(claim);
    TM_TRY(clock_->sleep(k_poll));
  }
}

// Nothing when there is no attachment (any more): then only the files speak.
Result<void> AdoptionProbe::see_attachment(const AdoptionProbeRequest& request, AdoptionSight& sight) const {
  if (request.own_driver) return {};
  TM_TRY_ASSIGN(const auto attachments, reader_.list(kube::k_volume_attachment, ""));
  for (const Value& attachment : attachments) {
    if (attachment.text_at("/spec/source/persistentVolumeName") != adoption_probe_name(request)) continue;
    const auto checked = storage::check_attachment(attachment, request.old_volume);
    if (!checked.ok() && checked.error().kind != Kind::unavailable) return checked.error();
    if (!checked.ok()) continue;
    sight.server = attachment.text_at("/status/attachmentMetadata/nfsServer");
    sight.path = attachment.text_at("/status/attachmentMetadata/nfsPath");
  }
  return {};
}

Result<AdoptionSight> AdoptionProbe::look(const AdoptionProbeRequest& request) {
  say(fmt::format("mounting the dataset of {} read-only through {}", kube::describe(request.old_volume),
                  request.own_driver ? "its own driver" : request.driver));
  TM_TRY(make_volume(request));
  TM_TRY(make_claim(request));
  TM_TRY(wait_bound(request));
  AdoptionSight sight;
  MoverRun mover(reader_, writer_, program_, *clock_);
  mover.on_line = on_line;
  // The attachment goes soon after the Pod.
  mover.on_look = [&] {
    if (on_look) on_look();
    if (sight.path.empty()) (void)see_attachment(request, sight);
  };
  Result<storage::MoverEnd> end = mover.run(adoption_probe_mover(request));
  // Why it could not be attached says more than that the Pod did not start.
  TM_TRY(see_attachment(request, sight));
  if (!end.ok()) return end.error();
  sight.scan = std::move(*end);
  return sight;
}

Result<AdoptionSight> AdoptionProbe::run(const AdoptionProbeRequest& request) {
  TM_TRY(check(request));
  const std::string left = fmt::format("kubectl get pv,pvc -A -l {}", adoption_probe_selector(request));
  if (!interrupted() && !remove_remains(request)) {
    return make_error(Kind::stopped,
                      fmt::format("what an earlier probe of {} has left is still there",
                                  kube::describe(request.old_volume)),
                      {left});
  }
  Result<AdoptionSight> sight = interrupted() ? make_error(Kind::interrupted, "interrupted") : look(request);
  const bool clean = remove_remains(request);
  if (interrupted()) {
    return make_error(Kind::interrupted, "interrupted",
                      {clean ? "what the probe has made is removed"
                             : "the next probe of this volume removes what is left behind: " + left});
  }
  if (!sight.ok()) return clean ? sight.error() : sight.error().with_hint(left);
  if (!clean) {
    return make_error(
        Kind::stopped,
        fmt::format("what the probe of {} has made is not gone yet", kube::describe(request.old_volume)),
        {left});
  }
  return sight;
}

}  // namespace truenas::workflow
