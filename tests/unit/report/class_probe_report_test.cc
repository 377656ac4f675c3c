// A probe's findings, as people and scripts read them.

#include "lib/report/class_probe_report.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"

using namespace truenas;
using namespace truenas::report;

namespace {

ProbedClass probed() {
  ProbedClass probed;
  probed.finding.storage_class = "truenas-csi-nfs";
  probed.finding.verdict = "root_squash";
  probed.finding.text = "root_squash: root creates as 65534:65534\x1b[31m";
  probed.finding.copied_from = "truenas-nfs";
  probed.finding.facts = {{"directory_owner", "0:0"},       {"directory_mode", "0777"},
                          {"filesystem", "nfs4"},           {"nfs_version", "4.2"},
                          {"mount_options", "rw,vers=4.2"}, {"copy_by_server", "no: EXDEV (18)"}};
  probed.finding.counts = {{"26.create_microseconds", 700}, {"1000.create_microseconds", 1640}};
  probed.advice = {"leave fsGroup out"};
  return probed;
}

}  // namespace

TEST_CASE("a table, then a line for everything that is no number") {
  ProbedClass failed;
  failed.finding.storage_class = "truenas-nfs";
  failed.finding.failed = "claim coder/x got no volume";
  CHECK(
      render_probe({probed(), failed}, true) ==
      "STORAGECLASS      VERDICT       ROOT OWNER   MODE     FILE SYSTEM   NFS      COPY ON SERVER   FILE "
      "CREATE\n"
      "truenas-csi-nfs   root_squash   0:0          0777     nfs4          4.2      no               1.6 ms\n"
      "truenas-nfs       (unknown)     <none>       <none>   <none>        <none>   <none>           <none>\n"
      "\n"
      "- truenas-csi-nfs: root_squash: root creates as 65534:65534\\x1b[31m\n"
      "- truenas-csi-nfs: leave fsGroup out\n"
      "- truenas-csi-nfs: the server copies from truenas-nfs by itself: no: EXDEV (18)\n"
      "- truenas-csi-nfs: mounted with rw,vers=4.2\n"
      "- truenas-nfs: not probed: claim coder/x got no volume\n");
}

TEST_CASE("the document has it all") {
  const json::Value document = probe_document({probed()});
  CHECK(document.text_at("/kind") == "StorageClassProbe");
  CHECK(document.text_at("/classes/0/verdict") == "root_squash");
  CHECK(document.text_at("/classes/0/copiedFrom") == "truenas-nfs");
  CHECK(document.text_at("/classes/0/facts/copy_by_server") == "no: EXDEV (18)");
  CHECK(document.integer_at("/classes/0/counts/1000.create_microseconds") == 1640);
  CHECK(document.text_at("/classes/0/advice/0") == "leave fsGroup out");
}

TEST_CASE("the plan names every claim, every identity and what stays") {
  workflow::ProbeRequest request;
  request.ns = "coder";
  request.classes = {"truenas-csi-nfs", "truenas-nfs"};
  request.run = "r1";
  const engine::Plan plan = probe_plan(request, "kube-system");
  std::string text;
  for (const auto& item : plan.items) {
    if (const auto* step = std::get_if<engine::Step>(&item)) text += step->title + "\n";
  }
  CHECK(contains(text, "truenas-migrate-probe-r1-0 (1Gi) on truenas-csi-nfs"));
  CHECK(contains(text, "truenas-migrate-probe-r1-1 (1Gi) on truenas-nfs"));
  CHECK(contains(text, "as root and as uid 26, 1000"));
  CHECK(contains(text, "in namespace kube-system"));
}
