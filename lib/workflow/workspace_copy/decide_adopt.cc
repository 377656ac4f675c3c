// Adoption: the home's bytes stay where they are, and another volume object of the new driver is made for
// them. What speaks against it, its trial, the object, and the proof at the end.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/storage/dataset.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"
#include "lib/workflow/workspace_copy/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;
using storage::AdoptionFinding;
using storage::AdoptionSeverity;

Blocked blocked(Kind kind, std::string why, std::vector<std::string> hints = {}) {
  return Blocked{kind, std::move(why), std::move(hints)};
}

// Refusals, and what was not consented to: all of them at once, so that nobody is asked one after the other.
std::optional<Next> decide_findings(const SwapWorld& world, const Options& options, Kind kind) {
  std::vector<std::string> whys, hints;
  bool can_be_accepted = true;
  for (const AdoptionFinding& finding : world.adoption) {
    const bool asks = finding.severity == AdoptionSeverity::ask && !options.accepted.contains(finding.id);
    if (finding.severity != AdoptionSeverity::refuse && !asks) continue;
    whys.push_back(fmt::format("[{}] {}", finding.id, finding.what));
    can_be_accepted = can_be_accepted && asks;
    const std::string hint = fmt::format("--accept={}", finding.id);
    if (asks && std::find(hints.begin(), hints.end(), hint) == hints.end()) hints.push_back(hint);
  }
  if (whys.empty()) return std::nullopt;
  if (!can_be_accepted) hints.clear();
  hints.emplace_back("or copy it: --strategy=copy");
  return blocked(kind, fmt::format("claim {} cannot be adopted: {}", options.full_name(), join(whys, "; ")),
                 std::move(hints));
}

// What has the adopted volume's name; nullopt when it can be used.
std::optional<Next> decide_adopted(const SwapWorld& world, const Options& options) {
  const VolumeState& target = world.target;
  if (target.terminating) {
    return blocked(
        Kind::stopped,
        fmt::format("persistentvolume {}, the adopted one of claim {}, is being deleted by somebody "
                    "else; the home is complete on volume {}",
                    target.name, options.full_name(), world.source.name),
        {"once it is gone, run the same command again"});
  }
  if (!world.target_unfit.empty()) {
    return blocked(
        Kind::stopped,
        fmt::format("persistentvolume {} has the name of the adopted volume of claim {} and cannot "
                    "be used: {}",
                    target.name, options.full_name(), world.target_unfit),
        {fmt::format("kubectl get persistentvolume {} -o yaml", target.name)});
  }
  if (is_somebody_elses(world, target, options)) {
    return blocked(Kind::stopped, fmt::format("persistentvolume {} is claim {}/{}'s", target.name,
                                              target.claim_ns, target.claim_name));
  }
  return std::nullopt;
}

const ClaimUse* running_pod(const SwapWorld& world) {
  for (const ClaimUse& use : world.uses) {
    const bool runs = use.kind == ClaimUse::Kind::pod && !use.node.empty() && use.phase == "Running";
    if (runs && !use.terminating) return &use;
  }
  return nullptr;
}

std::optional<Next> decide_wrong_path(const SwapWorld& world, const Options& options) {
  for (const TargetAttachment& attachment : world.target_attached) {
    if (!attachment.attached || attachment.path.empty() || world.facts.sight.path.empty()) continue;
    if (storage::dataset_path(attachment.path) == storage::dataset_path(world.facts.sight.path)) continue;
    return blocked(Kind::mismatch,
                   fmt::format("the new driver mounts {} for claim {}, the old one mounted {}",
                               attachment.path, options.full_name(), world.facts.sight.path),
                   {"nothing is lost: the home's files are on the old volume's dataset; stop whatever uses "
                    "the claim, then go back: the same command with --rollback"});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Next> refuse_adoption(const SwapWorld& world, const Options& options) {
  if (options.carry != Carry::adopt) return std::nullopt;
  return decide_findings(world, options, Kind::refused);
}

std::optional<Next> decide_adopting(const SwapWorld& world, const Options& options) {
  if (auto next = decide_findings(world, options, Kind::stopped)) return next;
  if (!world.uses.empty() && !world.coder) return decide_stopping(world, options);
  if (!world.memory.replacement_tried) return try_replacement(world, options);
  if (!world.memory.sighted) {
    if (!world.to.exists) {
      return blocked(Kind::stopped, fmt::format("storageclass {} does not exist", options.to_class),
                     {"kubectl truenas-migrate storageclass --apply"});
    }
    return probe_adoption(world, options);
  }
  if (!world.target.exists) return create_adopted(world, options);
  if (auto next = decide_adopted(world, options)) return next;
  if (!world.target_noted) return note_target(world, options);
  return std::nullopt;
}

std::optional<Next> decide_adoption_proof(const SwapWorld& world, const Options& options) {
  if (world.facts.carry != Carry::adopt || world.facts.proved) return std::nullopt;
  if (auto next = decide_wrong_path(world, options)) return next;
  if (world.uses.empty()) {
    if (!world.movers.empty() && world.movers[0].terminating) return wait_for_movers_gone(world, options);
    if (!world.movers.empty()) return remove_mover(options, world.movers[0]);
    return prove_adoption(options);
  }
  for (const TargetAttachment& attachment : world.target_attached) {
    if (attachment.attached && running_pod(world) != nullptr) return note_proof(world, options, attachment);
  }
  return wait_for_mount(world, options);
}

}  // namespace truenas::workflow
