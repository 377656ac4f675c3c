#include <fmt/format.h>

#include "lib/base/interrupt.h"
#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "lib/workflow/class_probe.h"

namespace truenas::workflow {
namespace {

using json::Value;

constexpr Milliseconds k_poll{1000};
constexpr Seconds k_bound_deadline{120};

std::string selector_of(const ProbeRequest& request) {
  return fmt::format("app.kubernetes.io/component=probe,{}={}", storage::k_mover_run_label, request.run);
}

// A refusal of a claim (quota, LimitRange) or of a Pod.
Error refusal_of(const Error& error, const std::string& what) {
  if (error.kind == Kind::outcome_unknown || error.kind == Kind::unavailable) {
    return make_error(Kind::unavailable, error.what, error.hints);
  }
  return make_error(Kind::refused, fmt::format("{} would not be taken: {}", what, error.what), error.hints);
}

std::size_t copied_from(const ProbeRequest& request, std::size_t index) {
  return index == 0 && request.classes.size() > 1 ? 1 : index;
}

MoverRequest mover_request(const ProbeRequest& request, std::size_t index) {
  MoverRequest mover;
  mover.ns = request.ns;
  mover.run = fmt::format("{}-{}", request.run, index);
  mover.arguments = {"probe"};
  for (const std::string& uid : request.uids) mover.arguments.push_back("--uid=" + uid);
  mover.arguments.emplace_back("--expect-target-mount");
  // Whether the server copies is asked from the old class to the new one, and on the old one by itself. All
  // volumes are thrown away, so a file to copy may be made on each.
  const std::size_t from = copied_from(request, index);
  if (from != index) {
    mover.arguments.emplace_back("--expect-source-mount");
    mover.mounts.push_back({probe_claim_name(request, from), "/source", false});
  }
  mover.arguments.emplace_back(from != index ? "--copy-from=/source" : "--copy-from=/target");
  mover.arguments.emplace_back("--copy-from-writable");
  mover.arguments.emplace_back("/target");
  mover.mounts.push_back({probe_claim_name(request, index), "/target", false});
  mover.wishes = request.wishes;
  return mover;
}

ClassFinding finding_of(const std::string& storage_class, const storage::MoverEnd& end) {
  ClassFinding finding;
  finding.storage_class = storage_class;
  finding.text = end.text;
  for (const auto& [key, value] : end.result.members_at("/facts")) finding.facts[key] = value.text();
  for (const auto& [key, value] : end.result.members_at("/counts")) finding.counts[key] = value.integer_or(0);
  finding.verdict = finding.fact("verdict");
  if (end.exit != 0 || finding.verdict.empty()) {
    finding.failed = fmt::format("volume-mover ended with {}: {}", end.exit, end.text);
  }
  return finding;
}

ClassFinding failed(const std::string& storage_class, const Error& error) {
  ClassFinding finding;
  finding.storage_class = storage_class;
  finding.failed = error.what;
  finding.hints = error.hints;
  return finding;
}

}  // namespace

Result<void> ClassProbe::try_it(const ProbeRequest& request) {
  kube::Writer trial = writer_.trying();
  for (std::size_t i = 0; i < request.classes.size(); ++i) {
    const auto tried = trial.create(kube::k_claim, request.ns, probe_claim(request, i));
    if (!tried.ok() && tried.error().kind != Kind::conflict) {
      return refusal_of(tried.error(),
                        fmt::format("a claim of {} in namespace {}", request.classes[i], request.ns));
    }
  }
  // The place is chosen without claims, which are not there yet; nobody uses them either.
  MoverRequest bare = mover_request(request, 0);
  bare.mounts.clear();
  MoverRun mover(reader_, writer_, program_, *clock_);
  return mover.try_it(bare);
}

Result<void> ClassProbe::make_claims(const ProbeRequest& request) {
  for (std::size_t i = 0; i < request.classes.size(); ++i) {
    const auto made = writer_.create(kube::k_claim, request.ns, probe_claim(request, i));
    if (made.ok()) continue;
    if (made.error().kind != Kind::outcome_unknown) return made.error();
    TM_TRY_ASSIGN(const auto found, reader_.find(kube::k_claim, request.ns, probe_claim_name(request, i)));
    if (!found) return make_error(Kind::unavailable, made.error().what, made.error().hints);
  }
  return {};
}

// Claims that wait for their first Pod are bound by the mover's.
Result<void> ClassProbe::wait_bound(const ProbeRequest& request, std::size_t index,
                                    const Value& storage_class) {
  if (storage_class.text_at("/volumeBindingMode") == "WaitForFirstConsumer") return {};
  const std::string name = probe_claim_name(request, index);
  const Milliseconds since = clock_->steady();
  std::string why;
  while (true) {
    TM_TRY_ASSIGN(const Value claim, reader_.get(kube::k_claim, request.ns, name));
    if (claim.text_at("/status/phase") == "Bound") return {};
    const auto events = reader_.events_of(request.ns, kube::identity_of(claim).uid);
    std::string now;
    if (events.ok() && !events->empty())
      now = fmt::format("{}: {}", events->back().reason, events->back().message);
    if (now != why) say(fmt::format("claim {}/{} waits for its volume: {}", request.ns, name, now));
    why = now;
    if (clock_->steady() - since >= k_bound_deadline) {
      return make_error(Kind::stopped,
                        fmt::format("claim {}/{} of class {} got no volume within {}{}", request.ns, name,
                                    request.classes[index], format_elapsed(k_bound_deadline),
                                    why.empty() ? "" : ": " + why));
    }
    if (interrupted()) return make_error(Kind::interrupted, "interrupted");
    TM_TRY(clock_->sleep(k_poll));
  }
}

ClassFinding ClassProbe::probe(const ProbeRequest& request, std::size_t index) {
  const std::string& name = request.classes[index];
  say(fmt::format("probing class {}", name));
  const auto storage_class = reader_.get(kube::k_storage_class, "", name);
  if (!storage_class.ok()) return failed(name, storage_class.error());
  if (const auto bound = wait_bound(request, index, *storage_class); !bound.ok())
    return failed(name, bound.error());
  MoverRun mover(reader_, writer_, program_, *clock_);
  mover.on_line = on_line;
  const auto end = mover.run(mover_request(request, index));
  if (!end.ok()) return failed(name, end.error());
  ClassFinding finding = finding_of(name, *end);
  finding.storage_class_uid = kube::identity_of(*storage_class).uid;
  finding.copied_from = request.classes[copied_from(request, index)];
  return finding;
}

Result<std::vector<ClassFinding>> ClassProbe::run(const ProbeRequest& request) {
  clean_up(request, "app.kubernetes.io/component=probe," + std::string(storage::k_managed_by_label) + "=" +
                        std::string(storage::k_managed_by_value));
  std::vector<ClassFinding> findings;
  const Result<void> made = make_claims(request);
  // The old class first: the new one's probe mounts a volume of it too.
  for (std::size_t i = request.classes.size(); made.ok() && i-- > 0 && !interrupted();) {
    findings.insert(findings.begin(), probe(request, i));
  }
  const bool clean = clean_up(request, selector_of(request));
  if (interrupted()) {
    return make_error(Kind::interrupted, "interrupted",
                      {clean ? "what the probe has made is removed"
                             : "the next probe in this namespace removes what is left behind"});
  }
  if (!made.ok()) return made.error();
  return findings;
}

bool ClassProbe::is_gone(const std::string& what, const Result<void>& removed) const {
  if (!removed.ok()) say(fmt::format("{} is left behind: {}", what, removed.error().what));
  return removed.ok();
}

// Movers of a probe that was killed.
bool ClassProbe::remove_pods_of(const std::string& ns, const std::string& claim) {
  kube::ListOptions options;
  options.label_selector = "app.kubernetes.io/component=mover";
  const auto pods = reader_.list(kube::k_pod, ns, options);
  if (!pods.ok()) return is_gone("the Pods of claim " + ns + "/" + claim, pods.error());
  bool clean = true;
  for (const Value& pod : *pods) {
    if (!kube::mounts(pod, claim)) continue;
    const kube::Identity identity = kube::identity_of(pod);
    kube::DeleteOptions deletion;
    deletion.uid = identity.uid;
    const auto removed = writer_.remove(kube::k_pod, ns, identity.name, deletion);
    if (!is_gone(fmt::format("pod {}/{}", ns, identity.name), removed)) clean = false;
  }
  return clean;
}

// A volume of a class that keeps its volumes holds nothing but the probe's own files: it is let go while it
// is the volume of exactly this claim.
bool ClassProbe::let_go(const Value& claim) {
  const std::string& name = claim.text_at("/spec/volumeName");
  if (name.empty()) return true;
  const auto volume = reader_.find(kube::k_volume, "", name);
  if (!volume.ok()) return is_gone("persistentvolume " + name, volume.error());
  if (!*volume || (*volume)->text_at("/spec/claimRef/uid") != kube::identity_of(claim).uid ||
      (*volume)->text_at("/spec/persistentVolumeReclaimPolicy") != "Retain") {
    return true;
  }
  const Value patch = Value::object(
      {{"metadata", Value::object({{"resourceVersion", kube::identity_of(**volume).resource_version}})},
       {"spec", Value::object({{"persistentVolumeReclaimPolicy", "Delete"}})}});
  const auto released = writer_.patch(kube::k_volume, "", name, kube::PatchKind::merge, patch);
  if (released.ok()) return true;
  return is_gone("persistentvolume " + name, released.error());
}

// Never interrupted, and never the reason why a finding is lost. False when something is left behind.
bool ClassProbe::clean_up(const ProbeRequest& request, const std::string& selector) {
  kube::ListOptions options;
  options.label_selector = selector;
  const auto claims = reader_.list(kube::k_claim, request.ns, options);
  if (!claims.ok()) return is_gone("whatever the probe has made", claims.error());
  bool clean = true;
  for (const Value& claim : *claims) {
    const kube::Identity identity = kube::identity_of(claim);
    if (!remove_pods_of(request.ns, identity.name)) clean = false;
    if (!let_go(claim)) clean = false;
    kube::DeleteOptions deletion;
    deletion.uid = identity.uid;
    const auto removed = writer_.remove(kube::k_claim, request.ns, identity.name, deletion);
    if (!is_gone(fmt::format("claim {}/{}", request.ns, identity.name), removed)) clean = false;
  }
  return clean;
}

}  // namespace truenas::workflow
