#include "lib/workflow/postgres_rolling/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/cnpg/manifest.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/waits.h"

namespace truenas::workflow {
namespace {

using Severity = Finding::Severity;
using Findings = std::vector<Finding>;

void add(Findings& findings, std::string id, Severity severity, std::string text,
         std::vector<std::string> remedy) {
  findings.push_back({std::move(id), severity, std::move(text), std::move(remedy), false});
}

std::string kubectl(const PostgresWorld& world, const std::string& verb, const std::string& rest) {
  return fmt::format("kubectl {} cluster.postgresql.cnpg.io -n {} {} {}", verb, world.cluster.ns,
                     world.cluster.name, rest);
}

bool needs_spare(const PostgresWorld& world) {
  if (world.cluster.instances > 2 || spare_is_there(world)) return false;
  const std::vector<std::string> names = instances_of(world);
  return std::any_of(names.begin(), names.end(), [&](const auto& name) { return is_old(world, name); });
}

bool needs_other_context(const PostgresWorld& world) {
  return world.canary.uses_fs_group && world.canary.without_fs_group.trial == Trial::passed;
}

void find_cluster_states(const PostgresWorld& world, Findings& findings) {
  const cnpg::ClusterShape& site = world.site.facts.shape;
  const auto blocked = [&](bool is, const char* id, const char* text, std::string remedy) {
    if (is) add(findings, id, Severity::blocks, text, {std::move(remedy)});
  };
  blocked(site.hibernated, "hibernated", "the cluster is hibernated",
          kubectl(world, "annotate", "--overwrite cnpg.io/hibernation=off"));
  blocked(site.fenced, "fenced", "instances are fenced",
          kubectl(world, "annotate", "cnpg.io/fencedInstances-"));
  blocked(site.maintenance_window, "maintenance-window", "spec.nodeMaintenanceWindow is in progress",
          "end the maintenance: set spec.nodeMaintenanceWindow.inProgress to false");
  blocked(site.reconciliation_disabled, "reconciliation-disabled",
          "the operator is told not to reconcile this cluster",
          kubectl(world, "annotate", "cnpg.io/reconciliationLoop-"));
  blocked(site.replica_cluster, "replica-cluster", "this is a replica cluster: its primary is elsewhere",
          "move the cluster that it follows, or promote this one first");
  if (auto finding = supervised_updates(world)) findings.push_back(std::move(*finding));
}

void find_health(const PostgresWorld& world, Findings& findings) {
  const std::vector<std::string> why = not_settled_because(world);
  if (!why.empty()) {
    add(findings, "unhealthy", Severity::blocks, "the cluster is not healthy: " + join(why, "; "),
        {kubectl(world, "describe", ""), "wait until it is healthy, then run the same command again"});
  }
  if (const auto backups = running_backups(world); !backups.empty()) {
    add(findings, "backup-running", Severity::blocks, "a backup is running: " + join(backups, ", "),
        {fmt::format("wait until it has ended: kubectl get backups.postgresql.cnpg.io -n {}",
                     world.cluster.ns)});
  }
  if (!world.site.facts.databases) {
    add(findings, "unlogged-unknown", Severity::blocks,
        "whether there are unlogged tables could not be asked: " + world.site.facts.databases_unknown_why,
        {"run the same command again once the primary answers"});
  }
  for (const std::string& permission : world.site.missing_permissions) {
    add(findings, "permission", Severity::blocks, "you may not " + permission,
        {"kubectl truenas-migrate postgres --print-rbac prints the role that is needed"});
  }
}

void find_redundancy(const PostgresWorld& world, Findings& findings) {
  const int instances = world.cluster.instances + (needs_spare(world) ? 1 : 0);
  const cnpg::SynchronousFacts& synchronous = world.site.facts.shape.synchronous;
  if (synchronous.blocks && synchronous.required > std::max(instances - 2, 0)) {
    add(findings, "synchronous-quorum", Severity::accept,
        fmt::format(
            "{}: commits wait for {}; while one of {} instances is replaced, {} left and writers hang",
            synchronous.configured_by, count_of(static_cast<std::size_t>(synchronous.required), "replica"),
            instances,
            count_of(static_cast<std::size_t>(std::max(instances - 2, 0)), "replica is", "replicas are")),
        {"add an instance first, or let fewer replicas acknowledge for the time of the move",
         "--accept=synchronous-quorum lets writers hang while an instance is replaced"});
  }
  if (!needs_spare(world)) return;
  add(findings, "spare-instance", Severity::note,
      fmt::format("{}: a {} is added first and removed at the end",
                  count_of(static_cast<std::size_t>(world.cluster.instances), "instance"),
                  world.cluster.instances == 1 ? "temporary replica" : "spare instance"),
      {});
  const int nodes = world.site.schedulable_nodes;
  if (world.site.facts.shape.required_anti_affinity && nodes > 0 && nodes <= world.cluster.instances) {
    add(findings, "anti-affinity", Severity::blocks,
        fmt::format("the spare instance finds no node: pod anti-affinity is required and there are {}",
                    count_of(static_cast<std::size_t>(nodes), "schedulable node")),
        {"add a node, or set spec.affinity.podAntiAffinityType to preferred for the time of the move"});
  }
}

void find_snapshots_and_versions(const PostgresWorld& world, const RollingOptions& options,
                                 Findings& findings) {
  const cnpg::PreflightFacts& site = world.site.facts;
  std::vector<std::string> snapshots;
  for (const auto& backup : site.backups) {
    if (backup.volume_snapshot) snapshots.push_back(backup.name);
  }
  if (!snapshots.empty()) {
    add(findings, "old-class-snapshots", site.shape.wal_archiving ? Severity::blocks : Severity::note,
        "the operator makes new replicas from volume snapshots where it can; the new driver cannot read the "
        "old "
        "driver's: " +
            join(snapshots, ", "),
        {fmt::format("kubectl delete backups.postgresql.cnpg.io -n {} {}", world.cluster.ns,
                     join(snapshots, " "))});
  }
  if (!operator_replaces_marked(world)) {
    add(findings, "old-operator", Severity::note,
        site.operator_version
            ? fmt::format("operator {} is older than 1.28: replicas are replaced by deleting claim, then pod",
                          *site.operator_version)
            : "the operator's version is unknown: replicas are replaced by deleting claim, then pod",
        {});
  }
  for (const auto& setting : world.cluster.storage) {
    if (setting.storage_class == options.from_class || setting.storage_class == options.to_class) continue;
    add(findings, "other-class", Severity::note,
        fmt::format("{} has class {} and is left there", setting.pointer, quote(setting.storage_class)), {});
  }
  if (options.skip_canary) {
    add(findings, "skip-canary", Severity::accept,
        "the new class is not tried before the cluster is changed (--skip-canary)",
        {"leave out --skip-canary"});
  }
}

void find_owners(const PostgresWorld& world, Findings& findings) {
  const std::vector<std::string> lines = manifest_lines(world);
  if (lines.empty()) return;
  for (const kube::GitOpsOwner& owner : world.site.facts.shape.owners) {
    std::vector<std::string> remedy = {fmt::format("set in the manifest that {} applies:", owner.tool)};
    remedy.insert(remedy.end(), lines.begin(), lines.end());
    remedy.push_back("once it is applied, run the same command again");
    if (!owner.pause.empty()) remedy.push_back(owner.pause);
    add(findings, "manifest-owner", owner.reverts ? Severity::blocks : Severity::note,
        fmt::format("{}{} keeps the manifest of cluster {} and would take a patch back{} ({})", owner.tool,
                    owner.name.empty() ? "" : " " + quote(owner.name), full_name(world),
                    owner.reverts ? "" : " at its next upgrade", owner.evidence),
        std::move(remedy));
  }
}

// What is lost at the switchover, as long as it lies ahead.
void find_losses(const PostgresWorld& world, Findings& findings) {
  if (!is_old(world, world.cluster.current_primary)) return;
  const std::vector<std::string> unlogged = unlogged_relations(world);
  if (unlogged.empty()) return;
  add(findings, "unlogged-tables", Severity::accept,
      fmt::format("{} not replicated and will be EMPTY after the switchover: {}",
                  count_of(unlogged.size(), "unlogged relation is", "unlogged relations are"),
                  join(unlogged, "; ")),
      {"ALTER TABLE … SET LOGGED keeps the rows", "--accept=unlogged-tables gives them up"});
}

}  // namespace

std::optional<Finding> supervised_updates(const PostgresWorld& world) {
  if (!world.site.facts.shape.supervised) return std::nullopt;
  if (!needs_other_context(world)) {
    return Finding{"supervised-updates",
                   Severity::note,
                   "primaryUpdateStrategy is supervised; the switchover of this move is part of its plan",
                   {},
                   false};
  }
  return Finding{
      "supervised-updates",
      Severity::blocks,
      "primaryUpdateStrategy is supervised: the restart without fsGroup would stop and wait for you",
      {"set spec.primaryUpdateStrategy to unsupervised for the time of the move"},
      false};
}

std::vector<std::string> manifest_lines(const PostgresWorld& world) {
  std::vector<std::string> lines;
  const auto old_setting = [&](const auto& setting) { return setting.storage_class == world.from.name; };
  if (std::any_of(world.cluster.storage.begin(), world.cluster.storage.end(), old_setting)) {
    lines = cnpg::manifest_lines(world.cluster, world.to.name);
  }
  if (needs_spare(world)) {
    if (lines.empty()) lines.push_back("spec:");
    // Three, also for a single instance: with fewer this tool would want a spare one of its own.
    lines.push_back(
        fmt::format("  instances: 3   # {} again once the move is complete", world.cluster.instances));
  }
  if (needs_other_context(world)) {
    for (std::string& line : cnpg::manifest_lines_without_fs_group(world.cluster)) {
      if (line != "spec:" || lines.empty()) lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::vector<Finding> standing_findings(const PostgresWorld& world, const RollingOptions& options) {
  Findings findings;
  if (!world.to.exists) {
    add(findings, "class-absent", Severity::blocks,
        fmt::format("storage class {} does not exist", options.to_class),
        {"kubectl get storageclass", "kubectl truenas-migrate storageclass --apply creates it"});
  }
  find_owners(world, findings);
  find_losses(world, findings);
  for (Finding& finding : findings) {
    finding.accepted = finding.severity == Severity::accept && options.accepted.contains(finding.id);
  }
  return findings;
}

std::vector<Finding> preflight(const PostgresWorld& world, const RollingOptions& options) {
  Findings findings = standing_findings(world, options);
  find_health(world, findings);
  find_cluster_states(world, findings);
  find_redundancy(world, findings);
  find_snapshots_and_versions(world, options, findings);
  for (Finding& finding : class_findings(world)) findings.push_back(std::move(finding));
  for (Finding& finding : findings) {
    finding.accepted = finding.severity == Severity::accept && options.accepted.contains(finding.id);
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  return findings;
}

bool blocks(const Finding& finding) {
  return finding.severity == Severity::blocks || (finding.severity == Severity::accept && !finding.accepted);
}

}  // namespace truenas::workflow
