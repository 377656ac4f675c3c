#pragma once
// The Coder that a command asks, if there is one: --coder-url, the environment, or what `coder login` left.

#include <memory>
#include <string>

#include "lib/coder/server_session.h"
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

}  // namespace truenas::plugin
