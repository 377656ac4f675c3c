#include "lib/cnpg/cluster_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "lib/base/text.h"
#include "lib/cnpg/sql.h"

namespace truenas::cnpg {
namespace {

using json::Value;

// The lag is measured in the primary itself; facts 4a.3.
constexpr std::string_view k_replication_query =
    "SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint "
    "FROM pg_stat_replication ORDER BY 1";

const std::vector<std::string> k_volume_fields{
    "/metadata/name",
    "/metadata/uid",
    "/metadata/labels",
    "/metadata/annotations",
    "/metadata/deletionTimestamp",
    "/spec/csi",
    "/spec/nfs",
    "/spec/persistentVolumeReclaimPolicy",
    "/spec/storageClassName",
    "/spec/claimRef",
    "/spec/capacity",
    "/status/phase",
};

// How close a connection is to a replica that may be promoted; the lowest counts.
int standing(const Replication& row) {
  if (row.state != "streaming") return 0;
  return row.lag_bytes < 0 ? 1 : 2;
}

void read_replication(const kube::Reader& reader, ClusterState& cluster) {
  const InstancePod* primary = find_pod(cluster, cluster.current_primary);
  if (cluster.current_primary.empty() || primary == nullptr) {
    cluster.replication_unknown_why = "the primary has no pod";
    return;
  }
  if (primary->terminating || primary->phase != "Running") {
    cluster.replication_unknown_why = fmt::format("pod {} of the primary is {}", primary->name,
                                                  primary->terminating ? "being deleted" : "not running");
    return;
  }
  auto rows = query(reader, SqlTarget{cluster.ns, primary->name}, "postgres", k_replication_query);
  if (!rows) {
    cluster.replication_unknown_why = rows.error().what;
    return;
  }
  cluster.replication = parse_replication(*rows);
}

bool contains_uid(const std::vector<Value>& objects, std::string_view uid) {
  return std::ranges::any_of(objects,
                             [&](const Value& object) { return object.text_at("/metadata/uid") == uid; });
}

// Between two lists a claim can become bound to a volume that the volume list did not have yet.
Result<void> read_missing_volumes(const kube::Reader& reader, ClusterDocuments& documents) {
  std::set<std::string> names;
  for (const Value& volume : documents.volumes) names.insert(volume.text_at("/metadata/name"));
  for (const Value& claim : documents.claims) {
    const std::string& name = claim.text_at("/spec/volumeName");
    if (name.empty() || !names.insert(name).second) continue;
    TM_TRY_ASSIGN(std::optional<Value> volume, reader.find(kube::k_volume, "", name));
    if (volume && !contains_uid(documents.volumes, volume->text_at("/metadata/uid"))) {
      documents.volumes.push_back(std::move(*volume));
    }
  }
  return {};
}

// Only volumes whose claimRef lies in `ns` are kept while the list streams by: memory stays small however
// many volumes the Kubernetes cluster has.
Result<std::vector<Value>> list_volumes(const kube::Reader& reader, std::string_view ns) {
  std::vector<Value> volumes;
  kube::ListOptions options;
  options.wanted = k_volume_fields;
  const kube::ItemSink sink{[&](Value item) -> Result<void> {
                              if (item.text_at("/spec/claimRef/namespace") == ns) {
                                volumes.push_back(std::move(item));
                              }
                              return {};
                            },
                            [&] { volumes.clear(); }};
  TM_TRY(reader.list(kube::k_volume, "", options, sink));
  return volumes;
}

}  // namespace

std::map<std::string, Replication> parse_replication(const std::vector<std::vector<std::string>>& rows) {
  std::map<std::string, Replication> by_instance;
  for (const std::vector<std::string>& row : rows) {
    if (row.size() < 3) continue;
    Replication replication;
    replication.state = row[1];
    std::int64_t lag = 0;
    const char* end = row[2].data() + row[2].size();
    const auto [parsed, error] = std::from_chars(row[2].data(), end, lag);
    // A replica can replay what was written after pg_current_wal_lsn() was read: that is no lag.
    if (error == std::errc{} && parsed == end) replication.lag_bytes = std::max<std::int64_t>(lag, 0);
    const auto [place, inserted] = by_instance.emplace(row[0], replication);
    if (inserted) continue;
    Replication& known = place->second;
    const bool worse = standing(replication) < standing(known) ||
                       (standing(replication) == standing(known) && replication.lag_bytes > known.lag_bytes);
    if (worse) known = replication;
  }
  return by_instance;
}

Result<ClusterState> read_cluster(const kube::Reader& reader, std::string_view ns, std::string_view name) {
  ClusterDocuments documents;
  TM_TRY_ASSIGN(documents.cluster, reader.get(kube::k_cluster, ns, name));
  TM_TRY_ASSIGN(documents.claims, reader.list(kube::k_claim, ns));
  TM_TRY_ASSIGN(documents.volumes, list_volumes(reader, ns));
  TM_TRY(read_missing_volumes(reader, documents));
  TM_TRY_ASSIGN(documents.pods, reader.list(kube::k_pod, ns));
  TM_TRY_ASSIGN(documents.jobs, reader.list(kube::k_job, ns));
  TM_TRY_ASSIGN(ClusterState cluster, parse_cluster(documents));
  read_replication(reader, cluster);
  return cluster;
}

Result<std::vector<std::string>> cluster_names(const kube::Reader& reader, std::string_view ns) {
  kube::ListOptions options;
  options.wanted = {"/metadata/name"};
  auto clusters = reader.list(kube::k_cluster, ns, options);
  if (!clusters && clusters.error().kind == Kind::not_found) {
    return Error(clusters.error())
        .with_hint("is the CloudNativePG operator installed? kubectl get crd clusters.postgresql.cnpg.io");
  }
  if (!clusters) return std::move(clusters).take_error();
  std::vector<std::string> names;
  for (const Value& object : *clusters) names.push_back(object.text_at("/metadata/name"));
  std::ranges::sort(names);
  return names;
}

}  // namespace truenas::cnpg
