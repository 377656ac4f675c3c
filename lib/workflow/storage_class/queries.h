#pragma once
// Questions about a StorageClassWorld that deciding, acting, checking and reporting share. Pure; they decide
// nothing.

#include <optional>
#include <string>
#include <vector>

#include "lib/kube/gitops.h"
#include "lib/storage/class_compare.h"
#include "lib/workflow/storage_class/world.h"

namespace truenas::workflow {

inline constexpr std::string_view k_class_manager = "kubectl-truenas-migrate";
// --accept=ID: change a class that a Helm release has made.
inline constexpr std::string_view k_accept_helm = "helm-owner";

// The newest run that is not ended.
const ClassRun* open_run(const StorageClassWorld& world);
const ClassRun* find_run(const StorageClassWorld& world, int number);
// Which run --rollback undoes: the newest change, also when that has been put back already, so that asking
// twice is asking once. nullptr: there was none.
const ClassRun* run_to_undo(const StorageClassWorld& world);

// What the class shall be.
struct ClassGoal {
  std::optional<storage::StorageClass> wanted;  // nullopt: no class of this name (undoing a creation)
  storage::Silence silence = storage::Silence::keeps;
};
// Kind::not_found when --rollback finds nothing to undo; Kind::format for a document that is no class.
Result<ClassGoal> goal_of(const StorageClassWorld& world, const ClassOptions& options);
// Live against the goal; empty when there is nothing to compare.
std::vector<storage::Difference> differences_of(const StorageClassWorld& world, const ClassGoal& goal);
bool is_reached(const StorageClassWorld& world, const ClassGoal& goal);
// The document to apply or create on the way to the goal: with the marks and mount options of the live class
// or, while there is none, of the one that an unfinished run has taken away.
json::Value document_for(const StorageClassWorld& world, const ClassGoal& goal);
// The open run goes this way and has written down exactly the object that is live now.
bool is_written_down(const StorageClassWorld& world, const ClassOptions& options);

// Owners of the live class that put back by themselves what somebody else changes.
std::vector<kube::GitOpsOwner> reverting_owners(const StorageClassWorld& world);
// A plain Helm release that has made the live class; nullopt for none.
std::optional<kube::GitOpsOwner> helm_owner(const StorageClassWorld& world);
std::string way_name(ClassRun::Way way);

}  // namespace truenas::workflow
