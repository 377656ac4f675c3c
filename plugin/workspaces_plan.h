#pragma once
// What the plan of a home's move says of its workspace: whether it is stopped and started, and what is not
// known without Coder. Text only; what happens is decided by lib/workflow/workspace_copy.

#include <string>

#include "plugin/workspaces_home.h"

namespace truenas::plugin {

// One sentence on how long the user cannot work.
std::string downtime_of(const HomeMove& move, const workflow::SwapWorld& world);
// Adds to the plan's notes and to what it will not do.
void describe_workspace(HomeMove& move, const workflow::SwapWorld& world);

}  // namespace truenas::plugin
