#include "lib/workflow/home_finalize/decide.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Done;
using engine::Next;
using engine::Step;
using engine::Violation;
using engine::Wait;
using Options = FinalizeOptions;

Blocked refused(const Options& options, const std::string& why, std::vector<std::string> hints = {}) {
  return Blocked{Kind::refused, fmt::format("claim {} cannot be finalized: {}", options.full_name(), why),
                 std::move(hints)};
}

std::string texts(const std::vector<storage::DatasetUser>& users) {
  std::vector<std::string> all;
  for (const storage::DatasetUser& user : users) all.push_back(storage::describe(user));
  return join(all, "; ");
}

bool is_home(const FinalizeWorld& world) {
  return is_bound(world.claim, world.home) && !world.claim.terminating && !world.home.terminating;
}

std::optional<Next> refuse_run(const FinalizeWorld& world, const Options& options) {
  const std::string again =
      fmt::format("kubectl truenas-migrate workspaces {} -n {} --status", options.claim, options.ns);
  if (world.facts.number == 0) return refused(options, "the journal knows of no move");
  if (!world.facts.ended) return refused(options, "its move has not ended", {again});
  if (!world.facts.moved) return refused(options, "its move was given up", {again});
  if (!is_home(world)) {
    return refused(
        options, fmt::format("it is not bound to volume {}, to which it was moved", world.facts.target.name),
        {again});
  }
  if (!world.missing_permissions.empty()) return refused(options, join(world.missing_permissions, "; "));
  return std::nullopt;
}

std::optional<Next> refuse_change(const FinalizeWorld& world, const Options& options) {
  if (!options.agreed || *options.agreed == volumes_of(world)) return std::nullopt;
  // What this run has deleted itself is no change.
  AgreedVolumes without = *options.agreed;
  without.old_uid.clear();
  if (without == volumes_of(world)) return std::nullopt;
  return refused(options, "it is not on the volumes any more that the plan has shown", {"run it again"});
}

std::optional<Next> refuse_build(const FinalizeWorld& world, const Options& options) {
  if (!options.endangered.empty()) {
    return refused(options, options.endangered,
                   {"put its template right first: kubectl truenas-migrate workspaces --write-template=DIR"});
  }
  if (world.built || options.accepted.contains(k_no_build_since)) return std::nullopt;
  return refused(
      options,
      fmt::format("[{}] {}, so nobody knows whether it starts from the new volume", k_no_build_since,
                  world.asked_coder ? "no build of its workspace has worked since it was moved"
                                    : "Coder is not asked about builds since it was moved"),
      {"start the workspace once, and run the same command again",
       fmt::format("or go on without: --accept={}", k_no_build_since)});
}

std::optional<Next> refuse_old(const FinalizeWorld& world, const Options& options) {
  const VolumeState& old = world.old;
  if (!old.exists || old.terminating) return std::nullopt;
  if (old.phase != "Released") {
    return refused(options, fmt::format("the volume of before, {}, is {} (claim {}/{}), not Released",
                                        old.name, old.phase, old.claim_ns, old.claim_name));
  }
  // The journal alone is no proof: both volumes carry marks of the same move.
  if (old.kept_for != options.full_name()) {
    return refused(options, fmt::format("the volume of before, {}, is not marked as kept for it", old.name));
  }
  if (world.home.recorded_from != old.name) {
    return refused(options, fmt::format("volume {} has no record that the home came from {}", world.home.name,
                                        old.name));
  }
  if (!world.attached.empty()) {
    return refused(options, fmt::format("the volume of before, {}, is attached to node {}", old.name,
                                        join(world.attached, ", ")));
  }
  if (options.delete_data && !world.users_of_old.empty()) {
    return refused(
        options,
        fmt::format("the data of volume {} cannot be deleted: {}", old.name, texts(world.users_of_old)),
        {"without --delete-data only the volume's object goes, and the dataset stays"});
  }
  return std::nullopt;
}

// Snapshots of the old volume, which go with its data; "" for none.
std::string snapshots_text(const FinalizeWorld& world) {
  if (!world.snapshots) return "whether it has snapshots could not be looked at";
  return join(*world.snapshots, ", ");
}

// What is on the old volume and nowhere else.
std::optional<Next> refuse_only_copies(const FinalizeWorld& world, const Options& options) {
  if (!world.old.exists || options.accepted.contains(k_left_out)) return std::nullopt;
  std::string what;
  const auto left = world.facts.left_out.find(world.facts.compares);
  if (world.facts.rollback) {
    what = "what was written between the move and the way back is on that volume only";
  } else if (left != world.facts.left_out.end()) {
    what = "left out of the copy, and on that volume only: " + left->second;
  }
  if (what.empty()) return std::nullopt;
  return refused(options, fmt::format("[{}] volume {}: {}", k_left_out, world.old.name, what),
                 {fmt::format("give it up all the same: --accept={}", k_left_out)});
}

