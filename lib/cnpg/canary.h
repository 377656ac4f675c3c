#pragma once
// The canary: can PostgreSQL live on a volume of the new class, as this Cluster's Pods will be made (facts
// 6)? Documents of a throw-away claim and Pod, the script the Pod runs, and what its end means. Pure: whoever
// creates and removes them is elsewhere. It must touch nothing of the Cluster.
//
// The Pod is run k_canary_rounds times on the same claim, under two names, the first gone before the second
// starts. Only the second mount shows what fsGroup does to a data directory of mode 0700 on a share that
// squashes root: the first round passes there and the real instance, which mounts after its join Job, would
// not start.

#include <string>
#include <string_view>
#include <vector>

#include "lib/cnpg/cluster.h"
#include "lib/kube/reader.h"

namespace truenas::cnpg {

inline constexpr int k_canary_rounds = 2;

// A claim of 1Gi (the least that TrueNAS grants) in the Cluster's namespace, with the access modes of its own
// claims.
json::Value canary_claim(const ClusterState& cluster, std::string_view storage_class, std::string_view name);

// A Pod that mounts `claim` as an instance would: the Cluster's image, node selection and security contexts
// (facts 6: none given means runAsUser, runAsGroup and fsGroup of the Cluster and runAsNonRoot; one given
// gets only user, group and seccomp filled in). without_fs_group: as if spec.podSecurityContext were
// {runAsUser, runAsGroup, runAsNonRoot}. No service account token, nothing privileged, ends by itself after
// five minutes.
json::Value canary_pod(const ClusterState& cluster, std::string_view claim, std::string_view name,
                       bool without_fs_group);
// The pod-level security context an instance Pod of this Cluster gets.
json::Value pod_security_context(const ClusterState& cluster, bool without_fs_group);
// The shell script of the Pod. The first round makes a data directory, the second one finds it.
std::string_view canary_script();

struct CanaryVerdict {
  enum class State { waiting, passed, failed } state = State::waiting;
  // Where it ended or stands: image, schedule, provision, mount, identity, create, owner, link, sync, initdb,
  // mode, start, query, stop, reread, end; "" while nothing is known.
  std::string stage;
  std::string detail;              // what was seen, one line, printable
  std::vector<std::string> lines;  // the script's own lines so far
  std::string root_directory;      // "0:0 755": owner and mode of the volume's root, "" if unknown
  std::string file_owner;          // "26:26": owner of a file the Pod made
  bool second_round = false;
};

// Reads the Pod, its log and the Events of the Pod and its claim (in any order). Passed needs the script's
// own last line: a Pod that ended well without it has not passed. A mount failure that the kubelet repeats
// for ever is failed at once where its cause is certain, else waiting with the message in `detail`.
CanaryVerdict parse_canary(const json::Value& pod, std::string_view log,
                           const std::vector<kube::EventLine>& events);

// Why it failed and what to change: the matrix of facts 6. Kind::refused.
Error explain_canary_failure(const ClusterState& cluster, std::string_view storage_class,
                             const CanaryVerdict& verdict, bool without_fs_group);
// What to change where every file belongs to somebody else than its writer.
std::vector<std::string> hints_on_foreign_owners(std::string_view storage_class);
// What to change where a share squashes root and the Cluster's Pods have fsGroup; one line.
std::string hint_without_fs_group(const ClusterState& cluster);
// True where the same class may work with podSecurityContext without fsGroup: worth a second canary.
bool may_pass_without_fs_group(const CanaryVerdict& verdict);

}  // namespace truenas::cnpg
