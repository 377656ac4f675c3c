#pragma once
// Who else writes the Cluster: Fleet, Argo CD, Flux, Helm, k3s, a controlling owner. Pure: it reads marks
// that those tools leave in the object and does not ask them. What such an owner means for a plan is decided
// elsewhere.

#include <string>
#include <string_view>
#include <vector>

#include "lib/cnpg/cluster.h"

namespace truenas::cnpg {

struct GitOpsOwner {
  std::string tool;      // "Argo CD", "Flux", "Fleet", "Helm", "k3s", "a controller"
  std::string name;      // the application, kustomization, release or bundle, as far as the mark says
  std::string evidence;  // "annotation argocd.argoproj.io/tracking-id=…"
  // It compares and puts back by itself; false: it does so at its next upgrade only (plain Helm).
  bool reverts = true;
  std::string pause;  // a command that shows or suspends it, "" where none is known
};

// The owners that the object's own marks prove. app.kubernetes.io/instance alone is no proof: charts and
// people set it too. A mark copied from another object (an Argo CD tracking-id naming something else) is
// none either.
std::vector<GitOpsOwner> gitops_owners(const json::Value& cluster);

// The manifest lines that give every storage section of this Cluster the class: what an owner's repository
// must say, as YAML with its parents, one section after the other ("spec:", "  storage:", …).
std::vector<std::string> manifest_lines(const ClusterState& cluster, std::string_view storage_class);
// The manifest lines for a podSecurityContext without fsGroup (facts 6), for the cluster's own uid and gid.
std::vector<std::string> manifest_lines_without_fs_group(const ClusterState& cluster);

}  // namespace truenas::cnpg
