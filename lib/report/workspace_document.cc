// A WorkspaceReview as a document.

#include "lib/report/workspace_report.h"
#include "lib/report/workspace_words.h"

namespace truenas::report {
namespace {

using json::Value;
using workflow::ClaimUse;
using workflow::Severity;
using workflow::WorkspaceReview;
using workflow::WorkspaceRow;
using workflow::WorkspaceVerdict;

Value strings(const std::vector<std::string>& texts) {
  Value array = Value::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

// null: unknown.
Value known(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Value workspace_part(const coder::Workspace& workspace) {
  return Value::object({{"id", known(workspace.id)},
                        {"name", known(workspace.name)},
                        {"owner", known(workspace.owner)},
                        {"ownerId", known(workspace.owner_id)},
                        {"title", known(workspace.title())}});
}

std::string_view kind_of(ClaimUse::Kind kind) {
  switch (kind) {
    case ClaimUse::Kind::pod:
      return "Pod";
    case ClaimUse::Kind::deployment:
      return "Deployment";
    case ClaimUse::Kind::stateful_set:
      return "StatefulSet";
  }
  return "Pod";
}

Value uses_part(const std::vector<ClaimUse>& uses) {
  Value array = Value::array();
  for (const ClaimUse& use : uses) {
    Value item = Value::object({{"kind", kind_of(use.kind)}, {"name", use.name}, {"live", use.live()}});
    if (use.kind == ClaimUse::Kind::pod) {
      item.set("phase", known(use.phase));
      item.set("node", known(use.node));
      item.set("terminating", use.terminating);
    } else {
      item.set("replicas", use.replicas);
    }
    array.push_back(std::move(item));
  }
  return array;
}

Value outcome_part(const coder::Outcome& outcome) {
  Value item = Value::object({{"fate", coder::fate_name(outcome.fate)},
                              {"row", known(outcome.row)},
                              {"consequence", outcome.consequence},
                              {"advice", known(outcome.advice)}});
  if (!outcome.conditions.empty()) {
    item.set("conditions", strings(outcome.conditions));
    item.set("ifSo", coder::fate_name(outcome.if_so));
  }
  return item;
}

Value fate_part(const workflow::ClaimFate& fate) {
  if (!fate.unknown.empty()) return Value::object({{"unknown", fate.unknown}});
  return Value::object({{"template", fate.template_name},
                        {"version", known(fate.version)},
                        {"address", fate.claim_address},
                        {"now", outcome_part(fate.now)},
                        {"afterMove", outcome_part(fate.after)}});
}

Value coder_part(const coder::ServerWorkspace& workspace) {
  const coder::Build& build = workspace.latest_build;
  return Value::object({{"status", build.status},
                        {"transition", build.transition},
                        {"jobStatus", build.job_status},
                        {"build", build.id},
                        {"version", known(build.template_version_name)},
                        {"versionId", build.template_version_id},
                        {"activeVersionId", workspace.active_version_id},
                        {"nextVersionId", workspace.next_version_id()},
                        {"outdated", workspace.outdated},
                        {"requireActiveVersion", workspace.require_active_version},
                        {"updatesAlways", workspace.updates_always},
                        {"autostartSchedule", known(workspace.autostart_schedule)},
                        {"nextStartAt", known(workspace.next_start_at)},
                        {"dormantAt", known(workspace.dormant_at)},
                        {"deletingAt", known(workspace.deleting_at)}});
}

Value row_part(const WorkspaceRow& row) {
  const coder::LiveClaim& live = row.claim.live;
  const std::string& template_name =
      row.fate.template_name.empty() ? row.claim.workspace.template_name : row.fate.template_name;
  Value item = Value::object({{"namespace", live.ns},
                              {"claim", live.name},
                              {"uid", row.claim.uid},
                              {"workspace", workspace_part(row.claim.workspace)},
                              {"template", known(template_name)},
                              {"foundBy", coder::found_by_name(row.claim.found_by)},
                              {"storageClass", live.storage_class},
                              {"driver", row.driver},
                              {"phase", row.claim.phase},
                              {"volume", live.volume_name},
                              {"reclaimPolicy", row.reclaim_policy},
                              {"accessModes", strings(live.access_modes)},
                              {"asked", live.request},
                              {"capacity", live.capacity},
                              {"usedBytes", Value()},
                              {"running", row.running},
                              {"uses", uses_part(row.uses)},
                              {"verdict", verdict_name(row.verdict)}});
  if (!row.why.empty()) item.set("why", row.why);
  item.set("nextBuild", fate_part(row.fate));
  if (row.update) item.set("update", fate_part(*row.update));
  if (row.at_coder) item.set("coder", coder_part(*row.at_coder));
  return item;
}

Value finding_part(const workflow::WorkspaceFinding& finding) {
  Value item = Value::object({{"id", finding.id}, {"severity", severity_name(finding.severity)}});
  if (finding.severity == Severity::alarm) item.set("severity", "alarm");
  if (finding.claim.empty()) {
    item.set("object", finding.subject);
  } else {
    item.set("namespace", finding.ns);
    item.set("claim", finding.claim);
  }
  item.set("consequence", finding.consequence);
  item.set("action", known(finding.action));
  return item;
}

Value summary_part(const WorkspaceReview& review) {
  Value item = Value::object();
  for (const auto verdict : {WorkspaceVerdict::ready, WorkspaceVerdict::running, WorkspaceVerdict::refused,
                             WorkspaceVerdict::done, WorkspaceVerdict::skipped}) {
    item.set(verdict_name(verdict), static_cast<std::int64_t>(review.count(verdict)));
  }
  item.set("alarms", static_cast<std::int64_t>(review.count(Severity::alarm)));
  item.set("warnings", static_cast<std::int64_t>(review.count(Severity::warning)));
  item.set("notes", static_cast<std::int64_t>(review.count(Severity::note)));
  return item;
}

}  // namespace

Value workspace_document(const WorkspaceReview& review) {
  Value rows = Value::array(), findings = Value::array(), unchecked = Value::array();
  for (const WorkspaceRow& row : review.rows) rows.push_back(row_part(row));
  for (const workflow::WorkspaceFinding& finding : review.findings) findings.push_back(finding_part(finding));
  for (const workflow::Unchecked& check : review.unchecked) {
    unchecked.push_back(Value::object({{"id", check.id}, {"why", check.why}}));
  }
  return Value::object({{"apiVersion", "truenas-migrate/v1"},
                        {"kind", "WorkspaceReview"},
                        {"fromClass", review.from_class},
                        {"toClass", review.to_class},
                        {"oldDriver", known(review.old_driver)},
                        {"newDriver", known(review.new_driver)},
                        {"namespaces", strings(review.namespaces)},
                        {"coder", known(review.coder_url)},
                        {"workspaces", std::move(rows)},
                        {"findings", std::move(findings)},
                        {"unchecked", std::move(unchecked)},
                        {"notes", strings(review.notes)},
                        {"summary", summary_part(review)}});
}

}  // namespace truenas::report
