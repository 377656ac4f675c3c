#include "lib/cnpg/permissions.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::cnpg {
namespace {

struct Row {
  std::string_view verbs, group, resource, subresource;
  bool namespaced;
  std::string_view why;
};

// facts 8, in the order in which a run needs them.
constexpr Row k_rolling[] = {
    {"get list", "postgresql.cnpg.io", "clusters", "", true, "to see the Cluster"},
    {"get list", "", "pods", "", true, "to see the instances"},
    {"get list", "", "persistentvolumeclaims", "", true, "to see the instances' claims"},
    {"get list", "", "persistentvolumes", "", false, "to see the volumes behind the claims"},
    {"get", "storage.k8s.io", "storageclasses", "", false, "to see both storage classes"},
    {"get list", "batch", "jobs", "", true, "to see an instance join"},
    {"list", "postgresql.cnpg.io", "backups", "", true, "so that no start happens while a backup runs"},
    {"list", "", "events", "", true, "to say why something waits"},
    {"get create", "", "pods", "exec", true, "to ask PostgreSQL for replication, and for CHECKPOINT"},
    {"get create patch delete", "", "configmaps", "", true, "for the journal of the run"},
    {"get create patch", "coordination.k8s.io", "leases", "", true, "so that two runs cannot meet"},
    {"create delete", "", "persistentvolumeclaims", "", true, "for the canary, and to replace instances"},
    {"create delete", "", "pods", "", true, "for the canary, and to replace instances"},
    {"get", "", "pods", "log", true, "to read what the canary found"},
    {"patch", "", "persistentvolumes", "", false, "so that old volumes are kept (Retain)"},
    {"patch", "postgresql.cnpg.io", "clusters", "", true, "to set the storage class"},
    {"patch", "", "pods", "", true, "to hand an instance to the operator for replacement"},
    {"delete", "batch", "jobs", "", true, "to replace instances where the operator is older than 1.28"},
    {"patch", "postgresql.cnpg.io", "clusters", "status", true, "for the switchover"},
    {"get", "", "secrets", "", true, "to show that the application's password has not changed"},
    {"get", "", "services", "", true, "to show that the services have not changed"},
};

}  // namespace

std::vector<Permission> rolling_permissions(std::string_view ns) {
  std::vector<Permission> permissions;
  for (const Row& row : k_rolling) {
    for (const std::string& verb : split(row.verbs, ' ')) {
      Permission permission;
      permission.query.verb = verb;
      permission.query.group = row.group;
      permission.query.resource = row.resource;
      permission.query.subresource = row.subresource;
      if (row.namespaced) permission.query.ns = ns;
      permission.why = row.why;
      permissions.push_back(std::move(permission));
    }
  }
  return permissions;
}

std::string describe(const Permission& permission) {
  const kube::AccessQuery& query = permission.query;
  return fmt::format("{} {}{}{}{}{} {}", query.verb, query.resource, query.group.empty() ? "" : ".",
                     query.group, query.subresource.empty() ? "" : "/", query.subresource,
                     query.ns.empty() ? std::string("(cluster-wide)") : "in namespace " + query.ns);
}

Result<std::vector<std::string>> missing_permissions(const kube::Reader& reader,
                                                     const std::vector<Permission>& permissions) {
  std::vector<std::string> missing;
  for (const Permission& permission : permissions) {
    auto allowed = reader.can_i(permission.query);
    if (!allowed) return allowed.error().in("asking whether you may " + describe(permission));
    if (!*allowed) missing.push_back(fmt::format("cannot {}: {}", describe(permission), permission.why));
  }
  return missing;
}

Result<std::vector<std::string>> missing_permissions(const kube::Reader& reader, std::string_view ns) {
  return missing_permissions(reader, rolling_permissions(ns));
}

}  // namespace truenas::cnpg
