#include "plugin/workspaces_chosen.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/engine/journal_store.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::plugin {
namespace {

// A claim of this name whose move has begun and not ended.
Result<bool> is_under_way(const kube::Reader& reader, const std::string& cluster_uid, const std::string& ns,
                          const std::string& claim) {
  engine::JournalStore journal(reader, {ns, "workspace", claim},
                               {cluster_uid, fmt::format("claim {}/{}", ns, claim), ""}, system_clock());
  TM_TRY_ASSIGN(const engine::Journal read, journal.read());
  workflow::SwapWorld world;
  TM_TRY_ASSIGN(world.facts, workflow::read_swap_facts(read.facts()));
  return workflow::is_open(world);
}

bool destroys(const coder::Outcome& outcome) {
  return outcome.fate != coder::Fate::unknown && !coder::is_harmless(outcome.fate);
}

std::string why_not(const workflow::WorkspaceRow& row) {
  const bool no = row.verdict == workflow::WorkspaceVerdict::refused ||
                  row.verdict == workflow::WorkspaceVerdict::skipped;
  if (no) return row.why;
  if (row.verdict == workflow::WorkspaceVerdict::done || !row.fate.unknown.empty()) return "";
  // A home that is moved into its next build's way is better left where it is.
  if (destroys(row.fate.after)) {
    return fmt::format("once it is moved, its next build destroys it: {}{}", row.fate.after.consequence,
                       row.fate.after.row.empty() ? "" : fmt::format(" (row {})", row.fate.after.row));
  }
  return "";
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
      for (const std::string& ns : options.namespaces) {
        TM_TRY_ASSIGN(const bool under_way, is_under_way(reader, cluster_uid, ns, name));
        if (under_way) chosen.push_back({ns, name, "", "", ""});
        found = found || under_way;
      }
    }
    if (!found) others.push_back(name);
  }
  if (others.empty() && !options.names.empty()) return chosen;
  options.names = std::move(others);
  TM_TRY_ASSIGN(workflow::WorkspaceSite site, workflow::observe_workspaces(reader, options));
  TM_TRY(look_at_coder(coder, options, site));
  for (const workflow::WorkspaceRow& row : workflow::judge_workspaces(site, options).rows) {
    chosen.push_back({row.claim.live.ns, row.claim.live.name, row.claim.workspace.title(), why_not(row),
                      why_unknown(row)});
  }
  return chosen;
}

}  // namespace truenas::plugin
