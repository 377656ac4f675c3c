// No run is open.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Done;
using engine::Next;

Blocked refused(const Options& options, const std::string& why, std::vector<std::string> hints = {}) {
  return Blocked{Kind::refused, fmt::format("claim {} cannot be moved: {}", options.full_name(), why),
                 std::move(hints)};
}

std::optional<Next> refuse_claim(const SwapWorld& world, const Options& options) {
  const ClaimState& claim = world.claim;
  if (!claim.exists) {
    return Blocked{Kind::not_found,
                   fmt::format("claim {} does not exist", options.full_name()),
                   {fmt::format("kubectl get persistentvolumeclaims -n {}", options.ns)}};
  }
  if (claim.terminating) {
    return refused(
        options,
        fmt::format("it is being deleted: as soon as nothing mounts it, its volume {} goes with it "
                    "unless that is Retain",
                    claim.volume),
        {fmt::format("kubectl patch persistentvolume {} -p "
                     "'{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'",
                     claim.volume)});
  }
  if (claim.phase != "Bound") return refused(options, fmt::format("it is {}, not Bound", claim.phase));
  if (!world.cannot_swap.empty()) return refused(options, join(world.cannot_swap, "; "));
  return std::nullopt;
}

std::optional<Next> refuse_site(const SwapWorld& world, const Options& options) {
  if (!world.missing_permissions.empty()) {
    return refused(options, join(world.missing_permissions, "; "));
  }
  if (!options.rollback && !world.to.exists) {
    return refused(options, fmt::format("storageclass {} does not exist", options.to_class),
                   {"kubectl truenas-migrate storageclass --apply"});
  }
  if (world.temporary.exists && !world.temporary.ours) {
    return refused(options,
                   fmt::format("claim {}/{} has the name of its temporary claim and is not this tool's",
                               options.ns, world.temporary.name));
  }
  const BuildFreeze& freeze = world.freeze;
  const bool can_freeze =
      freeze.holds() || std::any_of(freeze.roles.begin(), freeze.roles.end(),
                                    [](const ClaimRole& role) { return role.grants || role.frozen; });
  if (!can_freeze && !builds_are_frozen(world, options)) {
    const std::string why = !freeze.unknown.empty() ? freeze.unknown
                            : !freeze.deployed
                                ? fmt::format("namespace {} has no Deployment of Coder", options.coder_ns)
                                : join(freeze.able, "; ") + ", and no Role there says so";
    return refused(
        options,
        fmt::format("[{}] nothing proves that Coder cannot build while its name is absent for some "
                    "seconds: {}",
                    k_no_build_freeze, why),
        {"name where Coder runs: --coder-namespace", "or scale Coder and its provisioners to 0",
         fmt::format("or go on without: --accept={}", k_no_build_freeze)});
  }
  return std::nullopt;
}

std::optional<Next> refuse_uses(const SwapWorld& world, const Options& options) {
  if (world.coder && world.coder->found) {
    if (has_failed(*world.coder)) return failed_build(world, options, Kind::refused);
    return decide_unforeseen(world, options);
  }
  if (world.uses.empty()) return std::nullopt;
  return refused(options, fmt::format("{} uses it, and it is left alone", join(use_texts(world), ", ")),
                 {"stop the workspace: coder stop OWNER/WORKSPACE", "then run the same command again",
                  "or give a token for Coder (CODER_URL, CODER_SESSION_TOKEN): then it is stopped, moved and "
                  "started again"});
}

// Whatever the server would not take is found before the first change: then a refusal leaves all as it was.
Next begin(const SwapWorld& world, const Options& options) {
  if (!world.memory.replacement_tried) return try_replacement(world, options);
  return begin_swap(world, options);
}

// What a way back has left on the other volume.
std::string left_behind(const SwapWorld& world) {
  if (!world.facts.rollback || world.facts.newer.empty()) return "";
  const bool is_other = world.source.name != world.claim.volume;
  const VolumeState& other = is_other ? world.source : world.target;
  return fmt::format("; {}: on volume {} only{}, which is kept", world.facts.newer, other.name,
                     other.dataset.empty() ? "" : fmt::format(" (dataset {} on the NAS)", other.dataset));
}

Next decide_rollback(const SwapWorld& world, const Options& options) {
  const bool moved = world.facts.number > 0 && world.facts.moved && !world.facts.rollback;
  if (!moved || !on_target(world)) {
    if (world.claim.exists && (world.facts.rollback || world.claim.storage_class == options.from_class)) {
      return Done{fmt::format("claim {} is on volume {} ({}): there is nothing to roll back{}",
                              options.full_name(), world.claim.volume, world.claim.storage_class,
                              left_behind(world))};
    }
    return refused(options, "the journal does not know the volume that it was on before");
  }
  if (!world.source.exists || world.source.terminating) {
    return refused(options, fmt::format("the volume that it was on before, {}, {}", world.facts.source.name,
                                        world.facts.finalized ? "was given up by --finalize"
                                                              : "is gone or being deleted"));
  }
  if (is_somebody_elses(world, world.source, options)) {
    return refused(options, fmt::format("the volume that it was on before, {}, is claim {}/{}'s now",
                                        world.source.name, world.source.claim_ns, world.source.claim_name));
  }
  if (!world.facts.same_dataset && !options.accepted.contains(k_newer_writes)) {
    return refused(
        options,
        fmt::format("[{}] the volume of before, {}, is as it was at the move; what was written since "
                    "stays on volume {}, which is kept",
                    k_newer_writes, world.source.name, world.target.name),
        {fmt::format("go back all the same: --accept={}", k_newer_writes)});
  }
  if (auto refusal = refuse_claim(world, options)) return *refusal;
  if (auto refusal = refuse_site(world, options)) return *refusal;
  if (auto refusal = refuse_uses(world, options)) return *refusal;
  if (!world.memory.replacement_tried) return try_replacement(world, options);
  const bool can_tell =
      !world.facts.same_dataset && world.facts.equal && !world.facts.equal->target_change.empty();
  if (can_tell && world.memory.newer.empty()) return scan_newer(options);
  return begin_swap(world, options);
}

}  // namespace

Next decide_swap_beginning(const SwapWorld& world, const Options& options) {
  // Whatever comes of this run: it names the dataset of the volume of before.
  if (world.probe_left && world.missing_permissions.empty()) return remove_probe(options);
  if (options.rollback) return decide_rollback(world, options);
  if (auto refusal = refuse_claim(world, options)) return *refusal;
  if (world.claim.storage_class == options.to_class) {
    const bool ours = world.facts.moved && on_target(world) && world.source.exists;
    return Done{fmt::format(
        "claim {} is on volume {} ({}){}", options.full_name(), world.claim.volume, options.to_class,
        ours ? fmt::format("; the old volume {} is kept (Retain)", world.facts.source.name) : "")};
  }
  if (world.claim.storage_class != options.from_class) {
    return refused(
        options,
        fmt::format("its storage class is {}, not {}", quote(world.claim.storage_class), options.from_class),
        {"name the class it uses: --from-class"});
  }
  if (world.claim.document.text_at("/spec/volumeMode") == "Block") {
    return refused(options, "it is a block device, not a file system");
  }
  if (!world.source.exists && world.claim.volume != world.target.name) {
    return refused(options, fmt::format("its volume {} does not exist", world.claim.volume));
  }
  if (auto refusal = refuse_site(world, options)) return *refusal;
  if (auto refusal = refuse_uses(world, options)) return *refusal;
  if (auto refusal = refuse_adoption(world, options)) return *refusal;
  return begin(world, options);
}

}  // namespace truenas::workflow
