#include "lib/report/class_probe_report.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/report/table.h"

namespace truenas::report {
namespace {

using json::Value;

engine::Step step_of(std::string id, std::string title, std::string reason) {
  engine::Step step;
  step.id = std::move(id);
  step.title = std::move(title);
  step.reason = std::move(reason);
  step.leaves_no_trace = true;
  return step;
}

// The slowest of the identities that could create at all.
std::string create_latency(const workflow::ClassFinding& finding) {
  std::int64_t slowest = 0;
  for (const auto& [key, value] : finding.counts) {
    if (key.ends_with("create_microseconds") && value > slowest) slowest = value;
  }
  return slowest == 0 ? "" : fmt::format("{:.1f} ms", static_cast<double>(slowest) / 1000);
}

// "no" of "no: the client reads and writes every byte".
std::string before_colon(const std::string& text) {
  return text.substr(0, text.find(':'));
}

}  // namespace

engine::Plan probe_plan(const workflow::ProbeRequest& request, const std::string& journal_ns) {
  engine::Plan plan;
  plan.title = fmt::format("probe {} in namespace {}", join(request.classes, " and "), request.ns);
  for (std::size_t i = 0; i < request.classes.size(); ++i) {
    plan.items.emplace_back(
        step_of(fmt::format("claim {}", i),
                fmt::format("create the throw-away claim {} ({}) on {}",
                            workflow::probe_claim_name(request, i), request.size, request.classes[i]),
                "what a class does to files shows only on a volume of it"));
  }
  plan.items.emplace_back(step_of(
      "movers",
      fmt::format("run volume-mover's probe on each, as root and as uid {}", join(request.uids, ", ")),
      "create, chown, rename, link, fsync, xattr and lock in a directory of its own"));
  plan.items.emplace_back(
      step_of("removal", "remove Pods, claims and the program again", "they have served"));
  plan.items.emplace_back(step_of(
      "record", fmt::format("note the verdict in the journal of each class, in namespace {}", journal_ns),
      "so that verify and postgres know it"));
  plan.downtime = "none";
  plan.summary = "the verdict is printed, and nothing else is left in the cluster or on the NAS";
  return plan;
}

std::string render_probe(const std::vector<ProbedClass>& classes, bool headers) {
  Table table{{"STORAGECLASS", "VERDICT", "ROOT OWNER", "MODE", "FILE SYSTEM", "NFS", "COPY ON SERVER",
               "FILE CREATE"},
              {}};
  std::string notes;
  for (const ProbedClass& probed : classes) {
    const workflow::ClassFinding& finding = probed.finding;
    if (!finding.failed.empty()) {
      table.rows.push_back({finding.storage_class, "(unknown)", "", "", "", "", "", ""});
      notes += fmt::format("- {}: not probed: {}\n", finding.storage_class, printable(finding.failed));
      continue;
    }
    table.rows.push_back({finding.storage_class, finding.verdict, finding.fact("directory_owner"),
                          finding.fact("directory_mode"), finding.fact("filesystem"),
                          finding.fact("nfs_version"), before_colon(finding.fact("copy_by_server")),
                          create_latency(finding)});
    notes += fmt::format("- {}: {}\n", finding.storage_class, printable(finding.text));
    for (const std::string& line : probed.advice) {
      notes += fmt::format("- {}: {}\n", finding.storage_class, printable(line));
    }
    if (!finding.copied_from.empty()) {
      notes += fmt::format("- {}: the server copies from {} by itself: {}\n", finding.storage_class,
                           finding.copied_from, printable(finding.fact("copy_by_server")));
    }
    if (!finding.fact("mount_options").empty()) {
      notes += fmt::format("- {}: mounted with {}\n", finding.storage_class,
                           printable(finding.fact("mount_options")));
    }
  }
  return render(table, headers) + (notes.empty() ? "" : "\n" + notes);
}

Value probe_document(const std::vector<ProbedClass>& classes) {
  Value list = Value::array();
  for (const ProbedClass& probed : classes) {
    const workflow::ClassFinding& finding = probed.finding;
    Value item = Value::object({{"storageClass", finding.storage_class}});
    if (!finding.failed.empty()) {
      item.set("failed", finding.failed);
      list.push_back(std::move(item));
      continue;
    }
    item.set("verdict", finding.verdict);
    item.set("text", finding.text);
    item.set("copiedFrom", finding.copied_from);
    Value facts = Value::object(), counts = Value::object(), advice = Value::array();
    for (const auto& [key, value] : finding.facts) facts.set(key, value);
    for (const auto& [key, value] : finding.counts) counts.set(key, value);
    for (const std::string& line : probed.advice) advice.push_back(line);
    item.set("facts", std::move(facts));
    item.set("counts", std::move(counts));
    item.set("advice", std::move(advice));
    list.push_back(std::move(item));
  }
  return Value::object(
      {{"apiVersion", "truenas-migrate/v1"}, {"kind", "StorageClassProbe"}, {"classes", std::move(list)}});
}

}  // namespace truenas::report
