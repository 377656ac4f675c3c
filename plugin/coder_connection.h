#pragma once
// The Coder that a command asks, if there is one: --coder-url, the environment, or what `coder login` left.

#include <memory>
#include <string>

#include "lib/coder/server_session.h"
#include "lib/workflow/workspace_review.h"
#include "plugin/arguments.h"

namespace truenas::plugin {

struct CoderConnection {
  std::unique_ptr<coder::ServerSession> session;  // null: there is none
  std::string url;
  std::string why_none;  // one clause; "" when nothing speaks of a Coder
  // By flag or environment: then a Coder that cannot be asked ends the command.
  bool asked = false;
};

Flag coder_url_flag();
// Nothing is sent yet. Log lines go to stderr.
Result<CoderConnection> connect_to_coder(const Arguments& arguments);
// One clause, also when nothing speaks of a Coder; "" when there is one to ask.
std::string why_no_coder(const CoderConnection& coder);
// What Coder knows of the site's homes; why nothing, where it is not asked. A Coder that only a forgotten
// login speaks of, and that cannot be asked, is no error: it must not keep anybody from looking at the
// cluster.
Result<void> look_at_coder(const CoderConnection& coder, const workflow::WorkspaceOptions& options,
                           workflow::WorkspaceSite& site);

}  // namespace truenas::plugin
