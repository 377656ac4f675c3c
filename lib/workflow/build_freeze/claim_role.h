#pragma once
// A Role as a freeze sees it, read from the object alone: whether the runs for whose sake it is frozen are
// alive is not looked at. Pure. Private to lib/workflow.

#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {

ClaimRole claim_role(const json::Value& object);

}  // namespace truenas::workflow
