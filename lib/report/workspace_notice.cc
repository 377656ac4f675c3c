#include "lib/report/workspace_notice.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "lib/base/text.h"

namespace truenas::report {
namespace {

using workflow::WorkspaceReview;
using workflow::WorkspaceRow;
using workflow::WorkspaceVerdict;

using Rows = std::vector<const WorkspaceRow*>;

std::string line_of(const WorkspaceRow& row) {
  const coder::LiveClaim& live = row.claim.live;
  const std::string& name = row.claim.workspace.name;
  const std::string size = live.capacity.empty() ? live.request : live.capacity;
  std::string line =
      fmt::format("  {}: claim {}/{}, {}, {}", name.empty() ? "unknown workspace" : name, live.ns, live.name,
                  size.empty() ? "size unknown" : size, row.running ? "runs" : "stopped");
  if (row.verdict == WorkspaceVerdict::refused) line += "; cannot be moved: " + row.why;
  return printable(line) + "\n";
}

// The first workspace's name, for commands that can be run.
std::string example_of(const std::string& owner, const Rows& rows) {
  for (const WorkspaceRow* row : rows) {
    if (!row->claim.workspace.name.empty()) return printable(owner + "/" + row->claim.workspace.name);
  }
  return printable(owner) + "/WORKSPACE";
}

std::string text_for(const std::string& owner, const Rows& rows, const WorkspaceReview& review) {
  const std::string workspace = example_of(owner, rows);
  return fmt::format(
      "\n"
      "  The storage behind {0} ({1}) is going to be switched off. Your files have to move to {2}.\n"
      "  Nothing to prepare: stop the workspace when you can spare it (coder stop {3}) and say so; its home "
      "is\n"
      "  moved with every file, compared, and the workspace starts again as it was.\n"
      "  Or by yourself: take what you want to keep out (coder ssh {3} -- tar -C ~ -cz . > home.tar.gz), "
      "create a\n"
      "  new workspace, whose home is on the new storage, and unpack it there. Delete the old workspace only "
      "when\n"
      "  everything is there: its files go with it.\n",
      rows.size() == 1 ? "this workspace" : "these workspaces", review.from_class, review.to_class,
      workspace);
}

}  // namespace

std::string render_notices(const WorkspaceReview& review) {
  std::map<std::string, Rows> owners;
  for (const WorkspaceRow& row : review.rows) {
    if (row.verdict == WorkspaceVerdict::done || row.verdict == WorkspaceVerdict::skipped) continue;
    owners[row.claim.workspace.owner].push_back(&row);
  }
  std::string text, unknown;
  for (const auto& [owner, rows] : owners) {
    std::string lines;
    for (const WorkspaceRow* row : rows) lines += line_of(*row);
    if (owner.empty()) {
      unknown = "Owner unknown\n" + lines;
    } else {
      text += fmt::format("To {}\n{}{}\n", printable(owner), lines, text_for(owner, rows, review));
    }
  }
  return text + unknown;
}

}  // namespace truenas::report
