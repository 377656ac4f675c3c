// The end of an adoption probe. The volume object names the user's live dataset: it is deleted only by uid
// and in the very version that was read as Retain, and its claim only after that was read.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/storage/claim_swap.h"
#include "lib/storage/volume_patch.h"
#include "lib/workflow/adoption_probe.h"

namespace truenas::workflow {
namespace {

using json::Value;

constexpr Milliseconds k_poll{1000};
// Sweeps without a pause between them, for when there is no time: a volume changes once as its claim goes.
constexpr int k_hurried_sweeps = 4;

bool is_leaving(const Value& object) {
  return !object.text_at("/metadata/deletionTimestamp").empty();
}

bool is_retained(const Value& volume) {
  return volume.text_at("/spec/persistentVolumeReclaimPolicy") == "Retain";
}

kube::DeleteOptions exactly(const Value& object) {
  const kube::Identity identity = kube::identity_of(object);
  kube::DeleteOptions options;
  options.uid = identity.uid;
  options.resource_version = identity.resource_version;
  return options;
}

}  // namespace

// The volume as it is once it was read as Retain.
Result<Value> AdoptionProbe::retained(const Value& volume) {
  if (is_retained(volume)) return volume;
  const kube::Identity identity = kube::identity_of(volume);
  const auto kept = writer_.patch(kube::k_volume, "", identity.name, kube::PatchKind::json,
                                  storage::retain_patch(identity.uid));
  TM_TRY_ASSIGN(Value now, reader_.get(kube::k_volume, "", identity.name));
  if (kube::identity_of(now).uid == identity.uid && is_retained(now)) return now;
  return make_error(Kind::refused,
                    fmt::format("{} is not Retain ({}); nothing of it is deleted, for that would delete the "
                                "data: {}",
                                kube::describe(volume), now.text_at("/spec/persistentVolumeReclaimPolicy"),
                                kept.ok() ? "somebody changes it back" : kept.error().what),
                    {fmt::format("kubectl patch pv {} -p '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":"
                                 "\"Retain\"}}}}'",
                                 identity.name)});
}

Result<void> AdoptionProbe::remove_pods(const std::string& ns, const std::string& claim, Remains& remains) {
  kube::ListOptions options;
  options.label_selector = "app.kubernetes.io/component=mover";
  TM_TRY_ASSIGN(const auto pods, reader_.list(kube::k_pod, ns, options));
  for (const Value& pod : pods) {
    if (!kube::mounts(pod, claim)) continue;
    ++remains.leaving;
    if (is_leaving(pod)) continue;
    kube::DeleteOptions deletion;
    deletion.uid = kube::identity_of(pod).uid;
    TM_TRY(writer_.remove(kube::k_pod, ns, kube::identity_of(pod).name, deletion));
  }
  return {};
}

// Deleting a claim deletes what its volume is, unless that is Retain: so the volume is read first, and one
// that is not the probe's own is never touched, nor its claim.
Result<void> AdoptionProbe::remove_claim(const Value& claim, Remains& remains) {
  const kube::Identity identity = kube::identity_of(claim);
  const std::string& name = claim.text_at("/spec/volumeName");
  if (!name.empty()) {
    TM_TRY_ASSIGN(const auto volume, reader_.find(kube::k_volume, "", name));
    if (volume) {
      if (kube::label_of(*volume, storage::k_component_label) != storage::k_adoption_probe_value) {
        return make_error(Kind::refused, fmt::format("{} has the volume {}, which is not the probe's",
                                                     kube::describe(claim), name));
      }
      TM_TRY(retained(*volume));
    }
  }
  TM_TRY(remove_pods(identity.ns, identity.name, remains));
  if (!is_leaving(claim)) {
    kube::DeleteOptions deletion;
    deletion.uid = identity.uid;
    TM_TRY(writer_.remove(kube::k_claim, identity.ns, identity.name, deletion));
  }
  ++remains.leaving;
  return {};
}

// One round: everything that is there is asked to go, and counted.
Result<AdoptionProbe::Remains> AdoptionProbe::sweep(const AdoptionProbeRequest& request) {
  Remains remains;
  kube::ListOptions options;
  options.label_selector = adoption_probe_selector(request);
  TM_TRY_ASSIGN(const auto volumes, reader_.list(kube::k_volume, "", options));
  for (const Value& volume : volumes) TM_TRY(retained(volume));
  TM_TRY_ASSIGN(const auto claims, reader_.list(kube::k_claim, request.ns, options));
  for (const Value& claim : claims) TM_TRY(remove_claim(claim, remains));
  for (const Value& listed : volumes) {
    TM_TRY_ASSIGN(const auto volume, reader_.find(kube::k_volume, "", kube::identity_of(listed).name));
    if (!volume || kube::identity_of(*volume).uid != kube::identity_of(listed).uid) continue;
    if (is_leaving(*volume)) {
      ++remains.leaving;
      continue;
    }
    TM_TRY_ASSIGN(const Value kept, retained(*volume));
    const auto removed = writer_.remove(kube::k_volume, "", kube::identity_of(kept).name, exactly(kept));
    // Changed since it was read: another round reads it again.
    if (!removed.ok() && removed.error().kind != Kind::conflict) return removed.error();
    ++(removed.ok() ? remains.leaving : remains.standing);
  }
  // The attachment goes last, and the driver would find the adopted volume's under the same name.
  TM_TRY_ASSIGN(const auto attachments, reader_.list(kube::k_volume_attachment, ""));
  remains.leaving += static_cast<std::size_t>(
      std::count_if(attachments.begin(), attachments.end(), [&](const Value& attachment) {
        return attachment.text_at("/spec/source/persistentVolumeName") == adoption_probe_name(request);
      }));
  return remains;
}

bool AdoptionProbe::remove_remains(const AdoptionProbeRequest& request) {
  const Milliseconds since = clock_->steady();
  std::string said;
  for (int sweeps = 1;; ++sweeps) {
    if (on_look) on_look();
    const auto remains = sweep(request);
    if (remains.ok() && remains->standing + remains->leaving == 0) return true;
    if (!remains.ok() && remains.error().what != said) {
      said = remains.error().what;
      say("what the probe has made is still there: " + said);
    }
    // Known refusals do not pass by waiting.
    if (!remains.ok() && (remains.error().kind == Kind::refused || remains.error().kind == Kind::auth)) {
      return false;
    }
    const bool hurried = interrupted();
    if (hurried && remains.ok() && remains->standing == 0) return true;
    if (hurried ? sweeps >= k_hurried_sweeps : clock_->steady() - since >= request.gone_deadline)
      return false;
    if (!hurried && !clock_->sleep(k_poll).ok() && sweeps >= k_hurried_sweeps) return false;
  }
}

}  // namespace truenas::workflow
