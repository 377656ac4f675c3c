#include "lib/cnpg/preflight.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/base/text.h"
#include "lib/kube/resource.h"

namespace truenas::cnpg {
namespace {

using json::Value;

bool has_object(const Value& object, std::string_view pointer) {
  const Value* found = object.at(pointer);
  return found != nullptr && found->is_object();
}

// spec.postgresql.synchronous replaces minSyncReplicas (facts 1.1).
SynchronousFacts parse_synchronous(const Value& cluster) {
  SynchronousFacts facts;
  if (has_object(cluster, "/spec/postgresql/synchronous")) {
    facts.required = static_cast<int>(cluster.integer_at("/spec/postgresql/synchronous/number"));
    facts.blocks = cluster.text_at("/spec/postgresql/synchronous/dataDurability") != "preferred";
    facts.configured_by = "spec.postgresql.synchronous";
    return facts;
  }
  facts.required = static_cast<int>(cluster.integer_at("/spec/minSyncReplicas"));
  if (facts.required > 0) facts.configured_by = "spec.minSyncReplicas";
  return facts;
}

// spec.replica: enabled in the older form; in the newer one the names decide who is the primary cluster.
bool follows_another(const Value& cluster) {
  const Value* replica = cluster.at("/spec/replica");
  if (replica == nullptr || !replica->is_object()) return false;
  if (const Value* enabled = replica->find("enabled")) {
    if (!enabled->is_null()) return enabled->boolean_or(false);
  }
  const std::string& primary = replica->text_at("/primary");
  if (primary.empty()) return false;
  const std::string& self = replica->text_at("/self");
  return primary != (self.empty() ? kube::identity_of(cluster).name : self);
}

void parse_security(const Value& cluster, ClusterShape& shape) {
  shape.uid = cluster.integer_at("/spec/postgresUID", 26);
  shape.gid = cluster.integer_at("/spec/postgresGID", 26);
  shape.fs_group = shape.gid;
  const Value* context = cluster.at("/spec/podSecurityContext");
  shape.has_pod_security_context = context != nullptr && context->is_object();
  if (!shape.has_pod_security_context) return;
  const Value* fs_group = context->find("fsGroup");
  shape.has_fs_group = fs_group != nullptr && !fs_group->is_null();
  shape.fs_group = shape.has_fs_group ? fs_group->integer_or(0) : 0;
  shape.uid = context->integer_at("/runAsUser", shape.uid);
  shape.gid = context->integer_at("/runAsGroup", shape.gid);
}

bool hibernation_condition(const Value& cluster) {
  for (const Value& condition : cluster.items_at("/status/conditions")) {
    if (condition.text_at("/type") == "cnpg.io/hibernation" && condition.text_at("/status") == "True")
      return true;
  }
  return false;
}

bool archives_wal(const Value& cluster) {
  if (has_object(cluster, "/spec/backup/barmanObjectStore")) return true;
  return std::ranges::any_of(cluster.items_at("/spec/plugins"), [](const Value& plugin) {
    return plugin.boolean_at("/isWALArchiver") && plugin.boolean_at("/enabled", true);
  });
}

std::array<std::int64_t, 3> version_numbers(std::string_view version) {
  std::array<std::int64_t, 3> numbers{};
  if (version.starts_with("v")) version.remove_prefix(1);
  for (std::int64_t& number : numbers) {
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
    if (error != std::errc{}) break;
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (!version.starts_with(".")) break;
    version.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

ClusterShape parse_shape(const Value& cluster) {
  ClusterShape shape;
  shape.fenced_instances = kube::annotation_of(cluster, "cnpg.io/fencedInstances");
  const std::string_view fenced = trim(shape.fenced_instances);
  shape.fenced = !fenced.empty() && fenced != "[]";
  shape.hibernated =
      kube::annotation_of(cluster, "cnpg.io/hibernation") == "on" || hibernation_condition(cluster);
  shape.maintenance_window = cluster.boolean_at("/spec/nodeMaintenanceWindow/inProgress");
  shape.replica_cluster = follows_another(cluster);
  shape.supervised = cluster.text_at("/spec/primaryUpdateStrategy") == "supervised";
  shape.reconciliation_disabled = kube::annotation_of(cluster, "cnpg.io/reconciliationLoop") == "disabled";
  shape.required_anti_affinity = cluster.text_at("/spec/affinity/podAntiAffinityType") == "required" &&
                                 cluster.boolean_at("/spec/affinity/enablePodAntiAffinity", true);
  shape.synchronous = parse_synchronous(cluster);
  parse_security(cluster, shape);
  shape.wal_storage = has_object(cluster, "/spec/walStorage");
  shape.tablespaces = static_cast<int>(cluster.items_at("/spec/tablespaces").size());
  shape.resize_in_use_volumes = cluster.boolean_at("/spec/storage/resizeInUseVolumes", true);
  shape.snapshot_backups_configured = has_object(cluster, "/spec/backup/volumeSnapshot");
  shape.wal_archiving = archives_wal(cluster);
  shape.owners = kube::gitops_owners(cluster);
  return shape;
}

std::optional<BackupFacts> parse_backup(const Value& backup, std::string_view cluster) {
  if (backup.text_at("/spec/cluster/name") != cluster) return std::nullopt;
  BackupFacts facts;
  facts.name = backup.text_at("/metadata/name");
  facts.phase = backup.text_at("/status/phase");
  facts.method = backup.text_at("/status/method");
  if (facts.method.empty()) facts.method = backup.text_at("/spec/method");
  // Phases: "", pending, started, running, finalizing, completed, failed, walArchivingFailing. Only the two
  // final ones are over.
  facts.running = facts.phase != "completed" && facts.phase != "failed";
  facts.volume_snapshot = facts.method == "volumeSnapshot";
  for (const Value& element : backup.items_at("/status/snapshotBackupStatus/elements")) {
    facts.snapshots.push_back(element.text_at("/name"));
  }
  return facts;
}

std::optional<std::string> version_of_image(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash))
    return std::nullopt;
  std::string_view tag = image.substr(colon + 1);
  if (tag.starts_with("v")) tag.remove_prefix(1);
  const bool version = !tag.empty() && tag[0] >= '0' && tag[0] <= '9' && contains(tag, ".");
  return version ? std::optional<std::string>(tag) : std::nullopt;
}

bool version_less(std::string_view a, std::string_view b) {
  return version_numbers(a) < version_numbers(b);
}

}  // namespace truenas::cnpg
