#include "plugin/workspaces_chosen.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_review/fate.h"
#include "plugin/workspaces_under_way.h"

namespace truenas::plugin {
namespace {

bool destroys(const coder::Outcome& outcome) {
  return outcome.fate != coder::Fate::unknown && !coder::is_harmless(outcome.fate);
}

std::string by_row(const coder::Outcome& outcome) {
  return outcome.consequence + (outcome.row.empty() ? "" : fmt::format(" (row {})", outcome.row));
}

// Coder applies the whole template also when it stops a workspace, and starts it again with that version.
std::string why_not_to_build(const workflow::WorkspaceRow& row, const workflow::WorkspaceSite& site,
                             const workflow::WorkspaceOptions& options) {
  if (!row.at_coder || !site.coder || (row.at_coder->stopped() && !row.running)) return "";
  const std::string& version = row.at_coder->latest_build.template_version_id;
  const workflow::ClaimFate fate =
      workflow::foresee_version(row.claim, site, version, options.from_class, options.to_class);
  if (!fate.unknown.empty()) return "";
  if (destroys(fate.now)) return "when Coder stops it, that destroys it: " + by_row(fate.now);
  if (destroys(fate.after)) return "when Coder starts it again, that destroys it: " + by_row(fate.after);
  return "";
}

std::string why_not(const workflow::WorkspaceRow& row, const workflow::WorkspaceSite& site,
                    const workflow::WorkspaceOptions& options) {
  const bool no = row.verdict == workflow::WorkspaceVerdict::refused ||
                  row.verdict == workflow::WorkspaceVerdict::skipped;
  if (no) return row.why;
  if (row.verdict == workflow::WorkspaceVerdict::done || !row.fate.unknown.empty()) return "";
  // A home that is moved into its next build's way is better left where it is.
  if (destroys(row.fate.after)) {
    return "once it is moved, its next build destroys it: " + by_row(row.fate.after);
  }
  return why_not_to_build(row, site, options);
}

std::string why_unknown(const workflow::WorkspaceRow& row) {
  if (!row.fate.unknown.empty()) return row.fate.unknown;
  const coder::Outcome& after = row.fate.after;
  if (after.fate != coder::Fate::unknown) return "";
  if (after.conditions.empty()) return after.consequence;
  return fmt::format("{} if {}", coder::fate_name(after.if_so), join(after.conditions, " and "));
}

}  // namespace

Result<std::vector<ChosenHome>> choose_homes(const kube::Reader& reader, const CoderConnection& coder,
                                             const std::string& cluster_uid,
                                             workflow::WorkspaceOptions options) {
  std::vector<ChosenHome> chosen;
  std::vector<std::string> others;
  for (const std::string& name : options.names) {
    bool found = false;
    // A name with a slash is a workspace's.
    if (name.find('/') == std::string::npos) {
      std::vector<std::string> namespaces = options.namespaces;
      if (namespaces.empty()) {
        TM_TRY_ASSIGN(namespaces, namespaces_of_journals(reader, name));
      }
      for (const std::string& ns : namespaces) {
        TM_TRY_ASSIGN(const auto home, find_under_way(reader, coder, cluster_uid, ns, name));
        if (home) chosen.push_back(*home);
        found = found || home;
      }
    }
    if (!found) others.push_back(name);
  }
  TM_TRY_ASSIGN(const std::vector<ChosenHome> absent, find_absent(reader, coder, cluster_uid, options));
  for (const ChosenHome& home : absent) {
    std::erase(others, home.title);
    chosen.push_back(home);
  }
  if (others.empty() && !options.names.empty()) return chosen;
  options.names = std::move(others);
  TM_TRY_ASSIGN(workflow::WorkspaceSite site, workflow::observe_workspaces(reader, options));
  TM_TRY(look_at_coder(coder, options, site));
  for (const workflow::WorkspaceRow& row : workflow::judge_workspaces(site, options).rows) {
    ChosenHome home{row.claim.live.ns, row.claim.live.name, row.claim.workspace.title(),
                    why_not(row, site, options), why_unknown(row)};
    if (row.fate.unknown.empty() && destroys(row.fate.now)) {
      home.endangered = "its next build destroys it where it is: " + by_row(row.fate.now);
    }
    if (row.at_coder) {
      home.workspace_id = row.at_coder->id;
      home.judged = {.may_stop = !row.at_coder->stopped(),
                     .version_id = row.at_coder->latest_build.template_version_id};
    } else {
      home.no_coder = !site.no_coder.empty() ? site.no_coder
                      : site.coder           ? fmt::format("the Coder at {} does not know it", coder.url)
                                             : why_no_coder(coder);
    }
    chosen.push_back(std::move(home));
  }
  return chosen;
}

}  // namespace truenas::plugin