std::optional<Next> refuse_snapshots(const FinalizeWorld& world, const Options& options) {
  const std::string what = snapshots_text(world);
  if (what.empty() || options.accepted.contains(k_snapshots)) return std::nullopt;
  return refused(
      options,
      fmt::format("[{}] with the data of volume {} go its snapshots: {}", k_snapshots, world.old.name, what),
      {fmt::format("delete them all the same: --accept={}", k_snapshots)});
}

std::optional<Next> refuse_home(const FinalizeWorld& world, const Options& options) {
  const std::string& policy = world.wanted_policy;
  if (world.home.policy == policy || policy == "Retain" || world.users_of_home.empty()) return std::nullopt;
  return refused(options, fmt::format("volume {}, which the home is on, cannot get its reclaim policy {} "
                                      "back: {}",
                                      world.home.name, policy, texts(world.users_of_home)));
}

Step on_volume(const std::string& verb, const VolumeState& volume) {
  Step step;
  step.id = verb + " " + volume.uid;
  step.verb = verb;
  step.object = "persistentvolume " + volume.name;
  step.arguments = {{"volume", volume.name}, {"uid", volume.uid}};
  return step;
}

Step restore_policy(const FinalizeWorld& world) {
  Step step = on_volume("restore-policy", world.home);
  step.arguments["policy"] = world.wanted_policy;
  step.title = fmt::format("give persistentvolume {} its reclaim policy {} back", world.home.name,
                           world.wanted_policy);
  step.reason = "it was Retain while the move could be undone";
  step.undo = fmt::format(
      "kubectl patch persistentvolume {} -p "
      "'{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'",
      world.home.name);
  return step;
}

Step unmark(const FinalizeWorld& world) {
  Step step = on_volume("unmark-volume", world.home);
  step.title = fmt::format("take this tool's marks off persistentvolume {}", world.home.name);
  step.reason = "it is an ordinary volume again";
  return step;
}

Step delete_data(const FinalizeWorld& world) {
  Step step = on_volume("delete-data", world.old);
  step.title = fmt::format("let {} delete persistentvolume {} with its dataset {}", world.old.driver,
                           world.old.name, dataset_text(world.old));
  step.reason = "nobody uses it any more";
  step.deletes = true;
  return step;
}

Step delete_object(const FinalizeWorld& world) {
  Step step = on_volume("delete-object", world.old);
  step.title = fmt::format("delete the object of persistentvolume {}; its dataset {} stays on the NAS",
                           world.old.name, dataset_text(world.old));
  step.reason = "nobody uses it any more";
  step.deletes = true;
  return step;
}

Step note_finalized(const FinalizeWorld& world, const Options& options) {
  Step step;
  const std::string key = fmt::format("run-{}.finalized", world.facts.number);
  step.id = "note " + key;
  step.verb = "note";
  step.object = "journal of claim " + options.full_name();
  step.arguments = {{"key", key},
                    {"value", fmt::format("{}{}", world.facts.source.name,
                                          world.adopted         ? ", one dataset"
                                          : options.delete_data ? ", with its data"
                                                                : "")}};
  step.title = "write down that the move is finalized";
  step.reason = "it cannot be rolled back any more";
  step.leaves_no_trace = true;
  return step;
}

Wait wait_for_gone(const FinalizeWorld& world) {
  Wait wait;
  wait.id = "removal of volume " + world.old.uid;
  wait.whom = "the volume controller and " + world.old.driver;
  wait.why = fmt::format("persistentvolume {} is removed", world.old.name);
  wait.deadline = Seconds(600);
  wait.object_uid = world.old.uid;
  wait.movement = fmt::format("{} {}", world.old.phase, world.old.terminating);
  return wait;
}

std::string summary(const FinalizeWorld& world, const Options& options) {
  const std::string on = fmt::format("claim {} is on volume {} ({}), for good", options.full_name(),
                                     world.home.name, world.home.policy);
  if (world.adopted) return on + "; old and new volume are one dataset, which stays";
  return on;
}

// Both volume objects say Retain for ever, unless the old one is gone and the user has agreed.
std::optional<Next> decide_adopted(const FinalizeWorld& world, const Options& options) {
  if (!world.adopted) return std::nullopt;
  if (options.accepted.contains(k_adopted_delete)) {
    if (!world.old.exists) return std::nullopt;
    return refused(options,
                   fmt::format("volume {} is on the same dataset: its object must be gone first, and its "
                               "driver still be there to let it go",
                               world.old.name),
                   {fmt::format("kubectl delete persistentvolume {}", world.old.name)});
  }
  if (options.delete_data) {
    return refused(options, fmt::format("volumes {} and {} are, or may be, one dataset: nothing of it is "
                                        "deleted",
                                        world.facts.source.name, world.home.name));
  }
  if (!world.facts.finalized) return note_finalized(world, options);
  return Done{summary(world, options)};
}

}  // namespace

