#include "lib/workflow/storage_class/queries.h"

#include <fmt/format.h>

#include <algorithm>

namespace truenas::workflow {
namespace {

using storage::StorageClass;

// A journal's object was a StorageClass when it was written; one that is damaged was refused when it was
// read.
std::optional<StorageClass> class_of(const json::Value& object) {
  if (object.is_null()) return std::nullopt;
  auto read = storage::read_storage_class(object, "journal");
  if (!read.ok()) return std::nullopt;
  return std::move(read).value();
}

// Whose marks a class that is made anew keeps.
std::optional<StorageClass> taken_away(const StorageClassWorld& world) {
  const ClassRun* open = open_run(world);
  if (open == nullptr) return std::nullopt;
  if (!open->original.is_null()) return class_of(open->original);
  const ClassRun* undone = find_run(world, open->undoes);
  return undone == nullptr ? std::nullopt : class_of(undone->original);
}

}  // namespace

const ClassRun* open_run(const StorageClassWorld& world) {
  return world.runs.empty() || world.runs.back().ended ? nullptr : &world.runs.back();
}

const ClassRun* find_run(const StorageClassWorld& world, int number) {
  const auto found = std::find_if(world.runs.begin(), world.runs.end(),
                                  [&](const ClassRun& run) { return run.number == number; });
  return found == world.runs.end() ? nullptr : &*found;
}

const ClassRun* run_to_undo(const StorageClassWorld& world) {
  for (auto run = world.runs.rbegin(); run != world.runs.rend(); ++run) {
    if (run->abandoned) continue;
    return run->way == ClassRun::Way::restore ? find_run(world, run->undoes) : &*run;
  }
  return nullptr;
}

Result<ClassGoal> goal_of(const StorageClassWorld& world, const ClassOptions& options) {
  if (!options.rollback) {
    TM_TRY_ASSIGN(StorageClass wanted, storage::read_storage_class(options.wanted, "the wanted class"));
    return ClassGoal{std::move(wanted), storage::Silence::keeps};
  }
  const ClassRun* run = run_to_undo(world);
  if (run == nullptr) {
    return make_error(Kind::not_found,
                      fmt::format("the journal knows of no change of storageclass {} that could be "
                                  "put back",
                                  options.name));
  }
  return ClassGoal{class_of(run->original), storage::Silence::is_none};
}

std::vector<storage::Difference> differences_of(const StorageClassWorld& world, const ClassGoal& goal) {
  if (!world.live || !goal.wanted) return {};
  return storage::compare_classes(*world.live, *goal.wanted, goal.silence);
}

bool is_reached(const StorageClassWorld& world, const ClassGoal& goal) {
  if (!goal.wanted || !world.live) return !goal.wanted && !world.live;
  return differences_of(world, goal).empty();
}

json::Value document_for(const StorageClassWorld& world, const ClassGoal& goal) {
  if (!goal.wanted) return {};
  const std::optional<StorageClass> before = world.live ? world.live : taken_away(world);
  // What is put back while there is none is put back as it was, marks and all.
  const bool as_it_was = goal.silence == storage::Silence::is_none && !world.live;
  return storage::desired_class(before && !as_it_was ? &*before : nullptr, *goal.wanted, goal.silence);
}

bool is_written_down(const StorageClassWorld& world, const ClassOptions& options) {
  const ClassRun* open = open_run(world);
  if (open == nullptr || (open->way == ClassRun::Way::restore) != options.rollback) return false;
  if (!world.live) return true;
  return open->original == world.live->object;
}

std::vector<kube::GitOpsOwner> reverting_owners(const StorageClassWorld& world) {
  if (!world.live) return {};
  std::vector<kube::GitOpsOwner> owners = kube::gitops_owners(world.live->object);
  std::erase_if(owners, [](const kube::GitOpsOwner& owner) { return !owner.reverts; });
  return owners;
}

std::optional<kube::GitOpsOwner> helm_owner(const StorageClassWorld& world) {
  if (!world.live) return std::nullopt;
  for (const kube::GitOpsOwner& owner : kube::gitops_owners(world.live->object)) {
    if (!owner.reverts) return owner;
  }
  return std::nullopt;
}

std::string way_name(ClassRun::Way way) {
  switch (way) {
    case ClassRun::Way::create:
      return "create";
    case ClassRun::Way::apply:
      return "apply";
    case ClassRun::Way::replace:
      return "replace";
    case ClassRun::Way::restore:
      return "restore";
  }
  return "create";
}

}  // namespace truenas::workflow
