#pragma once
// The words of a WorkspaceReview that its table and its document share. Pure.

#include <string_view>

#include "lib/workflow/workspace_review.h"

namespace truenas::report {

std::string_view verdict_name(workflow::WorkspaceVerdict verdict);
std::string_view severity_name(workflow::Severity severity);

}  // namespace truenas::report
