#pragma once
// The judgement about one claim. Pure.

#include <string>
#include <vector>

#include "lib/workflow/workspace_review.h"

namespace truenas::workflow {

// A row with what every check looks at.
struct Subject {
  const WorkspaceRow& row;
  const SiteVolume* volume;  // null: the claim has none, or it does not exist
  const std::vector<Attachment>& attachments;
  const WorkspaceSite& site;
  const WorkspaceOptions& options;
};

// How many parties use the claim, or would: Pods of one workload are one.
std::vector<std::string> parties(const std::vector<ClaimUse>& uses);
std::vector<const ClaimUse*> live_uses(const std::vector<ClaimUse>& uses);
// A class that is neither the old nor the new one, on a volume that the old driver did not make.
bool concerns_migration(const SiteClaim& claim, const std::string& driver, const WorkspaceSite& site,
                        const WorkspaceOptions& options);

// About the subject's claim: what it means for its data, and what to do.
void add_finding(const Subject& subject, std::string id, Severity severity, std::string consequence,
                 std::string action, std::vector<WorkspaceFinding>& findings);
// CK1 … CK12 of one claim, and CC… where a template was given.
void check_claim(const Subject& subject, std::vector<WorkspaceFinding>& findings);
void check_fate(const Subject& subject, std::vector<WorkspaceFinding>& findings);
// Those about the whole site, and what could not be checked.
void check_site(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceReview& review);

}  // namespace truenas::workflow
