#pragma once
// `workspaces --strategy=copy`, `--rollback` and `--status`: which homes are meant, their plans, consent, and
// one run after the other. What a move decides is lib/workflow/workspace_copy's.

#include <vector>

#include "lib/workflow/workspace_review.h"
#include "plugin/arguments.h"

namespace truenas::plugin {

// The flags that only a move has.
std::vector<Flag> workspaces_move_flags();
// What a move needs beyond looking. (To give Coder's Role its rights back takes every right that it has.)
std::vector<kube::Permission> workspaces_move_permissions(const Arguments& arguments);
// Whether the command line asks for a move, or for how far one is.
bool is_workspaces_move(const Arguments& arguments);
// Carries it out; `options` are the review's. The exit code: 0 when every home is moved, 5 when any can be
// tried again, 4 when all were refused; of a single home its own.
Result<int> move_workspaces(const Arguments& arguments, workflow::WorkspaceOptions options);

}  // namespace truenas::plugin
