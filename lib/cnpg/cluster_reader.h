#pragma once
// Reads a CloudNativePG Cluster and everything it owns into ClusterState (cluster.h). It only looks: the one
// thing it runs is a SELECT in the primary. It must not decide anything, and what could not be asked stays
// unknown instead of becoming empty.

#include <string>
#include <string_view>
#include <vector>

#include "lib/cnpg/cluster.h"
#include "lib/kube/reader.h"

namespace truenas::cnpg {

// The documents a ClusterState is made of, as the API server gave them. They may hold more than belongs to
// the cluster: parse_cluster picks.
struct ClusterDocuments {
  json::Value cluster;
  std::vector<json::Value> claims, volumes, pods, jobs;  // of the namespace; volumes of the whole cluster
};

// What belongs to the Cluster: claims, pods and jobs whose controller ownerReference is the Cluster's uid or
// whose label cnpg.io/cluster is its name (facts 2.3: the operator itself goes by ownerReference); of the
// volumes those its claims are bound to, and those whose claimRef names a claim of this cluster: that is how
// the volume of a replaced instance is found. Replication is left unknown. Kind::format when the document is
// no Cluster.
Result<ClusterState> parse_cluster(const ClusterDocuments& documents);

// True if a claim of that name could be one of this Cluster's: "<cluster>-<serial>", "…-wal", "…-tbs-<name>"
// (facts 2.1).
bool is_claim_name(std::string_view cluster, std::string_view claim);

// Rows of pg_stat_replication (application_name, state, lag in bytes or empty) by instance. Where two
// connections carry one name (pg_basebackup and its WAL stream, a dead one and its successor), the worse one
// counts.
std::map<std::string, Replication> parse_replication(const std::vector<std::vector<std::string>>& rows);

// Reads all of it. Kind::not_found when there is no such Cluster. A primary that cannot be asked leaves
// `replication` absent and says why; every other failure is an error.
Result<ClusterState> read_cluster(const kube::Reader& reader, std::string_view ns, std::string_view name);
// The Clusters of a namespace, sorted. Kind::not_found with a hint when the API server does not know the
// kind.
Result<std::vector<std::string>> cluster_names(const kube::Reader& reader, std::string_view ns);

}  // namespace truenas::cnpg
