#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/cnpg/canary.h"

namespace truenas::cnpg {
namespace {

using json::Value;
using State = CanaryVerdict::State;

constexpr std::string_view k_prefix = "canary: ";

// The script's lines; true once its own verdict was among them.
bool read_log(std::string_view log, CanaryVerdict& verdict) {
  bool ended = false;
  for (const std::string& line : split(log, '\n')) {
    if (!line.starts_with(k_prefix)) continue;
    const std::string text = printable(std::string_view(line).substr(k_prefix.size()));
    verdict.lines.push_back(text);
    const std::size_t space = text.find(' ');
    const std::string word = text.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : text.substr(space + 1);
    if (word == "verdict") {
      ended = true;
      verdict.state = rest == "passed" ? State::passed : State::failed;
      continue;
    }
    if (word == "round") {
      verdict.second_round = rest == "2";
      continue;
    }
    if (word == "root") {
      verdict.root_directory = rest;
      continue;
    }
    if (rest.starts_with("failed: ")) {
      verdict.detail = trim(std::string_view(rest).substr(8));
    } else if (word == "owner") {
      verdict.file_owner = rest;
    }
    verdict.stage = word;
  }
  return ended;
}

void fail(CanaryVerdict& verdict, std::string stage, std::string_view detail) {
  verdict.state = State::failed;
  verdict.stage = std::move(stage);
  verdict.detail = printable(trim(detail));
}

// The Pod's own account: containers that cannot start or were ended from outside.
void read_containers(const Value& pod, CanaryVerdict& verdict) {
  for (const Value& container : pod.items_at("/status/containerStatuses")) {
    const std::string& waiting = container.text_at("/state/waiting/reason");
    const bool image = waiting == "ErrImagePull" || waiting == "ImagePullBackOff" ||
                       waiting == "InvalidImageName" || waiting == "ErrImageNeverPull";
    if (image || waiting == "CreateContainerConfigError" || waiting == "CreateContainerError") {
      fail(verdict, image ? "image" : "start", waiting + ": " + container.text_at("/state/waiting/message"));
    }
    const std::string& ended = container.text_at("/state/terminated/reason");
    if (!ended.empty() && ended != "Completed" && ended != "Error") {
      verdict.detail = fmt::format("the container was ended: {}", printable(ended));
    }
  }
}

struct Trouble {
  std::string_view reason, stage;
};

// Reasons of Events that keep a Pod from starting. The kubelet repeats them; most may still go away.
constexpr Trouble k_troubles[] = {{"FailedMount", "mount"},
                                  {"FailedAttachVolume", "mount"},
                                  {"ProvisioningFailed", "provision"},
                                  {"FailedScheduling", "schedule"},
                                  {"FailedCreatePodSandBox", "start"}};

// Messages after which waiting is pointless: the same mount is tried again with the same outcome.
bool is_final(std::string_view message) {
  return contains(message, "applyFSGroup failed") || contains(message, "access denied by server");
}

void read_events(const std::vector<kube::EventLine>& events, CanaryVerdict& verdict) {
  std::string latest;
  for (const kube::EventLine& event : events) {
    for (const Trouble& trouble : k_troubles) {
      if (event.reason != trouble.reason) continue;
      if (is_final(event.message)) {
        fail(verdict, std::string(trouble.stage), event.message);
        return;
      }
      if (event.last_seen < latest) continue;
      latest = event.last_seen;
      verdict.stage = trouble.stage;
      verdict.detail = printable(trim(event.message));
    }
  }
}

std::string owner_uid(const CanaryVerdict& verdict) {
  return verdict.file_owner.substr(0, verdict.file_owner.find(':'));
}

// mapall: whoever writes, the file belongs to one owner.
void explain_owner(std::string_view storage_class, const CanaryVerdict& verdict, Error& error) {
  const std::string uid = owner_uid(verdict);
  error.what += fmt::format(
      ": the share gives every file to uid {} (mapall): PostgreSQL refuses a data directory that is not its "
      "own",
      uid.empty() ? "?" : uid);
  error.hints = hints_on_foreign_owners(storage_class);
}

void explain_create(const ClusterState& cluster, std::string_view storage_class, const CanaryVerdict& verdict,
                    bool without_fs_group, Error& error) {
  error.what +=
      fmt::format(": the volume's root directory ({}) cannot be written by uid {}",
                  verdict.root_directory.empty() ? "owner and mode unknown" : verdict.root_directory,
                  cluster.object.integer_at("/spec/postgresUID", 26));
  error.hints.push_back(fmt::format(
      "storage class {} must have nfs.datasetPermissionsMode \"0777\" (with empty nfs.mapAllUser and "
      "nfs.mapAllGroup)",
      storage_class));
  if (without_fs_group) {
    error.hints.emplace_back(
        "with nfs.rootSquash \"false\" the root directory stays root's, mode 0755: there the Cluster needs "
        "fsGroup, "
        "so leave out spec.podSecurityContext or give it fsGroup");
  } else {
    error.hints.emplace_back(
        "fsGroup did not make it writable: the share squashes root, so the kubelet cannot change it");
  }
}

void explain_mount(const ClusterState& cluster, const CanaryVerdict& verdict, bool without_fs_group,
                   Error& error) {
  if (contains(verdict.detail, "applyFSGroup") && !without_fs_group) {
    error.what +=
        ": the share squashes root, so the kubelet cannot apply fsGroup to a data directory of mode 0700, "
        "and no Pod "
        "with fsGroup can mount the volume a second time";
    error.hints.push_back(hint_without_fs_group(cluster));
    return;
  }
  if (contains(verdict.detail, "access denied")) {
    error.hints.emplace_back(
        "the NAS does not export this dataset to the node: look at the share's hosts and networks, and "
        "whether the "
        "driver made a share at all");
  }
}

}  // namespace

std::vector<std::string> hints_on_foreign_owners(std::string_view storage_class) {
  return {fmt::format("storage class {} must have nfs.mapAllUser and nfs.mapAllGroup present and EMPTY "
                      "(absent means root:wheel), with nfs.datasetPermissionsMode \"0777\"; a driver without "
                      "datasetPermissions needs nfs.rootSquash \"false\"",
                      storage_class),
          "kubectl truenas-migrate storageclass shows what the class has and what it must have"};
}

std::string hint_without_fs_group(const ClusterState& cluster) {
  return fmt::format(
      "set spec.podSecurityContext of cluster {}/{} to {{runAsUser: {}, runAsGroup: {}, runAsNonRoot: true}} "
      "(no fsGroup; needs CloudNativePG 1.28 or newer)",
      cluster.ns, cluster.name, cluster.object.integer_at("/spec/postgresUID", 26),
      cluster.object.integer_at("/spec/postgresGID", 26));
}

CanaryVerdict parse_canary(const Value& pod, std::string_view log,
                           const std::vector<kube::EventLine>& events) {
  CanaryVerdict verdict;
  if (read_log(log, verdict)) return verdict;
  verdict.state = State::waiting;
  const std::string& phase = pod.text_at("/status/phase");
  read_containers(pod, verdict);
  if (verdict.state == State::failed) return verdict;
  if (phase == "Succeeded") {
    fail(verdict, verdict.stage.empty() ? "end" : verdict.stage,
         "the Pod ended without a verdict: its log is not complete");
  } else if (phase == "Failed") {
    std::string why = verdict.detail;
    if (why.empty()) why = pod.text_at("/status/reason") + " " + pod.text_at("/status/message");
    if (trim(why).empty()) why = "the Pod failed without a verdict";
    fail(verdict, verdict.stage.empty() ? "end" : verdict.stage, why);
  } else if (verdict.lines.empty()) {
    read_events(events, verdict);
  }
  return verdict;
}

bool may_pass_without_fs_group(const CanaryVerdict& verdict) {
  if (verdict.state != State::failed) return false;
  const bool mount = verdict.stage == "mount" && contains(verdict.detail, "applyFSGroup");
  // fsGroup at the second mount can change the mode or group of what the first one made.
  return mount || (verdict.second_round && (verdict.stage == "start" || verdict.stage == "reread"));
}

Error explain_canary_failure(const ClusterState& cluster, std::string_view storage_class,
                             const CanaryVerdict& verdict, bool asked_without_fs_group) {
  // The Cluster's own context may have none.
  const bool without_fs_group =
      pod_security_context(cluster, asked_without_fs_group).find("fsGroup") == nullptr;
  Error error{Kind::refused, fmt::format("the canary on storage class {} failed at stage {}", storage_class,
                                         verdict.stage.empty() ? "unknown" : verdict.stage)};
  if (verdict.stage == "owner") {
    explain_owner(storage_class, verdict, error);
  } else if (verdict.stage == "mode") {
    error.hints.emplace_back(
        "the share forces modes (an NFSv4 ACL, a create mask): the dataset must have POSIX permissions and "
        "honour "
        "the mode that is asked for");
  } else if (verdict.stage == "create") {
    explain_create(cluster, storage_class, verdict, without_fs_group, error);
  } else if (verdict.stage == "mount") {
    explain_mount(cluster, verdict, without_fs_group, error);
  } else if (verdict.stage == "provision") {
    error.hints.push_back(
        fmt::format("kubectl get storageclass {} -o yaml; is its provisioner running?", storage_class));
  } else if (verdict.stage == "image") {
    error.hints.push_back(
        fmt::format("the node cannot pull the Cluster's image {}", printable(cluster.image)));
  } else if (verdict.second_round && !without_fs_group) {
    error.hints.emplace_back(
        "the first mount worked, the second did not: fsGroup changed what the first had made");
    error.hints.push_back(hint_without_fs_group(cluster));
  }
  if (!verdict.detail.empty()) error.what += fmt::format(" ({})", verdict.detail);
  return error;
}

}  // namespace truenas::cnpg
