#include "tests/fakes/claim_admission.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "tests/fakes/objects.h"
#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

constexpr std::string_view k_request = "/spec/resources/requests/storage";

}  // namespace

void set_default_class(const Store& store, json::Value& claim) {
  if (claim.at("/spec/storageClassName") != nullptr) return;
  for (const json::Value* one : store.list("storage.k8s.io", "storageclasses")) {
    if (one->text_at("/metadata/annotations/storageclass.kubernetes.io~1is-default-class") == "true") {
      claim.set_at("/spec/storageClassName", name_of(*one));
    }
  }
}

std::optional<http::Response> refuse_growth(const Store& store, const json::Value& before,
                                            const json::Value& after) {
  const auto had = parse_quantity(before.text_at(k_request)),
             wants = parse_quantity(after.text_at(k_request));
  if (!had.ok() || !wants.ok() || *wants <= *had) return std::nullopt;
  const json::Value* storage_class =
      store.find(key_of(kube::k_storage_class, "", before.text_at("/spec/storageClassName")));
  if (storage_class != nullptr && storage_class->boolean_at("/allowVolumeExpansion")) return std::nullopt;
  return failure(
      403, "Forbidden",
      fmt::format("persistentvolumeclaims \"{}\" is forbidden: only dynamically provisioned pvc can be "
                  "resized and the storageclass that provisions the pvc must support resize",
                  name_of(before)),
      "", "persistentvolumeclaims", name_of(before));
}

}  // namespace truenas::fakes
