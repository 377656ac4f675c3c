#pragma once
// One home of `workspaces --strategy=copy`: its journal, its workflow, its plan and how it ended. It shows
// nothing and runs nothing.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/journal_store.h"
#include "lib/engine/outcome.h"
#include "lib/engine/plan.h"
#include "lib/workflow/workspace_copy.h"
#include "lib/workflow/workspace_review.h"
#include "plugin/migration.h"
#include "plugin/workspaces_chosen.h"

namespace truenas::plugin {

// What all homes of one call share.
struct HomesCall {
  Connection connection;
  std::unique_ptr<kube::Reader> reader;
  std::unique_ptr<workflow::HomeView> view;
  std::string cluster_uid;
  storage::MoverWishes wishes;
  MigrationFlags flags;
  workflow::WorkspaceCopyOptions options;  // without namespace and claim
};

// One home.
struct HomeMove {
  ChosenHome home;
  std::unique_ptr<engine::JournalStore> journal;
  kube::Writer* writer = nullptr;  // while a run goes on
  std::unique_ptr<workflow::WorkspaceCopy> copy;
  engine::Plan plan;
  std::optional<Error> error;              // how it ended, or why it did not begin
  std::optional<engine::Outcome> outcome;  // of its run
  std::string name() const { return home.ns + "/" + home.claim; }
};

// Strategy, classes, consent and the mover's wishes. Kind::usage for flags that make no sense.
Result<void> read_homes_flags(const Arguments& arguments, const workflow::WorkspaceOptions& review,
                              HomesCall& call);
// `call` must outlive what it gives.
Result<std::unique_ptr<HomeMove>> open_home(HomesCall& call, const ChosenHome& home);
// Observes and plans; what speaks against it is in `error` then.
void plan_home(HomeMove& move);

}  // namespace truenas::plugin
