#include "lib/kube/gitops.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/kube/resource.h"

namespace truenas::kube {
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
  const std::string& annotation = annotation_of(object, key);
  if (!annotation.empty()) return {std::string(key), annotation, true};
  return {std::string(key), label_of(object, key), false};
}

// "app:group/kind:namespace/name" (Argo CD's annotation tracking); true if it names this very object.
bool tracks(const Value& object, std::string_view tracking_id) {
  const std::vector<std::string> parts = split(tracking_id, ':');
  if (parts.size() < 3) return false;
  const Identity identity = identity_of(object);
  const std::string group = object.text_at("/apiVersion").substr(0, object.text_at("/apiVersion").find('/'));
  if (parts[parts.size() - 2] != group + "/" + object.text_at("/kind")) return false;
  const std::string& place = parts[parts.size() - 1];
  // Of a cluster-scoped object it names the application's namespace.
  if (identity.ns.empty()) return place.substr(place.find('/') + 1) == identity.name;
  return place == identity.ns + "/" + identity.name;
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

// More than marks and status: the spec, or what stands beside it in kinds that have none.
bool owns_content(const Value& entry) {
  const auto& fields = entry.members_at("/fieldsV1");
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.first != "f:metadata" && field.first != "f:status";
  });
}

// Server-side apply and updates leave the writer's name: proof for tools that were told to leave no label.
void find_field_managers(const Value& object, std::vector<GitOpsOwner>& owners) {
  if (!owners.empty()) return;
  for (const Value& entry : object.items_at("/metadata/managedFields")) {
    const std::string& manager = entry.text_at("/manager");
    if (!owns_content(entry)) continue;
    std::string tool;
    if (manager == "argocd-controller" || manager == "argocd-application-controller") tool = "Argo CD";
    if (manager == "kustomize-controller" || manager == "helm-controller") tool = "Flux";
    if (manager == "fleetagent" || manager == "fleet-agent") tool = "Fleet";
    if (tool.empty()) continue;
    owners.push_back({tool, "",
                      fmt::format("field manager {} of {}", manager,
                                  entry.at("/fieldsV1/f:spec") != nullptr ? "the spec" : "its fields")});
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

}  // namespace

std::vector<GitOpsOwner> gitops_owners(const Value& object) {
  std::vector<GitOpsOwner> owners;
  find_argo(object, owners);
  find_flux(object, owners);
  find_objectset(object, owners);
  find_helm(object, owners);
  find_field_managers(object, owners);
  find_controller(object, owners);
  return owners;
}

}  // namespace truenas::kube
