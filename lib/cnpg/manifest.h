#pragma once
// The lines of YAML that an owner's repository (Fleet, Argo CD, Flux, Helm) must have for a Cluster, so that
// it does not put back what a move has changed. Pure text; who the owner is says lib/kube/gitops.h.

#include <string>
#include <string_view>
#include <vector>

#include "lib/cnpg/cluster.h"

namespace truenas::cnpg {

// The manifest lines that give every storage section of this Cluster the class: what an owner's repository
// must say, as YAML with its parents, one section after the other ("spec:", "  storage:", …).
std::vector<std::string> manifest_lines(const ClusterState& cluster, std::string_view storage_class);
// The manifest lines for a podSecurityContext without fsGroup (facts 6), for the cluster's own uid and gid.
std::vector<std::string> manifest_lines_without_fs_group(const ClusterState& cluster);

}  // namespace truenas::cnpg
