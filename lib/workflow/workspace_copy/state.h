#pragma once
// What one WorkspaceCopy carries with it: its seams to the cluster and what it has seen. Private to this
// folder's observe.cc, act.cc and their parts.

#include <optional>
#include <string>

#include "lib/workflow/workspace_copy.h"

namespace truenas::workflow {

struct WorkspaceCopy::State {
  WorkspaceCopyTools tools;
  WorkspaceCopyOptions options;

  std::optional<SwapWorld> world;  // seen last
  SwapMemory memory;
  // The end of the last look or act. A machine that slept meanwhile has not watched.
  std::chrono::microseconds seen_at{0};
  std::optional<Milliseconds> frozen_since;  // rights were taken, and somebody still has them
  std::optional<std::vector<std::string>> missing_permissions;
  int movers = 0;  // that were run, for their names
};

// Who uses the claim, which movers are left, where the source is attached.
Result<void> observe_users(WorkspaceCopy::State& state, SwapWorld& world);
// The effects by movers.
Result<void> act_by_mover(WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer,
                          const std::function<void(const std::string&)>& on_line);
// The effects on claims, volumes and Roles.
Result<void> act_on_objects(WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer);

}  // namespace truenas::workflow
