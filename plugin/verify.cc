// `verify`: what is moved, what is left, what is kept.

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/text.h"
#include "lib/report/verification_report.h"
#include "lib/workflow/verification.h"
#include "plugin/connection.h"
#include "plugin/exit_code.h"
#include "plugin/namespaces.h"
#include "plugin/output.h"
#include "plugin/subcommands.h"

namespace truenas::plugin {
namespace {

std::vector<FlagGroup> verify_flags() {
  return {
      {"Flags",
       {
           {"namespace", 'n', "NAME", "Namespace to look at (default coder and coder-workspaces).", "", true},
           {"all-namespaces", 'A', "", "Look at all namespaces."},
           {"from-class", 0, "NAME", "The storage class to leave.", "truenas-nfs"},
           {"to-class", 0, "NAME", "The storage class to reach.", "truenas-csi-nfs"},
           {"journal-namespace", 0, "NAME", "Where the storage class's journal lies.",
            workflow::k_class_journal_ns},
           {"output", 'o', "FORMAT", "wide, json, yaml or name."},
           {"no-headers", 0, "", "Leave the tables' headers out."},
           {"help", 'h', "", "Show this help."},
       }},
      connection_flags()};
}

Result<int> verify(const Arguments& arguments) {
  if (!arguments.positionals().empty()) {
    return make_error(Kind::usage,
                      fmt::format("verify takes no argument, got {}", arguments.positionals()[0]));
  }
  TM_TRY_ASSIGN(const OutputFormat format, parse_output_format(arguments.text("output")));
  TM_TRY_ASSIGN(Connection connection, connect(arguments));
  const kube::Reader reader(*connection.session);
  workflow::VerificationOptions options;
  options.from_class = arguments.text("from-class");
  options.to_class = arguments.text("to-class");
  options.class_journal_ns = arguments.text("journal-namespace");
  TM_TRY_ASSIGN(options.namespaces,
                choose_namespaces(reader, arguments, "verify", {"coder", "coder-workspaces"}));
  TM_TRY_ASSIGN(const workflow::Site site, workflow::observe_site(reader, options));
  const workflow::Verification result = workflow::judge(site, options);
  std::string answer;
  switch (format) {
    case OutputFormat::json:
    case OutputFormat::yaml:
      answer = render_document(report::verification_document(result), format);
      break;
    case OutputFormat::name:
      answer = report::render_verification_names(result);
      break;
    case OutputFormat::table:
    case OutputFormat::wide:
      answer =
          report::render_verification(result, format == OutputFormat::wide, !arguments.yes("no-headers"));
  }
  TM_TRY(print_answer(answer));
  for (const std::string& role : result.frozen_roles) {
    std::fprintf(stderr, "ALARM: %s\n", printable(role).c_str());
  }
  for (const std::string& note : result.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  std::fprintf(stderr, "%s\n", report::verification_summary(result).c_str());
  return result.left() == 0 ? k_exit_done : k_exit_mismatch;
}

}  // namespace

Command verify_command() {
  return {
      "verify",
      "verify",
      "Show which claims and databases are on the new class, and which are left",
      "Looks at every claim, database cluster and old volume and says what is moved, what is left and "
      "what is kept.\n"
      "A claim counts as moved only if its class AND the driver that made its volume are the new ones. "
      "Changes nothing.\n"
      "Exit code 3 when something is left, an old volume is in danger, a volume that would be deleted with "
      "its claim shares its dataset with another one that is in use, or a move has left Coder without its "
      "rights.",
      {"kubectl truenas-migrate verify", "kubectl truenas-migrate verify -n coder -o wide",
       "kubectl truenas-migrate verify -A -o json"},
      verify_flags,
      verify};
}

}  // namespace truenas::plugin
