#pragma once
// Many homes' moves: which begins first, several side by side, and with --when-stopped those in use as soon
// as their users stop them. What a move is, is workspace_copy.h's; nothing here stops a workspace.

#include <memory>
#include <vector>

#include "plugin/workspaces_home.h"

namespace truenas::plugin {

using Homes = std::vector<std::unique_ptr<HomeMove>>;

HomeRuns runs_of(const Homes& homes);
// Prints each line to stderr as a warning.
void warn(const std::vector<std::string>& lines);
// Who is away for the shortest time first: homes that nobody uses, and small ones.
void put_in_order(Homes& homes);
// Homes that are refused because they are in use are waited for: their plan says so instead.
void wait_for_users(Homes& homes);
// Asks once, runs what is planned, prints each home's end; the exit code.
Result<int> run_homes(HomesCall& call, const Homes& homes);

}  // namespace truenas::plugin
