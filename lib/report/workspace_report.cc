#include "lib/report/workspace_report.h"

#include <fmt/format.h>

#include <map>

#include "lib/base/text.h"
#include "lib/report/table.h"
#include "lib/report/workspace_words.h"

namespace truenas::report {
namespace {

using workflow::Severity;
using workflow::WorkspaceFinding;
using workflow::WorkspaceReview;
using workflow::WorkspaceRow;
using workflow::WorkspaceVerdict;

constexpr std::size_t k_shown_of_a_check = 10;
constexpr const char* k_unknown = "unknown";

std::string known(const std::string& text) {
  return text.empty() ? k_unknown : text;
}

std::string verdict_of(const WorkspaceRow& row) {
  const std::string verdict(verdict_name(row.verdict));
  const bool explained = row.verdict == WorkspaceVerdict::refused || row.verdict == WorkspaceVerdict::skipped;
  return explained ? verdict + ": " + row.why : verdict;
}

// "kept"; "unknown (kept?)" where it would be if what the document names as conditions holds.
std::string fate_of(const workflow::ClaimFate& fate, const coder::Outcome& outcome) {
  if (!fate.unknown.empty()) return k_unknown;
  std::string name(coder::fate_name(outcome.fate));
  if (outcome.fate != coder::Fate::unknown || outcome.conditions.empty()) return name;
  return fmt::format("{} ({}?)", name, coder::fate_name(outcome.if_so));
}

// Coder's own word for the latest build ("running", "stopped", "failed").
std::string status_at_coder(const WorkspaceRow& row) {
  return row.at_coder ? printable(row.at_coder->latest_build.status) : k_unknown;
}

// "v3", "v3 (active v4)".
std::string version_at_coder(const WorkspaceRow& row) {
  if (!row.at_coder) return k_unknown;
  const coder::Build& build = row.at_coder->latest_build;
  std::string text = printable(build.template_version_name.empty() ? build.template_version_id
                                                                   : build.template_version_name);
  if (!row.at_coder->outdated) return text;
  const bool named = row.update && !row.update->version.empty();
  return fmt::format("{} (active {})", text,
                     printable(named ? row.update->version : row.at_coder->active_version_id));
}

std::string claims_table(const WorkspaceReview& review, bool wide, bool headers) {
  const bool by_coder = !review.coder_url.empty();
  Table table{{"NAMESPACE", "WORKSPACE", "CLAIM", "CLASS", "DRIVER", "SIZE", "RUNNING"}, {}};
  if (by_coder) table.headers.emplace_back("CODER");
  table.headers.emplace_back("VERDICT");
  if (wide) {
    table.headers.insert(table.headers.end(), {"OWNER", "TEMPLATE", "ASKED", "USED", "VOLUME", "RECLAIM",
                                               "FOUND BY", "NEXT BUILD", "AFTER MOVE", "IN USE BY"});
  }
  if (wide && by_coder) table.headers.insert(table.headers.end(), {"VERSION", "UPDATE"});
  for (const WorkspaceRow& row : review.rows) {
    const auto& live = row.claim.live;
    const auto& workspace = row.claim.workspace;
    table.rows.push_back({live.ns, known(workspace.title()), live.name, live.storage_class, row.driver,
                          live.capacity.empty() ? live.request : live.capacity, row.running ? "yes" : "no"});
    if (by_coder) table.rows.back().push_back(status_at_coder(row));
    table.rows.back().push_back(verdict_of(row));
    if (!wide) continue;
    std::vector<std::string> uses;
    for (const auto& use : row.uses) uses.push_back(use.text());
    const std::string& template_name =
        row.fate.template_name.empty() ? workspace.template_name : row.fate.template_name;
    table.rows.back().insert(
        table.rows.back().end(),
        {known(workspace.owner), known(template_name), live.request, k_unknown, live.volume_name,
         row.reclaim_policy, std::string(coder::found_by_name(row.claim.found_by)),
         fate_of(row.fate, row.fate.now), fate_of(row.fate, row.fate.after), join(uses, ", ")});
    if (!by_coder) continue;
    table.rows.back().push_back(version_at_coder(row));
    table.rows.back().push_back(row.update ? fate_of(*row.update, row.update->now) : "");
  }
  return table.rows.empty() ? "" : render(table, headers);
}

std::string object_of(const WorkspaceFinding& finding) {
  return finding.claim.empty() ? finding.subject : finding.ns + "/" + finding.claim;
}

std::string findings_table(const WorkspaceReview& review, bool wide, bool headers) {
  Table table{{"SEVERITY", "CHECK", "OBJECT", "WHAT IT MEANS", "WHAT TO DO"}, {}};
  std::map<std::string, std::size_t> shown, left_out;
  for (const WorkspaceFinding& finding : review.findings) {
    if (!wide && finding.severity == Severity::note) continue;
    if (!wide && finding.severity == Severity::warning && ++shown[finding.id] > k_shown_of_a_check) {
      ++left_out[finding.id];
      continue;
    }
    table.rows.push_back({std::string(severity_name(finding.severity)), finding.id, object_of(finding),
                          finding.consequence, finding.action.empty() ? "nothing" : finding.action});
  }
  for (const auto& [id, count] : left_out) {
    table.rows.push_back({std::string(severity_name(Severity::warning)), id, fmt::format("{} more", count),
                          "the same of other claims", "kubectl truenas-migrate workspaces -o wide"});
  }
  return table.rows.empty() ? "" : render(table, headers);
}

}  // namespace

std::string_view verdict_name(WorkspaceVerdict verdict) {
  switch (verdict) {
    case WorkspaceVerdict::ready:
      return "ready";
    case WorkspaceVerdict::running:
      return "running";
    case WorkspaceVerdict::refused:
      return "refused";
    case WorkspaceVerdict::done:
      return "done";
    case WorkspaceVerdict::skipped:
      return "skipped";
  }
  return "refused";
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::alarm:
      return "ALARM";
  }
  return "ALARM";
}

std::string render_workspaces(const WorkspaceReview& review, bool wide, bool headers) {
  std::string text = claims_table(review, wide, headers);
  const std::string findings = findings_table(review, wide, headers);
  if (!text.empty() && !findings.empty()) text += "\n";
  return text + findings;
}

std::string render_workspace_names(const WorkspaceReview& review) {
  std::string text;
  for (const WorkspaceRow& row : review.rows) text += "persistentvolumeclaim/" + row.claim.live.name + "\n";
  return text;
}

std::string workspace_summary(const WorkspaceReview& review) {
  std::vector<std::string> verdicts;
  for (const auto verdict : {WorkspaceVerdict::done, WorkspaceVerdict::ready, WorkspaceVerdict::running,
                             WorkspaceVerdict::refused, WorkspaceVerdict::skipped}) {
    const std::size_t count = review.count(verdict);
    if (count > 0) verdicts.push_back(fmt::format("{} {}", count, verdict_name(verdict)));
  }
  std::string text = count_of(review.rows.size(), "workspace claim");
  if (!verdicts.empty()) text += ": " + join(verdicts, ", ");
  for (const auto& [severity, word] :
       {std::pair{Severity::alarm, "ALARM"}, {Severity::warning, "warning"}, {Severity::note, "note"}}) {
    const std::size_t count = review.count(severity);
    if (count > 0) text += "; " + count_of(count, word);
  }
  return text;
}

}  // namespace truenas::report
