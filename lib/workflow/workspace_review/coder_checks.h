#pragma once
// The checks that need Coder's API (facts 2.6: C2 to C4, C6 to C8, K9). Pure.

#include "lib/workflow/workspace_review/judge.h"

namespace truenas::workflow {

// CC2 … CC7 and CK9 of one claim; nothing where Coder was not asked.
void check_coder(const Subject& subject, std::vector<WorkspaceFinding>& findings);
// CC8, and which of these checks could not be made.
void check_coder_site(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceReview& review);

}  // namespace truenas::workflow
