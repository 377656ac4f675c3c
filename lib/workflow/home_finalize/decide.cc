#include "lib/workflow/home_finalize/decide.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/home_finalize/refusals.h"
#include "lib/workflow/home_finalize/steps.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {
namespace {

using engine::Done;
using engine::Next;
using engine::Step;
using engine::Violation;
using engine::Wait;
using Options = FinalizeOptions;

std::string summary(const FinalizeWorld& world, const Options& options) {
  const std::string on = fmt::format("claim {} is on volume {} ({}), for good", options.full_name(),
                                     world.home.name, world.home.policy);
  if (world.adopted) return on + "; old and new volume are one dataset, which stays";
  if (!world.checked.empty()) return on + "; compared before: " + world.checked;
  return on;
}

// Where the home was taken back, what is on the volume that is given up differs, and was agreed to.
bool needs_check(const FinalizeWorld& world, const Options& options) {
  return !options.no_check && !world.facts.rollback && world.checked.empty();
}

std::optional<Next> decide_check(const FinalizeWorld& world, const Options& options) {
  if (!needs_check(world, options)) return std::nullopt;
  if (world.cannot_check.empty()) return compare_again(world, options);
  return cannot_finalize(options,
                         fmt::format("the volumes cannot be compared once more: {}", world.cannot_check),
                         {"give the old volume up on the comparison that was made at the move: --no-check"});
}

// Both volume objects say Retain for ever, unless the old one is gone and the user has agreed.
std::optional<Next> decide_adopted(const FinalizeWorld& world, const Options& options) {
  if (!world.adopted) return std::nullopt;
  if (options.accepted.contains(k_adopted_delete)) {
    if (!world.old.exists) return std::nullopt;
    return cannot_finalize(
        options,
        fmt::format("volume {} is on the same dataset: its object must be gone first, and its "
                    "driver still be there to let it go",
                    world.old.name),
        {fmt::format("kubectl delete persistentvolume {}", world.old.name)});
  }
  if (options.delete_data) {
    return cannot_finalize(options,
                           fmt::format("volumes {} and {} are, or may be, one dataset: nothing of it is "
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
  if (auto no = refuse_move(world, options)) return *no;
  if (world.check_left) return remove_check(world, options);
  if (auto next = decide_adopted(world, options)) return *next;
  if (auto no = refuse_giving_up(world, options)) return *no;
  if (world.old.exists) {
    const bool goes = world.old.terminating || world.old.policy == "Delete";
    if (goes) return wait_for_gone(world);
    if (auto next = decide_check(world, options)) return *next;
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
  if (needs_check(world, options)) {
    broken.push_back({"what is given up was just compared with the home", old.name});
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
    broken.push_back({"data that somebody may use is not deleted", users_text(world.users_of_old)});
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
  if (step->verb == "compare-again") world.checked = "nothing of it is missing";
  if (step->verb == "remove-check") world.check_left = false;
  if (step->verb == "note") world.facts.finalized = true;
  return world;
}

}  // namespace truenas::workflow
