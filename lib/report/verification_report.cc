#include "lib/report/verification_report.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/report/table.h"

namespace truenas::report {
namespace {

using workflow::ClaimVerdict;
using workflow::Verification;

std::string_view verdict_name(ClaimVerdict verdict) {
  switch (verdict) {
    case ClaimVerdict::moved:
      return "moved";
    case ClaimVerdict::left:
      return "left";
    case ClaimVerdict::other:
      return "other";
  }
  return "other";
}

std::string alarm_text(const workflow::SharedDatasetFinding& finding) {
  return fmt::format("ALARM: deleting it destroys data in use: {}", storage::describe(finding.other));
}

std::string claims_table(const Verification& verification, bool wide, bool headers) {
  Table table{{"NAMESPACE", "CLAIM", "CLASS", "SIZE", "PHASE", "DRIVER", "RECLAIM", "VERDICT"}, {}};
  if (wide) table.headers.insert(table.headers.end(), {"VOLUME", "WHY"});
  for (const auto& finding : verification.claims) {
    const auto& claim = finding.claim;
    table.rows.push_back({claim.ns, claim.name, claim.storage_class, claim.size, claim.phase, finding.driver,
                          finding.reclaim_policy, std::string(verdict_name(finding.verdict))});
    if (wide) table.rows.back().insert(table.rows.back().end(), {claim.volume, finding.why});
  }
  return table.rows.empty() ? "" : render(table, headers);
}

std::string clusters_table(const Verification& verification, bool wide, bool headers) {
  Table table{{"NAMESPACE", "CLUSTER", "INSTANCES", "READY", "PRIMARY", "CLASS", "HEALTHY", "MOVED"}, {}};
  if (wide) table.headers.push_back("WHY NOT");
  for (const auto& finding : verification.clusters) {
    table.rows.push_back({finding.ns, finding.name, std::to_string(finding.instances),
                          std::to_string(finding.ready), finding.primary, join(finding.classes, ","),
                          finding.healthy ? "yes" : "no", finding.moved ? "yes" : "no"});
    if (wide) table.rows.back().push_back(join(finding.problems, "; "));
  }
  return table.rows.empty() ? "" : render(table, headers);
}

std::string old_volumes_table(const Verification& verification, bool wide, bool headers) {
  Table table{{"NAMESPACE", "OLD VOLUME", "WAS CLAIM", "SIZE", "RECLAIM", "PHASE", "STATE", "DATASET"}, {}};
  if (wide) table.headers.push_back("DRIVER");
  for (const auto& finding : verification.old_volumes) {
    const auto& volume = finding.volume;
    table.rows.push_back({volume.claim_ns, volume.name, volume.claim_name, format_bytes(volume.bytes),
                          volume.reclaim_policy, volume.phase, (finding.alarm ? "ALARM: " : "") + finding.why,
                          volume.dataset.empty() ? volume.handle : volume.dataset});
    if (wide) table.rows.back().push_back(volume.driver);
  }
  return table.rows.empty() ? "" : render(table, headers);
}

std::string shared_datasets_table(const Verification& verification, bool headers) {
  Table table{{"NAMESPACE", "VOLUME", "CLAIM", "RECLAIM", "PHASE", "STATE", "DATASET"}, {}};
  for (const auto& finding : verification.shared_datasets) {
    const auto& volume = finding.volume;
    table.rows.push_back({volume.claim_ns, volume.name, volume.claim_name, volume.reclaim_policy,
                          volume.phase, alarm_text(finding), join(volume.location.paths, ",")});
  }
  return table.rows.empty() ? "" : render(table, headers);
}

struct Counts {
  std::size_t moved = 0, left = 0, other = 0, kept = 0, alarms = 0, clusters_left = 0;
  std::int64_t kept_bytes = 0;
};

Counts count(const Verification& verification) {
  Counts counts;
  for (const auto& finding : verification.claims) {
    if (finding.verdict == ClaimVerdict::moved) ++counts.moved;
    if (finding.verdict == ClaimVerdict::left) ++counts.left;
    if (finding.verdict == ClaimVerdict::other) ++counts.other;
  }
  for (const auto& finding : verification.clusters)
    counts.clusters_left += !finding.moved || !finding.healthy;
  for (const auto& finding : verification.old_volumes) {
    if (finding.alarm) continue;
    ++counts.kept;
    counts.kept_bytes += finding.volume.bytes;
  }
  counts.alarms = verification.alarms();
  return counts;
}

json::Value claims_document(const Verification& verification) {
  json::Value claims = json::Value::array();
  for (const auto& finding : verification.claims) {
    json::Value item = json::Value::object({{"namespace", finding.claim.ns},
                                            {"name", finding.claim.name},
                                            {"storageClass", finding.claim.storage_class},
                                            {"size", finding.claim.size},
                                            {"phase", finding.claim.phase},
                                            {"volume", finding.claim.volume},
                                            {"driver", finding.driver},
                                            {"reclaimPolicy", finding.reclaim_policy},
                                            {"verdict", verdict_name(finding.verdict)}});
    if (!finding.why.empty()) item.set("why", finding.why);
    claims.push_back(std::move(item));
  }
  return claims;
}

json::Value strings(const std::vector<std::string>& texts) {
  json::Value array = json::Value::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

json::Value shared_datasets_document(const Verification& verification) {
  json::Value shared = json::Value::array();
  for (const auto& [volume, other] : verification.shared_datasets) {
    shared.push_back(json::Value::object({{"name", volume.name},
                                          {"reclaimPolicy", volume.reclaim_policy},
                                          {"phase", volume.phase},
                                          {"claimNamespace", volume.claim_ns},
                                          {"claimName", volume.claim_name},
                                          {"datasets", strings(volume.location.paths)},
                                          {"otherVolume", other.volume},
                                          {"otherPhase", other.phase},
                                          {"otherClaim", other.claim},
                                          {"why", storage::describe(other)}}));
  }
  return shared;
}

// null: never probed, or unknown; the notes say which.
json::Value class_probe_document(const workflow::RecordedProbe& probe) {
  if (!probe.newest) return {};
  return json::Value::object({{"time", probe.newest->time},
                              {"verdict", probe.newest->verdict},
                              {"directoryOwner", probe.newest->directory_owner},
                              {"directoryMode", probe.newest->directory_mode},
                              {"copyByServer", probe.newest->copy_by_server}});
}

}  // namespace

std::string render_verification(const Verification& verification, bool wide, bool headers) {
  std::string text;
  for (const std::string& part :
       {claims_table(verification, wide, headers), clusters_table(verification, wide, headers),
        old_volumes_table(verification, wide, headers), shared_datasets_table(verification, headers)}) {
    if (part.empty()) continue;
    if (!text.empty()) text += "\n";
    text += part;
  }
  return text;
}

std::string render_verification_names(const Verification& verification) {
  std::string text;
  for (const auto& finding : verification.claims)
    text += "persistentvolumeclaim/" + finding.claim.name + "\n";
  for (const auto& finding : verification.clusters)
    text += "cluster.postgresql.cnpg.io/" + finding.name + "\n";
  for (const auto& finding : verification.old_volumes)
    text += "persistentvolume/" + finding.volume.name + "\n";
  for (const auto& finding : verification.shared_datasets) {
    const std::string line = "\npersistentvolume/" + finding.volume.name + "\n";
    if (!contains("\n" + text, line)) text += line.substr(1);
  }
  return text;
}

json::Value verification_document(const Verification& verification) {
  json::Value clusters = json::Value::array(), volumes = json::Value::array();
  for (const auto& finding : verification.clusters) {
    clusters.push_back(json::Value::object({{"namespace", finding.ns},
                                            {"name", finding.name},
                                            {"instances", finding.instances},
                                            {"readyInstances", finding.ready},
                                            {"phase", finding.phase},
                                            {"primary", finding.primary},
                                            {"storageClasses", strings(finding.classes)},
                                            {"healthy", finding.healthy},
                                            {"moved", finding.moved},
                                            {"problems", strings(finding.problems)}}));
  }
  for (const auto& finding : verification.old_volumes) {
    const auto& volume = finding.volume;
    volumes.push_back(json::Value::object({{"name", volume.name},
                                           {"claimNamespace", volume.claim_ns},
                                           {"claimName", volume.claim_name},
                                           {"driver", volume.driver},
                                           {"volumeHandle", volume.handle},
                                           {"dataset", volume.dataset},
                                           {"bytes", volume.bytes},
                                           {"reclaimPolicy", volume.reclaim_policy},
                                           {"phase", volume.phase},
                                           {"alarm", finding.alarm},
                                           {"why", finding.why}}));
  }
  const Counts counts = count(verification);
  return json::Value::object(
      {{"apiVersion", "truenas-migrate/v1"},
       {"kind", "Verification"},
       {"fromClass", verification.from_class},
       {"toClass", verification.to_class},
       {"oldDriver", verification.old_driver},
       {"newDriver", verification.new_driver},
       {"namespaces", strings(verification.namespaces)},
       {"claims", claims_document(verification)},
       {"clusters", std::move(clusters)},
       {"oldVolumes", std::move(volumes)},
       {"sharedDatasets", shared_datasets_document(verification)},
       {"frozenRoles", strings(verification.frozen_roles)},
       {"classProbe", class_probe_document(verification.probe)},
       {"notes", strings(verification.notes)},
       {"summary", json::Value::object({{"moved", static_cast<std::int64_t>(counts.moved)},
                                        {"left", static_cast<std::int64_t>(counts.left)},
                                        {"other", static_cast<std::int64_t>(counts.other)},
                                        {"clustersLeft", static_cast<std::int64_t>(counts.clusters_left)},
                                        {"oldVolumesKept", static_cast<std::int64_t>(counts.kept)},
                                        {"oldVolumesKeptBytes", counts.kept_bytes},
                                        {"alarms", static_cast<std::int64_t>(counts.alarms)}})}});
}

std::string verification_summary(const Verification& verification) {
  const Counts counts = count(verification);
  std::string text = fmt::format("{} moved, {} left", count_of(counts.moved, "claim"), counts.left);
  if (counts.other > 0) text += fmt::format(", {} of other classes", counts.other);
  if (counts.clusters_left > 0) {
    text += fmt::format("; {} not moved or not healthy", count_of(counts.clusters_left, "database cluster"));
  }
  if (counts.kept > 0) {
    text +=
        fmt::format("; {} kept ({})", count_of(counts.kept, "old volume"), format_bytes(counts.kept_bytes));
  }
  if (counts.alarms > 0) text += fmt::format("; {}", count_of(counts.alarms, "ALARM"));
  return text;
}

}  // namespace truenas::report
