#pragma once
// Coder's replies as values: everything demanded is checked, everything else left out. Pure. Kind::format
// with the place ("reply to get workspace 1234: /latest_build/job/status: expected string, found nothing").
// Private to lib/coder.

#include "lib/coder/server.h"
#include "lib/json/view.h"

namespace truenas::coder {

Result<Build> parse_build(const json::View& view);
Result<ServerWorkspace> parse_workspace(const json::View& view);
Result<TemplateVersion> parse_version(const json::View& view);
Result<ServerUser> parse_user(const json::View& view);
Result<std::map<std::string, std::string>> parse_parameters(const json::View& view);
Result<std::map<std::string, std::string>> parse_variables(const json::View& view);
Result<std::vector<std::string>> parse_log(const json::View& view);
// A Terraform state of version 4.
Result<std::vector<StateResource>> parse_state(const json::View& view);

}  // namespace truenas::coder
