#pragma once
// The text of a template made safe for the homes that it makes, now and once they are moved. Pure: writes no
// file; lib/coder/template_rewrite.h changes the text.

#include <string>
#include <vector>

#include "lib/coder/template_rewrite.h"
#include "lib/workflow/workspace_review.h"

namespace truenas::workflow {

struct TemplateCorrection {
  const TemplateText* text = nullptr;  // as it was given, into WorkspaceOptions
  std::string claim_address;
  coder::Correction correction = coder::Correction::ignore_all;
  coder::Rewritten rewritten;  // diff "": nothing had to change
  std::size_t homes = 0;       // of how many it was asked
  // "coder-workspaces/x: …": homes that the new text would not keep either, and those of which it cannot be
  // told.
  std::vector<std::string> not_kept, undecided;
};

// One a template and claim of it that some home was found to be; a second claim of a template is corrected in
// the text that the first correction has left. Without a class line where the new class is the cluster's
// default, else with the new class and ignore_changes = all. Errors are rewrite_template's, with the
// template's name.
Result<std::vector<TemplateCorrection>> correct_templates(const WorkspaceReview& review,
                                                          const WorkspaceSite& site,
                                                          const WorkspaceOptions& options);

}  // namespace truenas::workflow
