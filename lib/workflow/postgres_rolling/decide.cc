#include "lib/workflow/postgres_rolling/decide.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "lib/workflow/postgres_rolling/preflight.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/steps.h"
#include "lib/workflow/postgres_rolling/waits.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;

Blocked stopped(std::string why, std::vector<std::string> hints) {
  return Blocked{Kind::stopped, std::move(why), std::move(hints)};
}

// Is this still the cluster that the journal speaks of?
std::optional<Next> decide_identity(const PostgresWorld& world, const RollingOptions& options) {
  const std::string name = options.ns + "/" + options.cluster;
  if (!world.found) {
    return Blocked{Kind::not_found,
                   fmt::format("cluster {} does not exist", name),
                   {fmt::format("kubectl get clusters.postgresql.cnpg.io -n {}", options.ns)}};
  }
  if (options.from_class == options.to_class) {
    return Blocked{Kind::usage, fmt::format("--from-class and --to-class are both {}", options.to_class), {}};
  }
  if (world.cluster.terminating) return stopped(fmt::format("cluster {} is being deleted", name), {});
  const MoveFacts& facts = world.facts;
  if (facts.number > 0 && !facts.ended && facts.cluster_uid != world.cluster.uid) {
    return Blocked{
        Kind::refused,
        fmt::format(
            "cluster {} was deleted and made again since its move began: its uid is {}, the journal's is {}",
            name, world.cluster.uid, facts.cluster_uid),
        {"look for your data first: kubectl get pv -l " + std::string(storage::k_managed_by_label) + "=" +
             std::string(storage::k_managed_by_value),
         "delete the journal if the new cluster is to be moved from the start"}};
  }
  return std::nullopt;
}

std::optional<Next> refuse_on(const std::vector<Finding>& findings, const PostgresWorld& world, Kind kind) {
  std::vector<std::string> whys, hints;
  for (const Finding& finding : findings) {
    if (!blocks(finding)) continue;
    whys.push_back(fmt::format("[{}] {}", finding.id, finding.text));
    for (const std::string& line : finding.remedy) hints.push_back(fmt::format("{}: {}", finding.id, line));
  }
  if (whys.empty()) return std::nullopt;
  return Blocked{kind, fmt::format("cluster {} cannot be moved: {}", full_name(world), join(whys, "; ")),
                 std::move(hints)};
}

// Nothing is open: either there is nothing to do, or a move begins.
std::optional<Next> decide_beginning(const PostgresWorld& world, const RollingOptions& options) {
  if (move_is_open(world, options)) {
    auto refusal =
        refuse_on(standing_findings(world, options), world, has_moved(world) ? Kind::stopped : Kind::refused);
    if (!refusal) return std::nullopt;
    // Whoever has to change something first may come back in a week.
    if (auto next = remove_canary(world)) return next;
    return refusal;
  }
  const bool other_way_open = world.facts.number > 0 && !world.facts.ended;
  if (!work_is_left(world) && !other_way_open) {
    if (!has_moved(world)) {
      return Blocked{Kind::refused,
                     fmt::format("cluster {} uses neither storage class {} nor {}", full_name(world),
                                 options.from_class, options.to_class),
                     {"name the class it uses: --from-class"}};
    }
    if (!world.canary.pod_uid.empty() || !world.canary.claim_uid.empty())
      return decide_canary(world, options);
    return decide_ending(world, options);
  }
  // The other direction may be turned round in the middle, so only a start from rest demands a healthy
  // cluster.
  std::vector<Finding> findings =
      other_way_open ? standing_findings(world, options) : preflight(world, options);
  if (auto refusal = refuse_on(findings, world, Kind::refused)) return refusal;
  return begin_move(world, options);
}

// Somebody else's hand in the spec: adapt where that is safe, stop where it would mean guessing.
std::optional<Next> decide_foreign_changes(const PostgresWorld& world) {
  for (const auto& setting : world.cluster.storage) {
    const auto& moved = world.facts.settings;
    if (std::find(moved.begin(), moved.end(), setting.pointer) == moved.end()) continue;
    if (setting.storage_class == world.to.name) continue;
    if (setting.storage_class == world.from.name && !world.memory.class_was_set) continue;
    return stopped(
        fmt::format("somebody else changed the class of {} in cluster {} to {}", setting.pointer,
                    full_name(world), quote(setting.storage_class)),
        {fmt::format("find out who: kubectl get clusters.postgresql.cnpg.io -n {} {} -o yaml "
                     "--show-managed-fields",
                     world.cluster.ns, world.cluster.name),
         fmt::format("once it is {} again, or should be, run the same command again", world.to.name)});
  }
  return std::nullopt;
}

