// Exact texts: what people and scripts read.

#include <doctest/doctest.h>

#include "lib/report/plan_report.h"
#include "lib/report/postgres_report.h"
#include "lib/report/table.h"
#include "lib/report/verification_report.h"

using namespace truenas;

TEST_CASE("a table is laid out as kubectl does") {
  const report::Table table{{"NAME", "CLASS"}, {{"a", "truenas-nfs"}, {"coder-postgres-1", ""}}};
  CHECK(report::render(table) ==
        "NAME               CLASS\n"
        "a                  truenas-nfs\n"
        "coder-postgres-1   <none>\n");
  CHECK(report::render(table, false) ==
        "a                  truenas-nfs\n"
        "coder-postgres-1   <none>\n");
  CHECK(report::render({{"N"}, {}}) == "N\n");
}

TEST_CASE("hostile names do not reach the terminal as they are") {
  const std::string text = report::render({{"NAME", "X"}, {{"a\x1b[31m\n", "y"}}}, false);
  CHECK(text == "a\\x1b[31m\\n   y\n");
}

TEST_CASE("a plan says what, why, what undoes it and what it needs") {
  engine::Plan plan;
  plan.title = "move cluster coder/pg";
  engine::Step step;
  step.id = "s", step.title = "set persistentvolume pv-1 to Retain", step.reason = "nothing may delete it";
  step.undo = "--finalize", step.deletes = true;
  plan.items.emplace_back(step);
  engine::Wait wait;
  wait.id = "w", wait.whom = "the kubelet", wait.why = "pod pg-1 becomes ready";
  plan.items.emplace_back(wait);
  plan.downtime = "one switchover";
  plan.notes = {"a note"};
  plan.needs.push_back({"unlogged-tables", "1 unlogged table", false});
  plan.summary = "all moved";
  CHECK(report::render_plan(plan) ==
        "Plan: move cluster coder/pg\n"
        "\n"
        "   1. set persistentvolume pv-1 to Retain  [deletes]\n"
        "      why:  nothing may delete it\n"
        "      undo: --finalize\n"
        "      wait for the kubelet: pod pg-1 becomes ready\n"
        "\n"
        "Expected downtime: one switchover\n"
        "\n"
        "What you should know:\n"
        "  - a note\n"
        "\n"
        "What needs consent of its own:\n"
        "  - 1 unlogged table (--accept=unlogged-tables is needed)\n"
        "\n"
        "At the end: all moved\n");
}

TEST_CASE("nothing to do is said in one line") {
  engine::Plan plan;
  plan.title = "move cluster coder/pg";
  plan.summary = "every instance runs on the new class";
  CHECK(report::render_plan(plan) ==
        "Plan: move cluster coder/pg\n  nothing to do: every instance runs on the new class\n");
}

TEST_CASE("a run that failed says what was changed and that running again is safe") {
  engine::Outcome outcome;
  outcome.error = make_error(Kind::refused, "no");
  CHECK(report::render_outcome(outcome) == "nothing was changed\nrunning the same command again is safe\n");
  engine::ActedStep acted;
  acted.step.title = "set persistentvolume pv-1 to Retain";
  outcome.acted.push_back(acted);
  const std::string text = report::render_outcome(outcome);
  CHECK(text.find("set persistentvolume pv-1 to Retain") != std::string::npos);
  CHECK(text.find("running the same command again is safe and goes on from here\n") != std::string::npos);
}

