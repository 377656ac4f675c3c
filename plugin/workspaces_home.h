#pragma once
// One home of `workspaces --strategy=copy`: its journal, its workflow, its plan and how it ended. It shows
// nothing and runs nothing.

#include <memory>
#include <optional>
#include <string>

#include "lib/workflow/workspace_copy.h"
#include "lib/workflow/workspace_review.h"
#include "plugin/coder_connection.h"
#include "plugin/workspaces_results.h"

namespace truenas::plugin {

// What all homes of one call share.
struct HomesCall {
  Connection connection;
  std::unique_ptr<kube::Reader> reader;
  std::unique_ptr<workflow::HomeView> view;
  std::string cluster_uid;
  CoderConnection coder;
  storage::MoverWishes wishes;
  MigrationFlags flags;
  workflow::WorkspaceCopyOptions options;  // without namespace and claim
  bool many = false;                       // more than one home: lines say whose they are
  // Homes in use are moved once they are stopped: waited for so long, 0 for ever.
  std::optional<Milliseconds> when_stopped;
  std::size_t parallel = 4;      // homes at once
  std::size_t max_failures = 0;  // so many end it; 0: none does
};

// One home's move.
struct HomeMove : HomeRun {
  bool in_use = false;                                    // when it was planned
  bool waits = false;                                     // until its user stops it
  std::int64_t bytes = 0;                                 // of the volume that it was on then
  std::unique_ptr<workflow::WorkspaceControl> workspace;  // null: Coder is not asked
  std::unique_ptr<workflow::WorkspaceCopy> copy;
};

// Strategy, classes, consent and the mover's wishes. Kind::usage for flags that make no sense.
Result<void> read_homes_flags(const Arguments& arguments, const workflow::WorkspaceOptions& review,
                              HomesCall& call);
// `call` must outlive what these give.
std::unique_ptr<engine::JournalStore> open_journal(const HomesCall& call, const ChosenHome& home);
Result<std::unique_ptr<HomeMove>> open_home(HomesCall& call, const ChosenHome& home);
// Observes and plans; what speaks against it is in `error` then.
void plan_home(HomeMove& move);

}  // namespace truenas::plugin
