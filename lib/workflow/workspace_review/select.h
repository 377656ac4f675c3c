#pragma once
// Which of the claims that were listed the review is about. Pure.

#include <optional>
#include <string>
#include <vector>

#include "lib/workflow/workspace_review.h"
#include "lib/workflow/workspace_review/uses.h"

namespace truenas::workflow {

// The claim with what is known of its workspace; nullopt: not a workspace's, or not asked for.
std::optional<SiteClaim> select_claim(const json::Value& object, const UsesOfClaims& uses,
                                      const WorkspaceOptions& options);
// Keeps the claims that the names ask for; all when there are none. Kind::not_found for a name that fits
// nothing.
Result<void> keep_named(std::vector<SiteClaim>& claims, const std::vector<std::string>& names);

}  // namespace truenas::workflow
