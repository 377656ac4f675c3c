#pragma once
// One home of `workspaces --strategy=copy`: its journal, its workflow, its plan and how it ended. It shows
// nothing and runs nothing.

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "lib/workflow/workspace_copy.h"
#include "lib/workflow/workspace_review.h"
#include "plugin/coder_connection.h"
#include "plugin/fleet_board.h"
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
  bool unread = false;                     // of --all, a journal could not be read
  // Homes in use are moved once they are stopped: waited for so long, 0 for ever.
  std::optional<Milliseconds> when_stopped;
  std::size_t parallel = 4;        // homes at once
  std::size_t copy_workers = 128;  // of all their movers together, at most
  ProgressStyle progress = ProgressStyle::automatic;
  // Names of the journals that there were when planning began ("ns/name"): others need not be asked for.
  std::optional<std::set<std::string>> journals;
  std::unique_ptr<kube::Session> lock_session;  // of all homes' locks
  std::unique_ptr<FleetBoard> board;            // while many run
  std::size_t max_failures = 0;                 // so many end it; 0: none does
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
// For all that are going to be planned; what is read meanwhile is forgotten at the end.
Result<void> begin_planning(HomesCall& call, const std::vector<ChosenHome>& homes);
void end_planning(HomesCall& call);
// Observes and plans; what speaks against it is in `error` then.
void plan_home(HomeMove& move);

}  // namespace truenas::plugin
