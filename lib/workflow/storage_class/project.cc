// What each decision brings about, what must always hold, and what must hold right before a step.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/storage_class/decide.h"
#include "lib/workflow/storage_class/facts.h"
#include "lib/workflow/storage_class/queries.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using engine::Violation;

constexpr const char* k_written_down = "a class is deleted only once the whole of it is in the journal";
constexpr const char* k_unused = "a class is deleted only while no claim and no volume names it";
constexpr const char* k_not_owned = "a class that somebody else keeps is not changed";
constexpr const char* k_in_place = "only mutable fields are changed in place";

void make_live(StorageClassWorld& world, json::Value object, const std::string& uid,
               const std::string& version) {
  object.set_at("/metadata/uid", uid);
  object.set_at("/metadata/resourceVersion", version);
  auto read = storage::read_storage_class(object, "forecast");
  if (read.ok()) world.live = std::move(read).value();
}

void project_step(StorageClassWorld& world, const ClassOptions& options, const Step& step) {
  if (step.verb == "note-begin") {
    world.runs.push_back(next_run(world, options));
  } else if (step.verb == "note-end") {
    if (!world.runs.empty()) {
      world.runs.back().ended = true;
      world.runs.back().abandoned = step.arguments.at("value") == k_run_abandoned;
    }
  } else if (step.verb == "delete-class") {
    world.live.reset();
  } else {
    const auto goal = goal_of(world, options);
    if (!goal.ok() || !goal->wanted) return;
    const bool anew = !world.live;
    json::Value object = document_for(world, *goal);
    const json::Value* managers = anew ? nullptr : world.live->object.at("/metadata/managedFields");
    if (managers != nullptr) object.set_at("/metadata/managedFields", *managers);
    // A uid that no object had before, and the same for every way to the same world.
    const std::string uid =
        anew ? fmt::format("made-by-run-{}", world.runs.empty() ? 0 : world.runs.back().number)
             : world.live->uid;
    const std::string version = anew ? "1" : world.live->resource_version + "+";
    make_live(world, std::move(object), uid, version);
  }
}

void guard_deletion(const StorageClassWorld& world, const ClassOptions& options, const Step& step,
                    std::vector<Violation>& broken) {
  if (!world.live || step.argument("uid").empty() || step.argument("uid") != world.live->uid) {
    broken.push_back({"only the class that was looked at is deleted", "it is another one by now"});
    return;
  }
  const ClassRun* open = open_run(world);
  if (open == nullptr || !(open->original == world.live->object)) {
    broken.push_back({k_written_down, "the journal has another one, or none"});
  }
  if (!world.users.empty()) {
    broken.push_back({k_unused, join(storage::describe_users(world.users), ", ")});
  }
  if (!reverting_owners(world).empty()) {
    broken.push_back({k_not_owned, reverting_owners(world).front().evidence});
  }
  if (helm_owner(world) && !options.accepted.contains(std::string(k_accept_helm))) {
    broken.push_back({k_not_owned, helm_owner(world)->evidence});
  }
}

}  // namespace

StorageClassWorld project_class(StorageClassWorld world, const ClassOptions& options,
                                const engine::Next& next) {
  if (const Step* step = std::get_if<Step>(&next)) {
    project_step(world, options, *step);
  } else if (std::holds_alternative<engine::Wait>(next)) {
    world.live.reset();
  }
  return world;
}

std::vector<Violation> check_class(const StorageClassWorld& world) {
  std::vector<Violation> broken;
  const ClassRun* open = open_run(world);
  if (open != nullptr && !world.live && open->way == ClassRun::Way::replace && open->original.is_null()) {
    broken.push_back({k_written_down, fmt::format("run {} has no original", open->number)});
  }
  return broken;
}

std::vector<Violation> guard_class(const StorageClassWorld& world, const ClassOptions& options,
                                   const Step& step) {
  std::vector<Violation> broken;
  if (step.verb == "delete-class") guard_deletion(world, options, step, broken);
  if (step.verb == "apply-class") {
    const auto goal = goal_of(world, options);
    if (!world.live || !goal.ok() || storage::has_immutable(differences_of(world, *goal))) {
      broken.push_back({k_in_place, "something else differs by now"});
    }
    if (!reverting_owners(world).empty()) {
      broken.push_back({k_not_owned, reverting_owners(world).front().evidence});
    }
  }
  if (step.verb == "create-class" && world.live) {
    broken.push_back({"a class is created only where there is none", "there is one"});
  }
  return broken;
}

}  // namespace truenas::workflow
