// What a probe's finding means. Pure.

#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "lib/workflow/class_probe.h"

namespace truenas::workflow {
namespace {

constexpr std::array k_rows = {
    kube::PermissionRow{"get list create delete", "", "persistentvolumeclaims", "", true,
                        "for the probe's throw-away claims (--probe)"},
    kube::PermissionRow{"get list create delete", "", "pods", "", true, "to run the mover's probe (--probe)"},
    kube::PermissionRow{"get", "", "pods", "log", true, "to read what the probe found (--probe)"},
    kube::PermissionRow{"list", "", "events", "", true, "to say why something waits (--probe)"},
    kube::PermissionRow{"delete", "", "configmaps", "", true, "to remove the mover's program (--probe)"},
    kube::PermissionRow{"patch", "", "persistentvolumes", "", false,
                        "to let the probe's own volume go where the class keeps its volumes (--probe)"},
};

bool private_root(const std::string& mode) {
  return mode.size() < 2 || (mode.back() != '7' && mode.back() != '3');
}

std::string fs_group_advice(const ClassFinding& finding, const std::string& policy) {
  if (policy == "None") return "fsGroup has no effect: the driver's fsGroupPolicy is None";
  const bool squashed = finding.verdict.starts_with("root_squash") || finding.verdict.starts_with("private");
  if (squashed) {
    return "Pods with fsGroup will fail to mount as soon as a directory is private to its owner: leave "
           "fsGroup out";
  }
  if (finding.verdict.starts_with("all_squash")) {
    return "fsGroup changes nothing for good: every file belongs to the one that everybody is mapped to";
  }
  if (private_root(finding.fact("directory_mode"))) {
    return fmt::format(
        "fsGroup is required for Pods that are not root: the root directory is {} and only its owner may "
        "write",
        finding.fact("directory_mode"));
  }
  return "fsGroup is applied as on a local disk; it is not needed to write";
}

// "all_squash(root)" against "all_squash to root:wheel".
bool fits(const std::string& verdict, const std::string& promise) {
  const auto rule = [](const std::string& text) { return text.substr(0, text.find_first_of(" (")); };
  if (verdict.starts_with("private")) return promise == "root_squash";
  return rule(verdict) == rule(promise);
}

std::string build_advice(const ClassFinding& finding, const storage::SharePromise& promise) {
  const bool fork = fits(finding.verdict, promise.fork), upstream = fits(finding.verdict, promise.upstream);
  if (fork && upstream)
    return fmt::format("as the class's parameters promise: {}", storage::describe(promise));
  if (fork)
    return fmt::format("the fork build of the driver runs: {} is what it makes of the parameters",
                       promise.fork);
  if (upstream) {
    return fmt::format(
        "an upstream build of the driver runs, which ignores some of the parameters without a word: {}",
        promise.upstream);
  }
  return fmt::format(
      "not what the class's parameters promise ({}): the share has other options, or the class was changed "
      "since",
      storage::describe(promise));
}

}  // namespace

std::string ClassFinding::fact(const std::string& key) const {
  const auto found = facts.find(key);
  return found == facts.end() ? "" : found->second;
}

std::vector<std::string> probe_advice(const ClassFinding& finding, const std::string& fs_group_policy,
                                      const std::optional<storage::SharePromise>& promise) {
  if (!finding.failed.empty()) return {};
  std::vector<std::string> advice;
  if (promise) advice.push_back(build_advice(finding, *promise));
  advice.push_back(fs_group_advice(finding, fs_group_policy));
  return advice;
}

std::vector<kube::Permission> probe_permissions(std::string_view ns) {
  return kube::permissions(k_rows, ns);
}

std::string probe_claim_name(const ProbeRequest& request, std::size_t index) {
  return fmt::format("truenas-migrate-probe-{}-{}", request.run, index);
}

json::Value probe_claim(const ProbeRequest& request, std::size_t index) {
  using json::Value;
  Value labels = Value::object({{std::string(storage::k_managed_by_label), storage::k_managed_by_value},
                                {"app.kubernetes.io/component", "probe"},
                                {std::string(storage::k_mover_run_label), request.run}});
  Value claim = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}});
  claim.set("metadata", Value::object({{"name", probe_claim_name(request, index)},
                                       {"namespace", request.ns},
                                       {"labels", std::move(labels)}}));
  claim.set("spec",
            Value::object(
                {{"accessModes", Value::array({"ReadWriteOnce"})},
                 {"storageClassName", request.classes[index]},
                 {"resources", Value::object({{"requests", Value::object({{"storage", request.size}})}})}}));
  return claim;
}

}  // namespace truenas::workflow
