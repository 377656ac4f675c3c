#include "plugin/coder_connection.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/coder/server_login.h"
#include "plugin/connection.h"

namespace truenas::plugin {

Flag coder_url_flag() {
  return {"coder-url", 0, "URL",
          "Coder's address (default: CODER_URL, else where `coder login` was last); its token comes from "
          "CODER_SESSION_TOKEN or from that login."};
}

Result<CoderConnection> connect_to_coder(const Arguments& arguments) {
  TM_TRY_ASSIGN(const kube::ConnectionFlags flags, read_connection_flags(arguments));
  const kube::Environment environment = kube::process_environment();
  TM_TRY_ASSIGN(const coder::LoginSearch search,
                coder::find_login(arguments.optional_text("coder-url"), environment, coder::runs_on_mac()));
  CoderConnection connection;
  connection.why_none = search.why_none;
  if (!search.login) return connection;
  connection.url = search.login->url;
  connection.asked = search.login->asked;
  const auto log = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  TM_TRY_ASSIGN(connection.session,
                coder::open_server(*search.login, environment, flags.verbosity, log, system_clock()));
  return connection;
}

std::string why_no_coder(const CoderConnection& coder) {
  if (coder.session) return "";
  return coder.why_none.empty() ? "there is no token for Coder" : coder.why_none;
}

Result<void> look_at_coder(const CoderConnection& coder, const workflow::WorkspaceOptions& options,
                           workflow::WorkspaceSite& site) {
  site.no_coder = coder.why_none;
  if (!coder.session) return {};
  Result<void> asked = workflow::observe_coder(coder::ServerReader(*coder.session), coder.url, options, site);
  if (asked.ok() || coder.asked || asked.error().kind == Kind::interrupted) return asked;
  site.no_coder = fmt::format("{} ({})", asked.error().what, coder.url);
  return {};
}

}  // namespace truenas::plugin
