#pragma once
// Who else writes an object: Fleet, Argo CD, Flux, Helm, k3s, a controlling owner. Pure: it reads marks
// that those tools leave in the object and does not ask them. What such an owner means for a plan is decided
// elsewhere.

#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"

namespace truenas::kube {

struct GitOpsOwner {
  std::string tool;      // "Argo CD", "Flux", "Fleet", "Helm", "k3s", "a controller"
  std::string name;      // the application, kustomization, release or bundle, as far as the mark says
  std::string evidence;  // "annotation argocd.argoproj.io/tracking-id=…"
  // It compares and puts back by itself; false: it does so at its next upgrade only (plain Helm).
  bool reverts = true;
  std::string pause;  // a command that shows or suspends it, "" where none is known
};

// The owners that the object's own marks prove; it needs apiVersion and kind. app.kubernetes.io/instance
// alone is no proof: charts and people set it too. A mark copied from another object (an Argo CD tracking-id
// naming something else) is none either.
std::vector<GitOpsOwner> gitops_owners(const json::Value& object);

}  // namespace truenas::kube
