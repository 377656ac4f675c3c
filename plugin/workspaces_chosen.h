#pragma once
// Which claims a move of workspaces is about: those of the review, and those whose move has not ended, which
// may be absent just now. It reads and decides nothing about moving them.

#include <optional>
#include <string>
#include <vector>

#include "lib/kube/reader.h"
#include "lib/workflow/workspace_copy/world.h"
#include "lib/workflow/workspace_review.h"
#include "plugin/coder_connection.h"

namespace truenas::plugin {

struct ChosenHome {
  std::string ns, claim;
  std::string title;    // "alice/backend"; "" where unknown
  std::string refused;  // why the review, or what is known of the template, says no; "" when it does not
  std::string unknown;  // why it is not known what the next build does to the home; "" when it is
  std::string endangered = {};    // why its next build destroys it where it is; "" when it does not
  std::string workspace_id = {};  // in Coder, which can be asked about it; "" where not
  std::string no_coder = {};      // why not
  // The workspace as it was when its template was judged; absent for a move under way, which was judged
  // before it began.
  std::optional<workflow::ForeseenWorkspace> judged = {};
};

// options.namespaces are filled in already. Kind::not_found for a name that fits neither a claim nor an open
// move.
Result<std::vector<ChosenHome>> choose_homes(const kube::Reader& reader, const CoderConnection& coder,
                                             const std::string& cluster_uid,
                                             workflow::WorkspaceOptions options);

}  // namespace truenas::plugin
