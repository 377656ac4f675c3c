#pragma once
// The site of the runbook in a FakeCluster: both storage classes and drivers, the database of Coder and the
// homes of its workspaces.

#include <string>
#include <vector>

#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

inline constexpr std::string_view k_old_class = "truenas-nfs";
inline constexpr std::string_view k_new_class = "truenas-csi-nfs";
inline constexpr std::string_view k_old_driver = "truenas-nfs";
inline constexpr std::string_view k_new_driver = "csi.truenas.io";

struct SiteOptions {
  int instances = 3;
  bool wal_storage = false, tablespace = false;
  int rows = 100;  // acknowledged writes that the database begins with
  bool workspaces = true;
  std::string cluster = "coder-postgres", ns = "coder";
};

// Puts everything and lets the cluster live until the database is healthy and all claims are bound. False
// when that does not happen within its ticks.
bool build_site(FakeCluster& cluster, const SiteOptions& options = {});
// Only the classes, CSIDrivers and namespaces.
void build_classes(FakeCluster& cluster);
// The manifest of a Cluster on the old class.
json::Value cluster_manifest(const SiteOptions& options);
// Names of the workspaces' claims in namespace coder-workspaces; the first two run.
std::vector<std::string> workspace_claims();

}  // namespace truenas::fakes
