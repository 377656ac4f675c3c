#pragma once
// What a template's text does to a workspace's claim, now and once it is on the new class. Pure; the outcome
// itself is lib/coder's.

#include <string>
#include <vector>

#include "lib/coder/outcome.h"
#include "lib/workflow/workspace_review/site.h"
#include "lib/workflow/workspace_review/template_text.h"

namespace truenas::workflow {

struct ClaimFate {
  std::string template_name;  // "" while no template is known to be its own
  std::string version;        // its name in Coder; "" for a text that the user has given
  const TemplateText* text = nullptr;
  std::string claim_address;  // in that template
  std::string unknown;        // why nothing can be said; "" when `now` and `after` say something
  coder::Outcome now, after;  // the next build as it is, and after the swap
};

// The claim with what its class and its volume say about it.
coder::LiveClaim with_surroundings(const SiteClaim& claim, const WorkspaceSite& site);
// What is asked about this claim's next build.
coder::Question question_about(const SiteClaim& claim, const WorkspaceSite& site, const TemplateText& text,
                               const std::string& from_class, const std::string& to_class);
ClaimFate foresee(const SiteClaim& claim, const WorkspaceSite& site,
                  const std::vector<TemplateText>& templates, const std::string& from_class,
                  const std::string& to_class);

// The same for a version of the workspace's template in Coder; `site.coder` is there and knows the workspace.
ClaimFate foresee_version(const SiteClaim& claim, const WorkspaceSite& site, const std::string& version_id,
                          const std::string& from_class, const std::string& to_class);

}  // namespace truenas::workflow
