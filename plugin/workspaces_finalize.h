#pragma once
// `workspaces NAME… --finalize`: gives the old volumes of homes up that were moved. Which, and what must be
// so, is home_finalize.h's; here are the flags, the phrase to be typed, and what is shown.

#include "plugin/workspaces_home.h"

namespace truenas::plugin {

std::vector<Flag> workspaces_finalize_flags();
// `call` is connected; `chosen` are not looked at yet. The exit code.
Result<int> finalize_homes(HomesCall& call, const std::vector<ChosenHome>& chosen,
                           const Arguments& arguments);

}  // namespace truenas::plugin
