// Exact texts of a review of workspaces: what people and scripts read.

#include "lib/report/workspace_report.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace truenas;
using workflow::Severity;
using workflow::WorkspaceVerdict;

namespace {

workflow::WorkspaceRow row(const std::string& claim, WorkspaceVerdict verdict, const std::string& why = "") {
  workflow::WorkspaceRow row;
  row.claim.live.ns = "ws", row.claim.live.name = claim, row.claim.live.storage_class = "truenas-nfs";
  row.claim.live.request = "10Gi", row.claim.live.capacity = "20Gi", row.claim.live.volume_name = "pv-1";
  row.claim.workspace.owner = "alice", row.claim.workspace.name = "dev";
  row.driver = "truenas-nfs", row.reclaim_policy = "Delete";
  row.verdict = verdict, row.why = why;
  row.fate.unknown = "no template was given";
  return row;
}

workflow::WorkspaceReview review() {
  workflow::WorkspaceReview review;
  review.from_class = "truenas-nfs", review.to_class = "truenas-csi-nfs";
  review.rows = {row("coder-a", WorkspaceVerdict::ready),
                 row("coder-b", WorkspaceVerdict::refused, "is being deleted")};
  review.rows[1].claim.workspace = {};
  review.rows[1].claim.found_by = coder::FoundBy::mount;
  workflow::ClaimUse use;
  use.name = "p", use.phase = "Running", use.node = "n1", use.root = "pod p";
  review.rows[1].uses = {use};
  review.rows[1].running = true;
  review.findings = {{"CK1", Severity::alarm, "ws", "coder-b", "", "is being deleted", "kubectl x"},
                     {"CK2", Severity::warning, "ws", "coder-a", "", "goes with its claim", "kubectl y"},
                     {"CK10", Severity::note, "", "", "serviceaccount coder/coder", "may delete", ""}};
  review.unchecked = {{"CK9", "only Coder can tell"}};
  return review;
}

}  // namespace

TEST_CASE("workspaces and their dangers as two tables") {
  CHECK(report::render_workspaces(review(), false, true) ==
        "NAMESPACE   WORKSPACE   CLAIM     CLASS         DRIVER        SIZE     RUNNING   VERDICT\n"
        "ws          alice/dev   coder-a   truenas-nfs   truenas-nfs   20Gi     no        ready\n"
        "ws          unknown     coder-b   truenas-nfs   truenas-nfs   20Gi     yes       refused: is being "
        "deleted\n"
        "\n"
        "SEVERITY   CHECK    OBJECT       WHAT IT MEANS         WHAT TO DO\n"
        "ALARM      CK1      ws/coder-b   is being deleted      kubectl x\n"
        "warning    CK2      ws/coder-a   goes with its claim   kubectl y\n");
  CHECK(report::render_workspace_names(review()) ==
        "persistentvolumeclaim/coder-a\npersistentvolumeclaim/coder-b\n");
  CHECK(report::workspace_summary(review()) ==
        "2 workspace claims: 1 ready, 1 refused; 1 ALARM; 1 warning; 1 note");
}

TEST_CASE("the wide table has whose, how large, found by what, and what builds do") {
  const std::string text = report::render_workspaces(review(), true, false);
  const std::string first = text.substr(0, text.find('\n'));
  CHECK(
      first.find(
          "   no       ready                       alice     unknown   10Gi     unknown   pv-1     Delete   "
          "name          unknown   unknown   <none>") != std::string::npos);
  CHECK(text.find("agent's Pod   unknown   unknown   pod p (Running on n1)\n") != std::string::npos);
  CHECK(text.find("note      CK10     serviceaccount coder/coder   may delete            nothing\n") !=
        std::string::npos);
}

TEST_CASE("what is not known is null in the document, never an empty text") {
  const json::Value document = report::workspace_document(review());
  CHECK(document.text_at("/kind") == "WorkspaceReview");
  CHECK(document.text_at("/workspaces/0/workspace/owner") == "alice");
  CHECK(document.at("/workspaces/1/workspace/owner")->is_null());
  CHECK(document.at("/workspaces/0/usedBytes")->is_null());
  CHECK(document.at("/oldDriver")->is_null());
  CHECK(document.text_at("/workspaces/0/nextBuild/unknown") == "no template was given");
  CHECK(document.text_at("/workspaces/1/why") == "is being deleted");
  CHECK(document.text_at("/workspaces/1/uses/0/phase") == "Running");
  CHECK(document.boolean_at("/workspaces/1/running"));
  CHECK(document.text_at("/findings/0/severity") == "alarm");
  CHECK(document.text_at("/findings/2/object") == "serviceaccount coder/coder");
  CHECK(document.text_at("/unchecked/0/id") == "CK9");
  CHECK(document.integer_at("/summary/refused") == 1);
  CHECK(document.integer_at("/summary/alarms") == 1);
}

TEST_CASE("a fleet's warnings are shortened, its alarms never") {
  workflow::WorkspaceReview fleet;
  for (int i = 0; i < 50; ++i) {
    fleet.findings.push_back({"CK1", Severity::alarm, "ws", "a" + std::to_string(i), "", "x", "y"});
  }
  for (int i = 0; i < 50; ++i) {
    fleet.findings.push_back({"CK2", Severity::warning, "ws", "w" + std::to_string(i), "", "x", "y"});
  }
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  CHECK(lines(report::render_workspaces(fleet, false, false)) == 50 + 10 + 1);
  CHECK(report::render_workspaces(fleet, false, false).find("40 more") != std::string::npos);
  CHECK(lines(report::render_workspaces(fleet, true, false)) == 100);
}

TEST_CASE("hostile names and nothing at all") {
  workflow::WorkspaceReview hostile;
  hostile.rows = {row("a\x1b[31m", WorkspaceVerdict::ready)};
  CHECK(report::render_workspaces(hostile, false, false).find('\x1b') == std::string::npos);
  CHECK(report::render_workspaces({}, true, true) == "");
  CHECK(report::workspace_summary({}) == "0 workspace claims");
}
