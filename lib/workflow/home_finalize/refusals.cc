#include "lib/workflow/home_finalize/refusals.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {

using engine::Blocked;
using Options = FinalizeOptions;

Blocked cannot_finalize(const Options& options, const std::string& why, std::vector<std::string> hints) {
  return Blocked{Kind::refused, fmt::format("claim {} cannot be finalized: {}", options.full_name(), why),
                 std::move(hints)};
}

std::string users_text(const std::vector<storage::DatasetUser>& users) {
  std::vector<std::string> all;
  for (const storage::DatasetUser& user : users) all.push_back(storage::describe(user));
  return join(all, "; ");
}

bool is_home(const FinalizeWorld& world) {
  return is_bound(world.claim, world.home) && !world.claim.terminating && !world.home.terminating;
}

std::string snapshots_text(const FinalizeWorld& world) {
  if (!world.snapshots) return "whether it has snapshots could not be looked at";
  return join(*world.snapshots, ", ");
}

namespace {

std::optional<Blocked> refuse_run(const FinalizeWorld& world, const Options& options) {
  const std::string again =
      fmt::format("kubectl truenas-migrate workspaces {} -n {} --status", options.claim, options.ns);
  if (world.facts.number == 0) return cannot_finalize(options, "the journal knows of no move");
  if (!world.facts.ended) return cannot_finalize(options, "its move has not ended", {again});
  if (!world.facts.moved) return cannot_finalize(options, "its move was given up", {again});
  if (!is_home(world)) {
    return cannot_finalize(
        options, fmt::format("it is not bound to volume {}, to which it was moved", world.facts.target.name),
        {again});
  }
  if (!world.missing_permissions.empty())
    return cannot_finalize(options, join(world.missing_permissions, "; "));
  return std::nullopt;
}

std::optional<Blocked> refuse_change(const FinalizeWorld& world, const Options& options) {
  if (!options.agreed || *options.agreed == volumes_of(world)) return std::nullopt;
  // What this run has deleted itself is no change.
  AgreedVolumes without = *options.agreed;
  without.old_uid.clear();
  if (without == volumes_of(world)) return std::nullopt;
  return cannot_finalize(options, "it is not on the volumes any more that the plan has shown",
                         {"run it again"});
}

std::optional<Blocked> refuse_build(const FinalizeWorld& world, const Options& options) {
  if (!options.endangered.empty()) {
    return cannot_finalize(
        options, options.endangered,
        {"put its template right first: kubectl truenas-migrate workspaces --write-template=DIR"});
  }
  if (world.built || options.accepted.contains(k_no_build_since)) return std::nullopt;
  return cannot_finalize(
      options,
      fmt::format("[{}] {}, so nobody knows whether it starts from the new volume", k_no_build_since,
                  world.asked_coder ? "no build of its workspace has worked since it was moved"
                                    : "Coder is not asked about builds since it was moved"),
      {"start the workspace once, and run the same command again",
       fmt::format("or go on without: --accept={}", k_no_build_since)});
}

std::optional<Blocked> refuse_old(const FinalizeWorld& world, const Options& options) {
  const VolumeState& old = world.old;
  if (!old.exists || old.terminating) return std::nullopt;
  if (old.phase != "Released") {
    return cannot_finalize(options, fmt::format("the volume of before, {}, is {} (claim {}/{}), not Released",
                                                old.name, old.phase, old.claim_ns, old.claim_name));
  }
  // The journal alone is no proof: both volumes carry marks of the same move.
  if (old.kept_for != options.full_name()) {
    return cannot_finalize(options,
                           fmt::format("the volume of before, {}, is not marked as kept for it", old.name));
  }
  if (world.home.recorded_from != old.name) {
    return cannot_finalize(options, fmt::format("volume {} has no record that the home came from {}",
                                                world.home.name, old.name));
  }
  if (!world.attached.empty()) {
    return cannot_finalize(options, fmt::format("the volume of before, {}, is attached to node {}", old.name,
                                                join(world.attached, ", ")));
  }
  if (options.delete_data && !world.users_of_old.empty()) {
    return cannot_finalize(
        options,
        fmt::format("the data of volume {} cannot be deleted: {}", old.name, users_text(world.users_of_old)),
        {"without --delete-data only the volume's object goes, and the dataset stays"});
  }
  return std::nullopt;
}

// What is on the old volume and nowhere else.
std::optional<Blocked> refuse_only_copies(const FinalizeWorld& world, const Options& options) {
  if (!world.old.exists || options.accepted.contains(k_left_out)) return std::nullopt;
  std::string what;
  const auto left = world.facts.left_out.find(world.facts.compares);
  if (world.facts.rollback) {
    what = "what was written between the move and the way back is on that volume only";
  } else if (left != world.facts.left_out.end()) {
    what = "left out of the copy, and on that volume only: " + left->second;
  }
  if (what.empty()) return std::nullopt;
  return cannot_finalize(options, fmt::format("[{}] volume {}: {}", k_left_out, world.old.name, what),
                         {fmt::format("give it up all the same: --accept={}", k_left_out)});
}

std::optional<Blocked> refuse_snapshots(const FinalizeWorld& world, const Options& options) {
  const std::string what = snapshots_text(world);
  if (what.empty() || options.accepted.contains(k_snapshots)) return std::nullopt;
  return cannot_finalize(
      options,
      fmt::format("[{}] with the data of volume {} go its snapshots: {}", k_snapshots, world.old.name, what),
      {fmt::format("delete them all the same: --accept={}", k_snapshots)});
}

std::optional<Blocked> refuse_home(const FinalizeWorld& world, const Options& options) {
  const std::string& policy = world.wanted_policy;
  if (world.home.policy == policy || policy == "Retain" || world.users_of_home.empty()) return std::nullopt;
  return cannot_finalize(options,
                         fmt::format("volume {}, which the home is on, cannot get its reclaim policy {} "
                                     "back: {}",
                                     world.home.name, policy, users_text(world.users_of_home)));
}

}  // namespace

std::optional<Blocked> refuse_move(const FinalizeWorld& world, const Options& options) {
  if (auto no = refuse_run(world, options)) return no;
  return refuse_change(world, options);
}

std::optional<Blocked> refuse_giving_up(const FinalizeWorld& world, const Options& options) {
  if (!world.facts.finalized) {
    if (auto no = refuse_build(world, options)) return no;
  }
  for (const auto refuse : {refuse_old, refuse_only_copies, refuse_snapshots, refuse_home}) {
    if (auto no = refuse(world, options)) return no;
  }
  return std::nullopt;
}

}  // namespace truenas::workflow
