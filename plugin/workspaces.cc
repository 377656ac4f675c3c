// `workspaces`: whose homes there are, which of them run, what would endanger them.

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/text.h"
#include "lib/report/access_report.h"
#include "lib/report/workspace_notice.h"
#include "lib/report/workspace_report.h"
#include "lib/workflow/workspace_review.h"
#include "plugin/coder_connection.h"
#include "plugin/connection.h"
#include "plugin/exit_code.h"
#include "plugin/namespaces.h"
#include "plugin/output.h"
#include "plugin/subcommands.h"
#include "plugin/template_directory.h"
#include "plugin/template_writing.h"
#include "plugin/workspaces_move.h"

namespace truenas::plugin {
namespace {

std::vector<FlagGroup> workspaces_flags() {
  return {
      {"Flags",
       {
           {"namespace", 'n', "NAME", "Namespace to look at (default coder-workspaces).", "", true},
           {"all-namespaces", 'A', "", "Look at all namespaces."},
           {"selector", 'l', "SELECTOR", "Only claims with these labels."},
           {"name-regex", 0, "REGEX",
            "Only claims whose name matches (POSIX extended); those count as workspaces', whatever they are "
            "called."},
           {"from-class", 0, "NAME", "The storage class to leave.", "truenas-nfs"},
           {"to-class", 0, "NAME", "The storage class to reach.", "truenas-csi-nfs"},
           {"coder-namespace", 0, "NAME", "Where Coder itself runs.", "coder"},
           coder_url_flag(),
           {"template-dir", 0, "DIR", "The text of a template (coder templates pull): what builds will do.",
            "", true},
           {"write-template", 0, "DIR",
            "Write each template's text made safe for its homes as a diff into this directory."},
           {"output", 'o', "FORMAT", "wide, json, yaml or name."},
           {"no-headers", 0, "", "Leave the tables' headers out."},
           {"print-rbac", 0, "", "Print a ClusterRole with the rights that this needs, and do nothing else."},
           {"help", 'h', "", "Show this help."},
       }},
      {"Flags of a move", workspaces_move_flags()},
      connection_flags()};
}

Result<std::vector<workflow::TemplateText>> read_templates(const Arguments& arguments) {
  std::vector<workflow::TemplateText> templates;
  for (const std::string& directory : arguments.texts("template-dir")) {
    workflow::TemplateText text;
    text.name = template_name_of(directory);
    TM_TRY_ASSIGN(text.files, read_template_directory(directory));
    auto read = coder::read_template(text.files);
    if (!read.ok()) return read.error().in("template " + printable(directory));
    text.text = std::move(read).value();
    templates.push_back(std::move(text));
  }
  return templates;
}

Result<workflow::WorkspaceOptions> read_options(const Arguments& arguments) {
  workflow::WorkspaceOptions options;
  options.names = arguments.positionals();
  options.selector = arguments.text("selector");
  options.from_class = arguments.text("from-class");
  options.to_class = arguments.text("to-class");
  options.coder_ns = arguments.text("coder-namespace");
  if (options.from_class == options.to_class) {
    return make_error(Kind::usage,
                      fmt::format("--from-class and --to-class are both {}", quote(options.to_class)));
  }
  if (const auto pattern = arguments.optional_text("name-regex")) {
    TM_TRY_ASSIGN(options.name_pattern, coder::NamePattern::compile(*pattern));
  }
  if (arguments.given("write-template") && !arguments.given("template-dir")) {
    return make_error(Kind::usage, "--write-template corrects the text that --template-dir gives",
                      {"coder templates pull TEMPLATE DIR"});
  }
  TM_TRY_ASSIGN(options.templates, read_templates(arguments));
  return options;
}

std::string render(const workflow::WorkspaceReview& review, OutputFormat format, bool headers) {
  switch (format) {
    case OutputFormat::json:
    case OutputFormat::yaml:
      return render_document(report::workspace_document(review), format);
    case OutputFormat::name:
      return report::render_workspace_names(review);
    case OutputFormat::table:
    case OutputFormat::wide:
      break;
  }
  return report::render_workspaces(review, format == OutputFormat::wide, headers);
}

void print_remarks(const workflow::WorkspaceReview& review) {
  for (const std::string& note : review.notes) std::fprintf(stderr, "note: %s\n", printable(note).c_str());
  for (const workflow::Unchecked& check : review.unchecked) {
    std::fprintf(stderr, "not checked: %s: %s\n", check.id.c_str(), printable(check.why).c_str());
  }
  std::fprintf(stderr, "%s\n", report::workspace_summary(review).c_str());
}

Result<int> workspaces(const Arguments& arguments) {
  if (arguments.yes("print-rbac")) {
    std::vector<kube::Permission> rights = workflow::workspace_permissions("");
    if (is_workspaces_move(arguments)) {
      const auto more = workspaces_move_permissions(arguments);
      rights.insert(rights.end(), more.begin(), more.end());
    }
    TM_TRY(
        print_answer(json::write_yaml(report::cluster_role_document("truenas-migrate-workspaces", rights))));
    return k_exit_done;
  }
  TM_TRY_ASSIGN(const OutputFormat format, parse_output_format(arguments.text("output")));
  TM_TRY_ASSIGN(workflow::WorkspaceOptions options, read_options(arguments));
  if (is_workspaces_move(arguments)) return move_workspaces(arguments, std::move(options));
  TM_TRY_ASSIGN(const Connection connection, connect(arguments));
  const kube::Reader reader(*connection.session);
  TM_TRY_ASSIGN(options.namespaces, choose_namespaces(reader, arguments, "workspaces", {"coder-workspaces"}));
  TM_TRY_ASSIGN(const CoderConnection coder, connect_to_coder(arguments));
  TM_TRY_ASSIGN(workflow::WorkspaceSite site, workflow::observe_workspaces(reader, options));
  TM_TRY(look_at_coder(coder, options, site));
  const workflow::WorkspaceReview review = workflow::judge_workspaces(site, options);
  if (arguments.text("strategy") == "report" && format == OutputFormat::table) {
    TM_TRY(print_answer(report::render_notices(review)));
    std::fprintf(stderr, "%s\n", report::workspace_summary(review).c_str());
    return review.left() == 0 ? k_exit_done : k_exit_mismatch;
  }
  TM_TRY(print_answer(render(review, format, !arguments.yes("no-headers"))));
  print_remarks(review);
  if (const auto directory = arguments.optional_text("write-template")) {
    TM_TRY_ASSIGN(const auto corrections, workflow::correct_templates(review, site, options));
    TM_TRY(write_corrections(*directory, corrections, options, arguments.texts("template-dir")));
  }
  return review.left() == 0 ? k_exit_done : k_exit_mismatch;
}

}  // namespace

Command workspaces_command() {
  return {
      "workspaces",
      "workspaces [NAME...]",
      "Show every workspace's home: whose it is, whether it runs, what would endanger it",
      "Finds the claims of Coder's workspaces by label, by name, or because a Pod with Coder's agent "
      "mounts them, and says of\n"
      "each whose it is, which driver made its volume, whether something uses it, and whether it can be "
      "moved. Then the\n"
      "danger table: what would endanger the data, what follows from it and what to do. With "
      "--template-dir also what the\n"
      "next build does to each claim, as it is and once it is moved. NAME is a claim, a workspace, "
      "OWNER/WORKSPACE or a\n"
      "workspace's id. Where a Coder is known (see --coder-url) it is asked too: what runs there, and "
      "what the next\n"
      "build and an update do to each claim. Nothing is changed by that; exit code 0 when every home is "
      "moved and none is in "
      "danger, 3 "
      "otherwise.\n"
      "With --strategy=copy the homes that are named are moved, several side by side: their plans are "
      "shown, and "
      "after a\n"
      "typed yes each is copied, compared byte by byte, and exchanged under its own name. With a token "
      "for Coder a\n"
      "workspace that runs is copied while it does, stopped, moved and started again; without one it is "
      "left alone. The\n"
      "old volumes stay, with reclaim policy Retain. Running it again at any moment goes on where it "
      "stopped.\n"
      "With --strategy=adopt nothing is copied: once the new driver has shown, read-only, the very files of "
      "the old\n"
      "volume, the claim gets a volume object of the new driver on the same dataset, in seconds whatever "
      "its size.",
      {"kubectl truenas-migrate workspaces", "kubectl truenas-migrate workspaces alice/backend -o wide",
       "kubectl truenas-migrate workspaces -A --name-regex='^(coder|home)-.*'",
       "kubectl truenas-migrate workspaces --template-dir=./kubernetes -o json",
       "kubectl truenas-migrate workspaces alice/backend --strategy=copy --dry-run",
       "kubectl truenas-migrate workspaces --strategy=report",
       "kubectl truenas-migrate workspaces -l team=a --strategy=copy --when-stopped",
       "kubectl truenas-migrate workspaces alice/backend --rollback",
       "kubectl truenas-migrate workspaces alice/backend --finalize",
       "kubectl truenas-migrate workspaces --all --finalize --dry-run"},
      workspaces_flags,
      workspaces};
}

}  // namespace truenas::plugin
