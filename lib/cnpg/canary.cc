#include "lib/cnpg/canary.h"

#include "lib/base/text.h"
#include "lib/storage/volume.h"

namespace truenas::cnpg {
namespace {

using json::Value;

Value labels(const ClusterState& cluster) {
  return Value::object({{std::string(storage::k_managed_by_label), storage::k_managed_by_value},
                        {"app.kubernetes.io/component", "canary"},
                        // Never cnpg.io/cluster: the operator would take the claim for an instance's.
                        {"app.kubernetes.io/part-of", cut_name(cluster.name)}});
}

Value metadata(const ClusterState& cluster, std::string_view name) {
  return Value::object({{"name", name}, {"namespace", cluster.ns}, {"labels", labels(cluster)}});
}

void set_missing(Value& object, std::string_view key, Value value) {
  if (object.find(key) == nullptr) object.set(key, std::move(value));
}

std::int64_t postgres_uid(const ClusterState& cluster) {
  return cluster.object.integer_at("/spec/postgresUID", 26);
}
std::int64_t postgres_gid(const ClusterState& cluster) {
  return cluster.object.integer_at("/spec/postgresGID", 26);
}

Value seccomp(const ClusterState& cluster) {
  const Value* configured = cluster.object.at("/spec/seccompProfile");
  return configured != nullptr && configured->is_object() ? *configured
                                                          : Value::object({{"type", "RuntimeDefault"}});
}

Value container_security_context(const ClusterState& cluster) {
  const Value* configured = cluster.object.at("/spec/securityContext");
  Value context = configured != nullptr && configured->is_object() ? *configured : Value::object();
  set_missing(context, "allowPrivilegeEscalation", false);
  set_missing(context, "privileged", false);
  set_missing(context, "readOnlyRootFilesystem", true);
  set_missing(context, "runAsNonRoot", true);
  set_missing(context, "capabilities", Value::object({{"drop", Value::array({"ALL"})}}));
  set_missing(context, "seccompProfile", seccomp(cluster));
  return context;
}

Value container(const ClusterState& cluster) {
  Value result = Value::object({
      {"name", "canary"},
      {"image", cluster.image},
      {"command", Value::array({"sh", "-c", canary_script()})},
      {"env", Value::array({Value::object({{"name", "TMPDIR"}, {"value", "/controller"}}),
                            Value::object({{"name", "LC_ALL"}, {"value", "C"}})})},
      {"resources", Value::object({{"requests", Value::object({{"cpu", "50m"}, {"memory", "128Mi"}})},
                                   {"limits", Value::object({{"cpu", "1"}, {"memory", "512Mi"}})}})},
      {"securityContext", container_security_context(cluster)},
      {"volumeMounts",
       Value::array({Value::object({{"name", "data"}, {"mountPath", "/var/lib/postgresql/data"}}),
                     Value::object({{"name", "scratch"}, {"mountPath", "/controller"}})})},
  });
  const std::string& policy = cluster.object.text_at("/spec/imagePullPolicy");
  if (!policy.empty()) result.set("imagePullPolicy", policy);
  return result;
}

// The nodes that instances may run on, so that the canary tells about those.
void set_placement(const ClusterState& cluster, Value& spec) {
  const std::pair<const char*, const char*> copied[] = {{"/spec/affinity/nodeSelector", "nodeSelector"},
                                                        {"/spec/affinity/tolerations", "tolerations"},
                                                        {"/spec/schedulerName", "schedulerName"},
                                                        {"/spec/imagePullSecrets", "imagePullSecrets"}};
  for (const auto& [pointer, key] : copied) {
    const Value* value = cluster.object.at(pointer);
    if (value != nullptr && !value->is_null()) spec.set(key, *value);
  }
  const Value* node_affinity = cluster.object.at("/spec/affinity/nodeAffinity");
  if (node_affinity != nullptr && node_affinity->is_object()) {
    spec.set("affinity", Value::object({{"nodeAffinity", *node_affinity}}));
  }
}

}  // namespace

Value pod_security_context(const ClusterState& cluster, bool without_fs_group) {
  const Value* configured = cluster.object.at("/spec/podSecurityContext");
  Value context;
  if (configured != nullptr && configured->is_object()) {
    context = *configured;
  } else {
    context = Value::object({{"runAsNonRoot", true}, {"fsGroup", postgres_gid(cluster)}});
  }
  if (without_fs_group) {
    context.remove("fsGroup");
    context.remove("fsGroupChangePolicy");
    set_missing(context, "runAsNonRoot", true);
  }
  set_missing(context, "runAsUser", postgres_uid(cluster));
  set_missing(context, "runAsGroup", postgres_gid(cluster));
  set_missing(context, "seccompProfile", seccomp(cluster));
  return context;
}

Value canary_claim(const ClusterState& cluster, std::string_view storage_class, std::string_view name) {
  const Value* modes = cluster.object.at("/spec/storage/pvcTemplate/accessModes");
  const bool configured = modes != nullptr && modes->is_array() && !modes->items().empty();
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "PersistentVolumeClaim"},
       {"metadata", metadata(cluster, name)},
       {"spec",
        Value::object({{"accessModes", configured ? *modes : Value::array({"ReadWriteOnce"})},
                       {"resources", Value::object({{"requests", Value::object({{"storage", "1Gi"}})}})},
                       {"storageClassName", storage_class},
                       {"volumeMode", "Filesystem"}})}});
}

Value canary_pod(const ClusterState& cluster, std::string_view claim, std::string_view name,
                 bool without_fs_group) {
  Value spec = Value::object({
      {"restartPolicy", "Never"},
      {"activeDeadlineSeconds", 300},
      {"terminationGracePeriodSeconds", 10},
      {"automountServiceAccountToken", false},
      {"enableServiceLinks", false},
      {"securityContext", pod_security_context(cluster, without_fs_group)},
      {"containers", Value::array({container(cluster)})},
      {"volumes",
       Value::array(
           {Value::object(
                {{"name", "data"}, {"persistentVolumeClaim", Value::object({{"claimName", claim}})}}),
            Value::object({{"name", "scratch"}, {"emptyDir", Value::object({{"sizeLimit", "64Mi"}})}})})},
  });
  set_placement(cluster, spec);
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Pod"},
                        {"metadata", metadata(cluster, name)},
                        {"spec", std::move(spec)}});
}

}  // namespace truenas::cnpg