std::string dataset_text(const VolumeState& volume) {
  return volume.dataset.empty() ? "of " + volume.name
                                : fmt::format("{} ({})", volume.dataset, format_bytes(volume.bytes));
}

Next decide_finalize(const FinalizeWorld& world, const Options& options) {
  if (auto no = refuse_run(world, options)) return *no;
  if (auto no = refuse_change(world, options)) return *no;
  if (auto next = decide_adopted(world, options)) return *next;
  if (!world.facts.finalized) {
    if (auto no = refuse_build(world, options)) return *no;
  }
  if (auto no = refuse_old(world, options)) return *no;
  if (auto no = refuse_only_copies(world, options)) return *no;
  if (auto no = refuse_snapshots(world, options)) return *no;
  if (auto no = refuse_home(world, options)) return *no;
  if (world.old.exists) {
    const bool goes = world.old.terminating || world.old.policy == "Delete";
    if (goes) return wait_for_gone(world);
    return options.delete_data ? delete_data(world) : delete_object(world);
  }
  if (world.home.policy != world.wanted_policy && !world.facts.finalized) return restore_policy(world);
  if (world.home.kept) return unmark(world);
  if (!world.facts.finalized) return note_finalized(world, options);
  return Done{summary(world, options)};
}

AgreedVolumes volumes_of(const FinalizeWorld& world) {
  return {world.facts.number, world.old.uid, world.home.uid};
}

std::vector<Violation> check_finalize(const FinalizeWorld& world) {
  std::vector<Violation> broken;
  if (world.facts.moved && (!world.home.exists || world.home.terminating)) {
    broken.push_back({"the home is on a volume that nothing deletes",
                      fmt::format("persistentvolume {} {}", world.facts.target.name,
                                  world.home.exists ? "is being deleted" : "does not exist")});
  }
  const bool goes = world.old.exists && world.old.policy != "Retain";
  if (goes && (world.adopted || !world.users_of_old.empty())) {
    broken.push_back({"data that somebody may use is not deleted",
                      fmt::format("persistentvolume {} is {}", world.old.name, world.old.policy)});
  }
  return broken;
}

std::vector<Violation> guard_finalize(const FinalizeWorld& world, const Options& options, const Step& step) {
  std::vector<Violation> broken;
  if (!is_home(world)) {
    broken.push_back({"the home is on its new volume", fmt::format("claim {} is not", options.full_name())});
  }
  if (!step.deletes) return broken;
  const VolumeState& old = world.old;
  if (options.agreed && *options.agreed != volumes_of(world)) {
    broken.push_back({"only what was agreed to is given up", old.name});
  }
  if (old.kept_for != options.full_name() || world.home.recorded_from != old.name) {
    broken.push_back({"both volumes are marked as those of this home's move", old.name});
  }
  if (world.adopted) broken.push_back({"one dataset is never given up", dataset_text(old)});
  if (!old.exists || old.uid != step.argument("uid") || old.uid != world.facts.source.uid) {
    broken.push_back({"only the volume of before is given up", old.name});
  }
  if (old.uid == world.home.uid || old.phase != "Released" || !world.attached.empty()) {
    broken.push_back({"what is given up is nobody's", fmt::format("{} is {}", old.name, old.phase)});
  }
  if (step.verb == "delete-object" && old.policy != "Retain") {
    broken.push_back({"with an object no data goes", fmt::format("{} is {}", old.name, old.policy)});
  }
  if (step.verb == "delete-data" && !snapshots_text(world).empty() &&
      !options.accepted.contains(k_snapshots)) {
    broken.push_back({"no snapshot is deleted unasked", snapshots_text(world)});
  }
  if (step.verb == "delete-data" && !world.users_of_old.empty()) {
    broken.push_back({"data that somebody may use is not deleted", texts(world.users_of_old)});
  }
  return broken;
}

FinalizeWorld project_finalize(FinalizeWorld world, const Next& next) {
  if (std::holds_alternative<Wait>(next)) world.old = VolumeState{};
  const Step* step = std::get_if<Step>(&next);
  if (step == nullptr) return world;
  if (step->verb == "restore-policy") world.home.policy = step->argument("policy");
  if (step->verb == "unmark-volume") world.home.kept = false;
  if (step->verb == "delete-data") world.old.policy = "Delete";
  if (step->verb == "delete-object") world.old.terminating = true;
  if (step->verb == "note") world.facts.finalized = true;
  return world;
}

}  // namespace truenas::workflow
