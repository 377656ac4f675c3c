#include "lib/cnpg/gitops.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/kube/resource.h"

namespace truenas::cnpg {
namespace {

using json::Value;

struct Mark {
  std::string key, value;
  bool annotation = false;
  explicit operator bool() const { return !value.empty(); }
  std::string evidence() const {
    return fmt::format("{} {}={}", annotation ? "annotation" : "label", key, printable(value));
  }
};

Mark find_mark(const Value& object, std::string_view key) {
  const std::string& annotation = kube::annotation_of(object, key);
  if (!annotation.empty()) return {std::string(key), annotation, true};
  return {std::string(key), kube::label_of(object, key), false};
}

// "app:group/kind:namespace/name" (Argo CD's annotation tracking); true if it names this very object.
bool tracks(const Value& object, std::string_view tracking_id) {
  const std::vector<std::string> parts = split(tracking_id, ':');
  if (parts.size() < 3) return false;
  const kube::Identity identity = kube::identity_of(object);
  return parts[parts.size() - 2] == "postgresql.cnpg.io/Cluster" &&
         parts[parts.size() - 1] == identity.ns + "/" + identity.name;
}

void find_argo(const Value& object, std::vector<GitOpsOwner>& owners) {
  const Mark tracking = find_mark(object, "argocd.argoproj.io/tracking-id");
  const Mark instance = find_mark(object, "argocd.argoproj.io/instance");
  std::string name;
  if (tracking && tracks(object, tracking.value)) {
    name = split(tracking.value, ':').front();
    owners.push_back({"Argo CD", name, tracking.evidence()});
  } else if (instance) {
    name = instance.value;
    owners.push_back({"Argo CD", name, instance.evidence()});
  } else {
    return;
  }
  owners.back().pause = fmt::format("argocd app get {}", name);
}

void find_flux(const Value& object, std::vector<GitOpsOwner>& owners) {
  for (const auto& [prefix, kind] : {std::pair{"kustomize.toolkit.fluxcd.io", "kustomization"},
                                     {"helm.toolkit.fluxcd.io", "helmrelease"}}) {
    const Mark name = find_mark(object, fmt::format("{}/name", prefix));
    if (!name) continue;
    const Mark ns = find_mark(object, fmt::format("{}/namespace", prefix));
    const std::string where = ns ? ns.value + "/" + name.value : name.value;
    owners.push_back({"Flux", fmt::format("{} {}", kind, where), name.evidence()});
    owners.back().pause = fmt::format("flux suspend {} {}{}", kind, name.value, ns ? " -n " + ns.value : "");
  }
}

// Rancher's "objectset" marks are Fleet's, but k3s uses them too and says so in owner-gvk.
void find_objectset(const Value& object, std::vector<GitOpsOwner>& owners) {
  const Mark bundle = find_mark(object, "fleet.cattle.io/bundle-id");
  const Mark set = find_mark(object, "objectset.rio.cattle.io/id");
  const Mark hash = find_mark(object, "objectset.rio.cattle.io/hash");
  const Mark gvk = find_mark(object, "objectset.rio.cattle.io/owner-gvk");
  const Mark owner_name = find_mark(object, "objectset.rio.cattle.io/owner-name");
  if (contains(gvk.value, "k3s.cattle.io")) {
    owners.push_back({"k3s", owner_name.value, gvk.evidence()});
    owners.back().pause = "change the file in the server's manifests directory";
    return;
  }
  const Mark& proof = bundle ? bundle : set ? set : hash;
  if (!proof) return;
  owners.push_back({"Fleet",
                    bundle       ? bundle.value
                    : owner_name ? owner_name.value
                                 : set.value,
                    proof.evidence()});
  owners.back().pause = "kubectl get bundledeployments -A";
}

void find_helm(const Value& object, std::vector<GitOpsOwner>& owners) {
  const Mark release = find_mark(object, "meta.helm.sh/release-name");
  if (!release) return;
  // A release that Fleet, Flux or Argo CD drives is theirs.
  if (!owners.empty()) return;
  const Mark ns = find_mark(object, "meta.helm.sh/release-namespace");
  owners.push_back({"Helm", ns ? ns.value + "/" + release.value : release.value, release.evidence(), false});
  owners.back().pause = fmt::format("helm get values {}{}", release.value, ns ? " -n " + ns.value : "");
}

// Server-side apply and updates leave the writer's name: proof for tools that were told to leave no label.
void find_field_managers(const Value& object, std::vector<GitOpsOwner>& owners) {
  if (!owners.empty()) return;
  for (const Value& entry : object.items_at("/metadata/managedFields")) {
    const std::string& manager = entry.text_at("/manager");
    if (entry.at("/fieldsV1/f:spec") == nullptr) continue;
    std::string tool;
    if (manager == "argocd-controller" || manager == "argocd-application-controller") tool = "Argo CD";
    if (manager == "kustomize-controller" || manager == "helm-controller") tool = "Flux";
    if (manager == "fleetagent" || manager == "fleet-agent") tool = "Fleet";
    if (tool.empty()) continue;
    owners.push_back({tool, "", fmt::format("field manager {} of the spec", manager)});
    return;
  }
}

void find_controller(const Value& object, std::vector<GitOpsOwner>& owners) {
  for (const Value& owner : object.items_at("/metadata/ownerReferences")) {
    if (!owner.boolean_at("/controller")) continue;
    const std::string name =
        fmt::format("{} {}", lower(owner.text_at("/kind")), printable(owner.text_at("/name")));
    owners.push_back({"a controller", name, "controller ownerReference " + name});
  }
}

std::string scalar(std::string_view text) {
  // Class names are DNS subdomains: plain scalars but for the few that YAML reads as something else.
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.eE+-") != std::string_view::npos &&
                     text != "true" && text != "false" && text != "null" && text != "yes" && text != "no" &&
                     text != "on" && text != "off";
  return plain ? std::string(text) : quote(text);
}

}  // namespace

std::vector<GitOpsOwner> gitops_owners(const Value& cluster) {
  std::vector<GitOpsOwner> owners;
  find_argo(cluster, owners);
  find_flux(cluster, owners);
  find_objectset(cluster, owners);
  find_helm(cluster, owners);
  find_field_managers(cluster, owners);
  find_controller(cluster, owners);
  return owners;
}

std::vector<std::string> manifest_lines(const ClusterState& cluster, std::string_view storage_class) {
  std::vector<std::string> lines{"spec:"};
  bool in_tablespaces = false;
  for (const StorageSetting& setting : cluster.storage) {
    std::string indent = "  ";
    if (setting.pointer.starts_with("/spec/tablespaces/")) {
      const std::string entry = setting.pointer.substr(0, setting.pointer.rfind('/'));
      if (!in_tablespaces) lines.emplace_back("  tablespaces:");
      in_tablespaces = true;
      lines.push_back(fmt::format("    - name: {}", scalar(cluster.object.text_at(entry + "/name"))));
      indent = "      ";
    }
    lines.push_back(fmt::format("{}{}:", indent, setting.pointer.substr(setting.pointer.rfind('/') + 1)));
    if (setting.in_pvc_template) {
      lines.push_back(indent + "  pvcTemplate:");
      lines.push_back(fmt::format("{}    storageClassName: {}", indent, scalar(storage_class)));
    } else {
      lines.push_back(fmt::format("{}  storageClass: {}", indent, scalar(storage_class)));
    }
  }
  return lines;
}

std::vector<std::string> manifest_lines_without_fs_group(const ClusterState& cluster) {
  return {"spec:", "  podSecurityContext:",
          fmt::format("    runAsUser: {}", cluster.object.integer_at("/spec/postgresUID", 26)),
          fmt::format("    runAsGroup: {}", cluster.object.integer_at("/spec/postgresGID", 26)),
          "    runAsNonRoot: true"};
}

}  // namespace truenas::cnpg
