// `version`: this plugin's, and the server's where one answers.

#include <fmt/format.h>

#include <cstdio>

#include "lib/kube/reader.h"
#include "plugin/connection.h"
#include "plugin/exit_code.h"
#include "plugin/output.h"
#include "plugin/subcommands.h"

namespace truenas::plugin {
namespace {

std::vector<FlagGroup> version_flags() {
  return {{"Flags",
           {
               {"server-version", 0, "", "Also ask the API server for its version."},
               {"output", 'o', "FORMAT", "json or yaml."},
               {"help", 'h', "", "Show this help."},
           }},
          connection_flags()};
}

Result<int> version(const Arguments& arguments) {
  TM_TRY_ASSIGN(const OutputFormat format, parse_output_format(arguments.text("output")));
  json::Value document = json::Value::object({{"client", TM_VERSION}});
  std::string text = fmt::format("kubectl truenas-migrate {}\n", TM_VERSION);
  if (arguments.yes("server-version")) {
    TM_TRY_ASSIGN(Connection connection, connect(arguments));
    TM_TRY_ASSIGN(const std::string server, kube::Reader(*connection.session).server_version());
    document.set("server", server);
    text += fmt::format("server {}\n", server);
  }
  const bool structured = format == OutputFormat::json || format == OutputFormat::yaml;
  TM_TRY(print_answer(structured ? render_document(document, format) : text));
  return k_exit_done;
}

}  // namespace

Command version_command() {
  return {"version",
          "version",
          "Show the version of this plugin",
          "Shows the version of this plugin and, when asked, of the API server.",
          {"kubectl truenas-migrate version", "kubectl truenas-migrate version --server-version -o json"},
          version_flags,
          version};
}

}  // namespace truenas::plugin
