#pragma once
// A WorkspaceReview as text or document. Pure; the exit code is the caller's business
// (WorkspaceReview::left).

#include <string>

#include "lib/json/value.h"
#include "lib/workflow/workspace_review.h"

namespace truenas::report {

// The table of claims and the danger table. Without `wide` the latter leaves notes out, and shows of each
// check that only warns the first few.
std::string render_workspaces(const workflow::WorkspaceReview& review, bool wide, bool headers);
// "persistentvolumeclaim/x" a line (-o name).
std::string render_workspace_names(const workflow::WorkspaceReview& review);
// {apiVersion: truenas-migrate/v1, kind: WorkspaceReview, workspaces, findings, unchecked, notes, summary}.
json::Value workspace_document(const workflow::WorkspaceReview& review);
// "5 workspace claims: 3 ready, 2 running; 5 warnings".
std::string workspace_summary(const workflow::WorkspaceReview& review);

}  // namespace truenas::report
