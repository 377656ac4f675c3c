#pragma once
// The effects on Coder's Roles: their rights to claims are taken and given back. Private to this folder.

#include "lib/workflow/workspace_copy/state.h"

namespace truenas::workflow {

// freeze-builds and thaw-builds. Homes of one process take turns: they all write the same Role.
Result<void> change_role(const WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer);

}  // namespace truenas::workflow