TEST_CASE("a verification as table, names and document agree") {
  workflow::Verification verification;
  verification.from_class = "truenas-nfs", verification.to_class = "truenas-csi-nfs";
  workflow::ClaimFinding claim;
  claim.claim.ns = "coder", claim.claim.name = "home", claim.claim.storage_class = "truenas-nfs";
  claim.claim.size = "10Gi", claim.claim.phase = "Bound", claim.claim.volume = "pv-1";
  claim.driver = "truenas-nfs", claim.reclaim_policy = "Delete";
  claim.verdict = workflow::ClaimVerdict::left, claim.why = "is on the old class";
  verification.claims.push_back(claim);
  workflow::OldVolumeFinding kept;
  kept.volume.name = "pv-0", kept.volume.claim_ns = "coder", kept.volume.claim_name = "gone";
  kept.volume.bytes = 3ll << 30, kept.volume.reclaim_policy = "Retain", kept.volume.phase = "Released";
  kept.volume.dataset = "/mnt/SAS/pv-0", kept.why = "kept";
  verification.old_volumes.push_back(kept);
  CHECK(report::render_verification(verification, false, true) ==
        "NAMESPACE   CLAIM    CLASS         SIZE     PHASE    DRIVER        RECLAIM   VERDICT\n"
        "coder       home     truenas-nfs   10Gi     Bound    truenas-nfs   Delete    left\n"
        "\n"
        "NAMESPACE   OLD VOLUME   WAS CLAIM   SIZE     RECLAIM   PHASE      STATE    DATASET\n"
        "coder       pv-0         gone        3Gi      Retain    Released   kept     /mnt/SAS/pv-0\n");
  CHECK(report::render_verification_names(verification) ==
        "persistentvolumeclaim/home\npersistentvolume/pv-0\n");
  const json::Value document = report::verification_document(verification);
  CHECK(document.text_at("/claims/0/verdict") == "left");
  CHECK(document.integer_at("/summary/left") == 1);
  CHECK(document.integer_at("/summary/oldVolumesKeptBytes") == 3ll << 30);
  CHECK(report::verification_summary(verification) == "0 claims moved, 1 left; 1 old volume kept (3Gi)");
}

TEST_CASE("a dataset that two volumes share is told in every format") {
  workflow::Verification verification;
  workflow::SharedDatasetFinding shared;
  shared.volume.name = "pv-old", shared.volume.claim_ns = "coder", shared.volume.claim_name = "home";
  shared.volume.reclaim_policy = "Delete", shared.volume.phase = "Released";
  shared.volume.location.paths = {"SAS/RKE2/pv-old"};
  shared.other = {"pv-new", "Bound", "coder/home", storage::Overlap::same};
  verification.shared_datasets = {shared, shared};
  const std::string row =
      "coder    pv-old   home     Delete   Released   ALARM: deleting it destroys data in use: "
      "persistentvolume pv-new (Bound, coder/home) is on the same dataset   SAS/RKE2/pv-old\n";
  CHECK(report::render_verification(verification, false, false) == row + row);
  CHECK(report::render_verification_names(verification) == "persistentvolume/pv-old\n");
  const json::Value document = report::verification_document(verification);
  CHECK(document.text_at("/sharedDatasets/0/otherVolume") == "pv-new");
  CHECK(document.text_at("/sharedDatasets/0/datasets/0") == "SAS/RKE2/pv-old");
  CHECK(document.integer_at("/summary/alarms") == 1);
  CHECK(report::verification_summary(verification) == "0 claims moved, 0 left; 1 ALARM");
}

TEST_CASE("connections that could not be read are never called unchanged") {
  cnpg::ConnectionFacts facts;
  facts.secret_name = "pg-app", facts.secret_uid = "u", facts.secret_resource_version = "1";
  facts.services["pg-rw"] = {"s", "10.0.0.1", "5432/TCP"};
  const Result<cnpg::ConnectionFacts> known(facts);
  const Result<cnpg::ConnectionFacts> unknown(make_error(Kind::auth, "secrets is forbidden"));
  CHECK(report::render_connections(report::compare_connections(known, known)) ==
        "\nconnections: secret pg-app, service pg-rw unchanged\n");
  CHECK(report::connections_document(report::compare_connections(known, known)).boolean_at("/unchanged"));
  const auto blind = report::compare_connections(known, unknown);
  CHECK(report::render_connections(blind) == "\nconnections: not compared: secrets is forbidden\n");
  CHECK_FALSE(report::connections_document(blind).boolean_at("/unchanged", true));
  facts.secret_uid = "another";
  const auto changed = report::compare_connections(known, Result<cnpg::ConnectionFacts>(facts));
  CHECK(changed.changes.size() == 1);
  CHECK_FALSE(report::connections_document(changed).boolean_at("/unchanged", true));
}
