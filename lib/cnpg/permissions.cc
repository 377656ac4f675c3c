#include "lib/cnpg/permissions.h"

namespace truenas::cnpg {
namespace {

// facts 8, in the order in which a run needs them.
constexpr kube::PermissionRow k_rolling[] = {
    {"get", "", "namespaces", "", false, "to know which Kubernetes cluster the journal belongs to"},
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

std::vector<kube::Permission> rolling_permissions(std::string_view ns) {
  return kube::permissions(k_rolling, ns);
}

Result<std::vector<std::string>> missing_permissions(const kube::Reader& reader, std::string_view ns) {
  return kube::missing_permissions(reader, rolling_permissions(ns));
}

}  // namespace truenas::cnpg