bool somebody_deletes(const PostgresWorld& world) {
  const auto& claims = world.cluster.claims;
  const auto& pods = world.cluster.pods;
  return std::any_of(claims.begin(), claims.end(), [](const auto& claim) { return claim.terminating; }) ||
         std::any_of(pods.begin(), pods.end(), [](const auto& pod) { return pod.marked_unrecoverable; });
}

// A mark on the primary would destroy it as soon as it is a replica again; one that the operator does not
// know would stand there for ever.
std::optional<Next> decide_marks(const PostgresWorld& world) {
  for (const auto& pod : world.cluster.pods) {
    const bool primary =
        pod.name == world.cluster.current_primary || pod.name == world.cluster.target_primary;
    if (pod.marked_unrecoverable && !pod.terminating && (primary || !operator_replaces_marked(world)))
      return remove_mark(world, pod);
  }
  return std::nullopt;
}

// The restart would stop in the middle and wait for a human; known only once the canary has been tried.
std::optional<Next> refuse_supervised_restart(const PostgresWorld& world) {
  const auto finding = supervised_updates(world);
  if (!finding) return std::nullopt;
  return refuse_on({*finding}, world, has_moved(world) ? Kind::stopped : Kind::refused);
}

std::optional<Next> decide_security_context(const PostgresWorld& world) {
  const bool needed = world.canary.uses_fs_group && world.canary.without_fs_group.trial == Trial::passed &&
                      world.canary.as_is.trial != Trial::passed;
  if (!needed) return std::nullopt;
  if (auto refusal = refuse_supervised_restart(world)) return refusal;
  if (auto wait = wait_until_settled(world)) return wait;
  return drop_fs_group(world);
}

std::optional<Next> decide_class(const PostgresWorld& world) {
  const auto is_old_setting = [&](const auto& setting) { return setting.storage_class == world.from.name; };
  if (std::none_of(world.cluster.storage.begin(), world.cluster.storage.end(), is_old_setting))
    return std::nullopt;
  return set_class(world);
}

// Two instances or fewer: a spare one first, so that a replica streams while another one is replaced.
std::optional<Next> decide_spare(const PostgresWorld& world) {
  // Old replicas that the operator is about to remove, because there are more instances than wanted, do not
  // count.
  const int surplus = static_cast<int>(instances_of(world).size()) - world.cluster.instances;
  const bool work =
      is_old(world, world.cluster.current_primary) || static_cast<int>(old_replicas(world).size()) > surplus;
  if (!work || world.cluster.instances > 2 || spare_is_there(world)) return std::nullopt;
  if (world.memory.first_instances > world.cluster.instances || world.memory.spare_was_there) {
    return stopped(fmt::format("somebody else set spec.instances of cluster {} to {}", full_name(world),
                               world.cluster.instances),
                   {"run the same command again: its plan starts from how things are then"});
  }
  if (world.facts.spare && *world.facts.spare != world.cluster.instances) {
    return stopped(
        fmt::format("cluster {} has spec.instances {}, but the journal says that it had {}", full_name(world),
                    world.cluster.instances, *world.facts.spare),
        {fmt::format("set spec.instances to {} and run the same command again", *world.facts.spare)});
  }
  if (auto wait = wait_until_settled(world)) return wait;
  if (!world.facts.spare) return note_spare(world);
  return add_spare(world);
}

}  // namespace

std::optional<Next> keep_volumes(const PostgresWorld& world) {
  for (const auto& claim : world.cluster.claims) {
    const cnpg::InstanceVolume* volume = find_volume(world, claim);
    if (volume != nullptr && !is_kept(*volume) && !volume->terminating)
      return keep_volume(world, *volume, claim.name);
  }
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (volume.kept && volume.reclaim_policy != "Retain" && !volume.terminating) {
      return keep_volume(world, volume, volume.claim_name);
    }
  }
  return std::nullopt;
}

Next decide(const PostgresWorld& world, const RollingOptions& options) {
  if (auto next = decide_identity(world, options)) return *next;
  // Whatever goes on, first nothing may get lost; before the first change only what somebody else deletes.
  if (move_is_open(world, options) && (has_moved(world) || somebody_deletes(world))) {
    if (auto next = keep_volumes(world)) return *next;
  }
  if (auto next = decide_beginning(world, options)) return *next;
  if (auto next = decide_foreign_changes(world)) return *next;
  if (auto next = decide_marks(world)) return *next;
  if (auto next = rescue_primary(world)) return *next;
  if (auto next = finish_replacement(world)) return *next;
  if (auto next = decide_canary(world, options)) return *next;
  if (auto next = keep_volumes(world)) return *next;
  if (auto next = decide_security_context(world)) return *next;
  if (auto next = decide_class(world)) return *next;
  if (auto next = decide_spare(world)) return *next;
  if (auto next = wait_until_settled(world)) return *next;
  if (auto next = decide_instances(world)) return *next;
  return decide_ending(world, options);
}

}  // namespace truenas::workflow
