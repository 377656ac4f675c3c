#pragma once
// What Coder's API says about the workspaces of a review: read here, judged elsewhere. That Coder does not
// say something is kept apart from its saying no.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/coder/outcome.h"
#include "lib/coder/server.h"
#include "lib/workflow/workspace_review/template_text.h"

namespace truenas::workflow {

struct SiteClaim;
struct WorkspaceOptions;
struct WorkspaceSite;

// The text of one template version.
struct CoderText {
  std::string version;  // its name
  TemplateText text;
  std::map<std::string, std::string> variables;
  std::string unknown;  // why there is no text; "" when there is one
};

struct CoderView {
  std::string url, user;
  bool sees_all = false;  // of workspaces: what is not listed does not exist
  std::map<std::string, coder::ServerWorkspace> workspaces;  // by id
  std::set<std::string> absent;  // ids of claims' workspaces that Coder says it has not
  // By the id of a workspace's latest build; missing where they could not be read, which `unread` explains.
  std::map<std::string, std::map<std::string, std::string>> parameters;
  std::map<std::string, std::vector<coder::StateResource>> states;
  std::map<std::string, std::string> unread;  // "parameters" or "states" to why
  std::map<std::string, CoderText> texts;     // by version id
  const coder::ServerWorkspace* find(const std::string& id) const;
  const CoderText* find_text(const std::string& version_id) const;
};

// The workspace of a claim: by id, or by owner and name where those fit one only; null: not there. A claim
// that contradicts itself is nobody's.
const coder::ServerWorkspace* workspace_of(const SiteClaim& claim, const CoderView& view);

// What Coder knows that a question about the claim's next build needs: the workspace's parameters, the
// version's variables, the claim's address in the state. Nothing where Coder does not know the workspace.
void add_knowledge(const SiteClaim& claim, const CoderView& view, const TemplateText& text,
                   const std::string& version_id, coder::Question& question);

// Reads it all: every workspace once, of those with a claim here also state, parameters and the texts of the
// versions that their next build and an update would use. What the token may not read, and what of it is too
// much (more than 1,000 workspaces' states), is said in CoderView::unread; a list that cannot be read is an
// error.
Result<void> observe_coder(const coder::ServerReader& server, const std::string& url,
                           const WorkspaceOptions& options, WorkspaceSite& site);

}  // namespace truenas::workflow
