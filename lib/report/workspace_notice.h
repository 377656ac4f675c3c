#pragma once
// What is left on the old class, by its owners, with a text that can be sent to each: how they move their
// home themselves (the runbook's option A), or what they have to do so that it can be moved for them
// (option C). Pure.

#include <string>

#include "lib/workflow/workspace_review.h"

namespace truenas::report {

// One paragraph an owner, by name; those whose owner is unknown last, for the administrator. Homes that are
// done are not in it.
std::string render_notices(const workflow::WorkspaceReview& review);

}  // namespace truenas::report
