#include <algorithm>
#include <charconv>
#include <set>

#include "lib/base/text.h"
#include "lib/cnpg/cluster_reader.h"
#include "lib/json/view.h"
#include "lib/kube/resource.h"

namespace truenas::cnpg {
namespace {

using json::Value;

bool terminating(const Value& object) {
  return !object.text_at("/metadata/deletionTimestamp").empty();
}

// The controller ownerReference's uid, "" without one.
std::string_view controller_uid(const Value& object) {
  for (const Value& owner : object.items_at("/metadata/ownerReferences")) {
    if (owner.boolean_at("/controller")) return owner.text_at("/uid");
  }
  return {};
}

bool belongs(const Value& object, const ClusterState& cluster) {
  if (object.text_at("/metadata/namespace") != cluster.ns) return false;
  return (!cluster.uid.empty() && controller_uid(object) == cluster.uid) ||
         kube::label_of(object, "cnpg.io/cluster") == cluster.name;
}

std::vector<std::string> strings_at(const Value& object, std::string_view pointer) {
  std::vector<std::string> strings;
  for (const Value& item : object.items_at(pointer)) strings.push_back(item.text());
  return strings;
}

std::map<std::string, std::string> string_map(const Value& object, std::string_view pointer) {
  std::map<std::string, std::string> strings;
  for (const auto& [key, value] : object.members_at(pointer)) strings[key] = value.text();
  return strings;
}

// "coder-postgres-1" of "coder-postgres-1-wal": for claims that lost their labels.
std::string instance_from_name(std::string_view cluster, std::string_view claim) {
  std::size_t end = cluster.size() + 1;
  while (end < claim.size() && claim[end] >= '0' && claim[end] <= '9') ++end;
  return std::string(claim.substr(0, std::min(end, claim.size())));
}

InstanceClaim parse_claim(const Value& object, const ClusterState& cluster) {
  InstanceClaim claim;
  claim.name = object.text_at("/metadata/name");
  claim.uid = object.text_at("/metadata/uid");
  claim.instance = kube::label_of(object, "cnpg.io/instanceName");
  if (claim.instance.empty() && is_claim_name(cluster.name, claim.name)) {
    claim.instance = instance_from_name(cluster.name, claim.name);
  }
  claim.role = kube::label_of(object, "cnpg.io/pvcRole");
  claim.tablespace = kube::label_of(object, "cnpg.io/tablespaceName");
  claim.storage_class = object.text_at("/spec/storageClassName");
  claim.phase = object.text_at("/status/phase");
  claim.volume = object.text_at("/spec/volumeName");
  claim.pvc_status = kube::annotation_of(object, "cnpg.io/pvcStatus");
  claim.terminating = terminating(object);
  claim.owned = !cluster.uid.empty() && controller_uid(object) == cluster.uid;
  return claim;
}

InstanceVolume parse_volume(const Value& object) {
  InstanceVolume volume{storage::read_volume(object), string_map(object, "/metadata/annotations")};
  volume.terminating = terminating(object);
  return volume;
}

InstancePod parse_pod(const Value& object) {
  InstancePod pod;
  pod.name = object.text_at("/metadata/name");
  pod.uid = object.text_at("/metadata/uid");
  pod.role = kube::label_of(object, "cnpg.io/instanceRole");
  if (pod.role.empty()) pod.role = kube::label_of(object, "role");
  pod.phase = object.text_at("/status/phase");
  for (const Value& condition : object.items_at("/status/conditions")) {
    if (condition.text_at("/type") == "Ready") pod.ready = condition.text_at("/status") == "True";
  }
  pod.terminating = terminating(object);
  pod.marked_unrecoverable = kube::annotation_of(object, "alpha.cnpg.io/unrecoverable") == "true";
  for (std::string_view list : {"/status/initContainerStatuses", "/status/containerStatuses"}) {
    for (const Value& container : object.items_at(list)) {
      if (!pod.waiting_reason.empty() || container.at("/state/waiting") == nullptr) continue;
      pod.waiting_reason = container.text_at("/state/waiting/reason");
      pod.waiting_message = container.text_at("/state/waiting/message");
    }
  }
  return pod;
}

InstanceJob parse_job(const Value& object) {
  InstanceJob job;
  job.name = object.text_at("/metadata/name");
  job.uid = object.text_at("/metadata/uid");
  job.instance = kube::label_of(object, "cnpg.io/instanceName");
  job.role = kube::label_of(object, "cnpg.io/jobRole");
  // Older operators label the Pod template only; the name is "<instance>-<role>" (facts 2.1).
  if (job.instance.empty()) {
    job.instance = object.text_at("/spec/template/metadata/labels/cnpg.io~1instanceName");
  }
  if (job.role.empty() && job.name.size() > job.instance.size() + 1 && !job.instance.empty() &&
      job.name.starts_with(job.instance)) {
    job.role = job.name.substr(job.instance.size() + 1);
  }
  for (const Value& condition : object.items_at("/status/conditions")) {
    if (condition.text_at("/status") != "True") continue;
    if (condition.text_at("/type") == "Failed") job.failed = true;
    if (condition.text_at("/type") == "Complete") job.complete = true;
  }
  job.terminating = terminating(object);
  return job;
}

// spec.storage overrides pvcTemplate.storageClassName (facts 1.1).
StorageSetting storage_setting(const Value& cluster, std::string pointer) {
  StorageSetting setting;
  setting.storage_class = cluster.text_at(pointer + "/storageClass");
  if (setting.storage_class.empty()) {
    setting.storage_class = cluster.text_at(pointer + "/pvcTemplate/storageClassName");
    setting.in_pvc_template = !setting.storage_class.empty();
  }
  setting.pointer = std::move(pointer);
  return setting;
}

void parse_storage(const Value& object, ClusterState& cluster) {
  cluster.storage.push_back(storage_setting(object, "/spec/storage"));
  const Value* wal = object.at("/spec/walStorage");
  if (wal != nullptr && wal->is_object()) {
    cluster.storage.push_back(storage_setting(object, "/spec/walStorage"));
  }
  for (std::size_t i = 0; i < object.items_at("/spec/tablespaces").size(); ++i) {
    cluster.storage.push_back(storage_setting(object, "/spec/tablespaces/" + std::to_string(i) + "/storage"));
  }
}

Result<ClusterState> parse_object(const Value& object) {
  ClusterState cluster;
  const kube::Identity identity = kube::identity_of(object);
  const json::View view(object, "cluster " + identity.ns + "/" + identity.name);
  TM_TRY_ASSIGN(cluster.ns, view.get_string("/metadata/namespace"));
  TM_TRY_ASSIGN(cluster.name, view.get_string("/metadata/name"));
  TM_TRY_ASSIGN(cluster.uid, view.get_string("/metadata/uid"));
  TM_TRY_ASSIGN(const std::int64_t instances, view.get_integer("/spec/instances"));
  TM_TRY_ASSIGN(const std::int64_t ready, view.find_integer("/status/readyInstances"));
  if (instances < 0 || instances > 1000 || ready < 0 || ready > 1000) {
    return make_error(Kind::format, view.source() + ": an instance count lies outside 0 to 1000");
  }
  cluster.instances = static_cast<int>(instances);
  cluster.ready_instances = static_cast<int>(ready);
  cluster.resource_version = identity.resource_version;
  cluster.object = object;
  cluster.phase = object.text_at("/status/phase");
  cluster.phase_reason = object.text_at("/status/phaseReason");
  cluster.image = object.text_at("/status/image");
  if (cluster.image.empty()) cluster.image = object.text_at("/spec/imageName");
  cluster.current_primary = object.text_at("/status/currentPrimary");
  cluster.target_primary = object.text_at("/status/targetPrimary");
  cluster.timeline = object.integer_at("/status/timelineID");
  cluster.system_id = object.text_at("/status/systemID");
  cluster.instance_names = strings_at(object, "/status/instanceNames");
  cluster.dangling = strings_at(object, "/status/danglingPVC");
  cluster.initializing = strings_at(object, "/status/initializingPVC");
  cluster.unusable = strings_at(object, "/status/unusablePVC");
  cluster.resizing = strings_at(object, "/status/resizingPVC");
  cluster.terminating = terminating(object);
  parse_storage(object, cluster);
  return cluster;
}

}  // namespace

bool is_claim_name(std::string_view cluster, std::string_view claim) {
  if (!claim.starts_with(cluster)) return false;
  claim.remove_prefix(cluster.size());
  if (claim.size() < 2 || claim[0] != '-') return false;
  claim.remove_prefix(1);
  const std::size_t digits = std::min(claim.find_first_not_of("0123456789"), claim.size());
  const std::string_view rest = claim.substr(digits);
  return digits > 0 && (rest.empty() || rest == "-wal" || (rest.starts_with("-tbs-") && rest.size() > 5));
}

Result<ClusterState> parse_cluster(const ClusterDocuments& documents) {
  TM_TRY_ASSIGN(ClusterState cluster, parse_object(documents.cluster));
  std::set<std::string> bound;
  for (const Value& object : documents.claims) {
    if (!belongs(object, cluster)) continue;
    cluster.claims.push_back(parse_claim(object, cluster));
    if (!cluster.claims.back().volume.empty()) bound.insert(cluster.claims.back().volume);
  }
  for (const Value& object : documents.volumes) {
    InstanceVolume volume = parse_volume(object);
    const bool was_ours = volume.claim_ns == cluster.ns && is_claim_name(cluster.name, volume.claim_name);
    if (bound.contains(volume.name) || was_ours) cluster.volumes[volume.name] = std::move(volume);
  }
  for (const Value& object : documents.pods) {
    // Job and pooler Pods carry the cluster's label too; instances have a role of their own.
    if (!belongs(object, cluster)) continue;
    const std::string& kind = kube::label_of(object, "cnpg.io/podRole");
    if (kind == "instance" ||
        (kind.empty() && std::ranges::count(cluster.instance_names, object.text_at("/metadata/name")) > 0)) {
      cluster.pods.push_back(parse_pod(object));
    }
  }
  for (const Value& object : documents.jobs) {
    if (belongs(object, cluster)) cluster.jobs.push_back(parse_job(object));
  }
  std::ranges::sort(cluster.claims, {}, &InstanceClaim::name);
  std::ranges::sort(cluster.pods, {}, &InstancePod::name);
  std::ranges::sort(cluster.jobs, {}, &InstanceJob::name);
  return cluster;
}

}  // namespace truenas::cnpg
