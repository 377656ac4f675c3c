#include "lib/workflow/storage_class/decide.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/storage_class/facts.h"
#include "lib/workflow/storage_class/queries.h"
#include "lib/workflow/storage_class/steps.h"

namespace truenas::workflow {
namespace {

using engine::Blocked;
using engine::Next;

constexpr std::size_t k_users_named = 5;

std::string owner_name(const kube::GitOpsOwner& owner) {
  return owner.name.empty() ? owner.tool : fmt::format("{} ({})", owner.tool, owner.name);
}

// Somebody else writes this class: what is changed here is put back there.
std::optional<Next> decide_owners(const StorageClassWorld& world, const ClassOptions& options) {
  const auto owners = reverting_owners(world);
  if (!owners.empty()) {
    Blocked blocked{Kind::refused,
                    fmt::format("storageclass {} belongs to {}: {}", options.name, owner_name(owners.front()),
                                owners.front().evidence),
                    {"commit the manifest where it is kept; --dry-run=client prints it"}};
    if (!owners.front().pause.empty()) blocked.hints.push_back("look there first: " + owners.front().pause);
    blocked.hints.push_back(fmt::format(
        "parameters cannot be changed in place: once it is committed and nothing depends on the class, "
        "kubectl delete storageclass {} lets it be made anew",
        options.name));
    return blocked;
  }
  const auto helm = helm_owner(world);
  if (!helm || options.accepted.contains(std::string(k_accept_helm))) return std::nullopt;
  Blocked blocked{
      Kind::refused,
      fmt::format("storageclass {} belongs to {}: {}; its next upgrade compares with what the chart says",
                  options.name, owner_name(*helm), helm->evidence),
      {"change the release's values: " + helm->pause,
       fmt::format("to change the class all the same: --accept={}", k_accept_helm)}};
  return blocked;
}

// The first few by name: the whole list is in the report.
std::optional<Next> decide_users(const StorageClassWorld& world, const ClassOptions& options) {
  if (world.users.empty()) return std::nullopt;
  std::vector<std::string> lines = storage::describe_users(world.users);
  const std::size_t more = lines.size() > k_users_named ? lines.size() - k_users_named : 0;
  lines.resize(lines.size() - more);
  if (more > 0) lines.push_back(fmt::format("and {} more", more));
  Blocked blocked{Kind::refused,
                  fmt::format("storageclass {} cannot be replaced: {} and {} depend on it: {}", options.name,
                              count_of(world.users.claims.size(), "claim"),
                              count_of(world.users.volumes.size(), "volume"), join(lines, ", ")),
                  {}};
  if (!options.rollback) {
    blocked.hints.push_back(fmt::format(
        "make it beside the old one: kubectl truenas-migrate storageclass --class={} --apply --as-name={}",
        options.name, options.other_name));
  }
  blocked.hints.emplace_back("the whole list: kubectl truenas-migrate storageclass -o yaml");
  return blocked;
}

std::optional<Next> decide_managers(const StorageClassWorld& world, const ClassOptions& options,
                                    const std::vector<storage::Difference>& differences) {
  const auto managers = storage::other_managers(*world.live, differences, k_class_manager);
  if (managers.empty()) return std::nullopt;
  std::vector<std::string> fields;
  for (const storage::Difference& difference : differences) fields.push_back(difference.field);
  return Blocked{Kind::refused,
                 fmt::format("cannot change {} of storageclass {}: field manager {} owns it",
                             join(fields, ", "), options.name, join(managers, ", ")),
                 {fmt::format("change it there, or by hand: kubectl edit storageclass {}", options.name)}};
}

Next finished(const StorageClassWorld& world, const ClassOptions& options, const ClassGoal& goal) {
  if (const ClassRun* open = open_run(world)) return note_class_end(options, *open);
  if (!goal.wanted) return engine::Done{fmt::format("there is no storageclass {}, as before", options.name)};
  return engine::Done{
      fmt::format("storageclass {} is as {}", options.name, options.rollback ? "it was" : "wanted")};
}

Next decide_absent(const StorageClassWorld& world, const ClassOptions& options) {
  if (!is_written_down(world, options)) return note_class_begin(options, next_run(world, options));
  const ClassRun* open = open_run(world);
  return create_class(options, open->way != ClassRun::Way::create);
}

}  // namespace

ClassRun next_run(const StorageClassWorld& world, const ClassOptions& options) {
  ClassRun run;
  run.number = world.runs.empty() ? 1 : world.runs.back().number + 1;
  if (world.live) run.original = world.live->object;
  if (options.rollback) {
    run.way = ClassRun::Way::restore;
    const ClassRun* undone = run_to_undo(world);
    run.undoes = undone == nullptr ? 0 : undone->number;
    return run;
  }
  const auto goal = goal_of(world, options);
  if (world.live && goal.ok()) {
    run.way =
        storage::has_immutable(differences_of(world, *goal)) ? ClassRun::Way::replace : ClassRun::Way::apply;
    return run;
  }
  // An unfinished run has taken the class away: this one goes on with it, and its original stays the
  // original.
  const ClassRun* open = open_run(world);
  if (open == nullptr) return run;
  run.original = open->original;
  if (run.original.is_null()) {
    const ClassRun* undone = find_run(world, open->undoes);
    if (undone != nullptr) run.original = undone->original;
  }
  if (!run.original.is_null()) run.way = ClassRun::Way::replace;
  return run;
}

Next decide_class(const StorageClassWorld& world, const ClassOptions& options) {
  const auto goal = goal_of(world, options);
  if (!goal.ok()) return Blocked{goal.error().kind, goal.error().what, goal.error().hints};
  if (world.live && world.live->terminating) return wait_for_deletion(world, options);
  if (is_reached(world, *goal)) return finished(world, options, *goal);
  if (!world.live) return decide_absent(world, options);

  if (auto next = decide_owners(world, options)) return *next;
  const auto differences = differences_of(world, *goal);
  const bool replaces = !goal->wanted || storage::has_immutable(differences);
  if (replaces) {
    if (auto next = decide_users(world, options)) return *next;
  } else if (auto next = decide_managers(world, options, differences)) {
    return *next;
  }
  if (!is_written_down(world, options)) return note_class_begin(options, next_run(world, options));
  if (replaces) return delete_class(world, options, !goal->wanted);
  return apply_class(world, options, differences);
}

}  // namespace truenas::workflow
