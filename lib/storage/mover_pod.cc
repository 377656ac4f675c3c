#include "lib/storage/mover_pod.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/storage/volume.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::string_view k_program = "volume-mover";

Value labels_of(std::string_view component) {
  return Value::object(
      {{std::string(k_managed_by_label), k_managed_by_value}, {"app.kubernetes.io/component", component}});
}

Value quantities(const Resources& resources) {
  Value quantities = Value::object();
  for (const auto& [resource, quantity] : resources) quantities.set(resource, quantity);
  return quantities;
}

Value container_of(const MoverPod& pod) {
  Value command = Value::array({fmt::format("/mover/{}", k_program)});
  Value arguments = Value::array();
  for (const std::string& argument : pod.arguments) arguments.push_back(argument);
  Value mounts =
      Value::array({Value::object({{"name", "mover"}, {"mountPath", "/mover"}, {"readOnly", true}})});
  for (std::size_t i = 0; i < pod.mounts.size(); ++i) {
    Value mount = Value::object({{"name", fmt::format("volume-{}", i)}, {"mountPath", pod.mounts[i].path}});
    if (pod.mounts[i].read_only) mount.set("readOnly", true);
    mounts.push_back(std::move(mount));
  }
  Value security = Value::object({{"allowPrivilegeEscalation", false}, {"readOnlyRootFilesystem", true}});
  security.set("capabilities", Value::object({{"drop", Value::array({"ALL"})},
                                              {"add", Value::array({"CHOWN", "DAC_OVERRIDE", "FOWNER",
                                                                    "FSETID", "SETGID", "SETUID"})}}));
  return Value::object({{"name", "mover"},
                        {"image", pod.image},
                        {"imagePullPolicy", "IfNotPresent"},
                        {"command", std::move(command)},
                        {"args", std::move(arguments)},
                        {"resources", Value::object({{"requests", quantities(pod.requests)},
                                                     {"limits", quantities(pod.limits)}})},
                        {"securityContext", std::move(security)},
                        {"volumeMounts", std::move(mounts)}});
}

Value volumes_of(const MoverPod& pod) {
  Value program = Value::object({{"name", pod.config}, {"defaultMode", 0555}});
  Value volumes = Value::array({Value::object({{"name", "mover"}, {"configMap", std::move(program)}})});
  for (std::size_t i = 0; i < pod.mounts.size(); ++i) {
    Value claim = Value::object({{"claimName", pod.mounts[i].claim}});
    if (pod.mounts[i].read_only) claim.set("readOnly", true);
    volumes.push_back(
        Value::object({{"name", fmt::format("volume-{}", i)}, {"persistentVolumeClaim", std::move(claim)}}));
  }
  return volumes;
}

// By name: a field selector takes exactly one, so a term each.
Value affinity_to(const std::vector<std::string>& nodes) {
  Value terms = Value::array();
  for (const std::string& node : nodes) {
    const Value field =
        Value::object({{"key", "metadata.name"}, {"operator", "In"}, {"values", Value::array({node})}});
    terms.push_back(Value::object({{"matchFields", Value::array({field})}}));
  }
  Value affinity = Value::object();
  affinity.set_at("/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
                  std::move(terms));
  return affinity;
}

Value spec_of(const MoverPod& pod) {
  Value selector = Value::object({{"kubernetes.io/arch", pod.architecture}, {"kubernetes.io/os", "linux"}});
  for (const auto& [key, value] : pod.node_selector) selector.set(key, value);
  Value spec = Value::object({{"restartPolicy", "Never"},
                              {"automountServiceAccountToken", false},
                              {"enableServiceLinks", false},
                              {"terminationGracePeriodSeconds", 60},
                              {"nodeSelector", std::move(selector)}});
  if (!pod.nodes.empty()) spec.set("affinity", affinity_to(pod.nodes));
  if (!pod.tolerations.empty()) spec.set("tolerations", Value(pod.tolerations));
  if (!pod.image_pull_secret.empty()) {
    spec.set("imagePullSecrets", Value::array({Value::object({{"name", pod.image_pull_secret}})}));
  }
  if (pod.deadline_seconds > 0) spec.set("activeDeadlineSeconds", pod.deadline_seconds);
  Value security = Value::object({{"runAsUser", 0}, {"runAsGroup", 0}});
  security.set("seccompProfile", Value::object({{"type", "RuntimeDefault"}}));
  spec.set("securityContext", std::move(security));
  spec.set("containers", Value::array({container_of(pod)}));
  spec.set("volumes", volumes_of(pod));
  return spec;
}

}  // namespace

std::string mover_config_name(std::string_view architecture, std::string_view program) {
  return fmt::format("truenas-migrate-mover-{}-{}", architecture, sha256_hex(program).substr(0, 12));
}

Value mover_config_map(std::string_view ns, std::string_view architecture, std::string_view program) {
  Value metadata = Value::object({{"name", mover_config_name(architecture, program)},
                                  {"namespace", ns},
                                  {"labels", labels_of("mover")}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", std::move(metadata)},
                        {"immutable", true},
                        {"binaryData", Value::object({{std::string(k_program), base64_encode(program)}})}});
}

Value mover_pod(const MoverPod& pod) {
  Value labels = labels_of("mover");
  labels.set(k_mover_run_label, pod.run);
  labels.set(k_mover_config_label, pod.config);
  Value metadata = Value::object({{"name", pod.name}, {"namespace", pod.ns}, {"labels", std::move(labels)}});
  metadata.set("annotations", Value::object({{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"}}));
  return Value::object(
      {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", spec_of(pod)}});
}

}  // namespace truenas::storage
