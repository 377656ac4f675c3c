#include "lib/storage/claim_swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/kube/resource.h"
#include "lib/storage/volume.h"

namespace truenas::storage {
namespace {

using json::Value;

// The strip list. What the server fills in or owns; generateName is no part of it, for Terraform destroys a
// claim whose generate_name differs.
constexpr std::array k_stripped_metadata = {"uid",          "resourceVersion",   "generation",
                                            "selfLink",     "creationTimestamp", "deletionTimestamp",
                                            "finalizers",   "ownerReferences",   "deletionGracePeriodSeconds",
                                            "managedFields"};
// A claim that names its volume is not populated from anywhere.
constexpr std::array k_stripped_spec = {"dataSource", "dataSourceRef", "volumeAttributesClassName"};
constexpr std::array<std::string_view, 2> k_stripped_annotations = {
    "kubectl.kubernetes.io/last-applied-configuration",  // says the old class
    "control-plane.alpha.kubernetes.io/leader"};         // an old provisioner's lock

constexpr std::string_view k_protection = "kubernetes.io/pvc-protection";
// It and the volume name must be found in a whole document; a list that was asked for some fields only would
// lose the others without a word.
constexpr std::array k_demanded = {"/metadata/name",
                                   "/metadata/namespace",
                                   "/metadata/uid",
                                   "/metadata/creationTimestamp",
                                   "/spec/accessModes/0",
                                   "/status/phase",
                                   "/spec/resources/requests/storage"};

std::string name_of(const Value& claim) {
  const kube::Identity identity = kube::identity_of(claim);
  return kube::describe(kube::k_claim, identity.ns, identity.name);
}

void strip_annotations(Value& claim) {
  Value* annotations = claim.at("/metadata/annotations");
  if (annotations == nullptr) return;
  const auto before = annotations->members();
  for (const auto& [key, value] : before) {
    if (is_stripped_annotation(key)) annotations->remove(key);
  }
  if (annotations->members().empty()) claim.remove_at("/metadata/annotations");
}

Value stripped(const Value& original) {
  Value claim = original;
  claim.remove("status");
  for (const char* field : k_stripped_metadata) claim.remove_at(fmt::format("/metadata/{}", field));
  for (const char* field : k_stripped_spec) claim.remove_at(fmt::format("/spec/{}", field));
  strip_annotations(claim);
  claim.set("apiVersion", kube::api_version(kube::k_claim));
  claim.set("kind", kube::k_claim.kind);
  return claim;
}

Error lost(const Value& original, const std::vector<std::string>& clauses) {
  return make_error(Kind::refused,
                    fmt::format("cannot re-create {} as it is: {}", name_of(original), join(clauses, "; ")));
}

}  // namespace

bool is_stripped_annotation(std::string_view key) {
  if (std::find(k_stripped_annotations.begin(), k_stripped_annotations.end(), key) !=
      k_stripped_annotations.end()) {
    return true;
  }
  const std::string_view host = key.substr(0, key.find('/'));
  if (host.size() == key.size()) return false;
  return host == "pv.kubernetes.io" || host == "truenas-migrate" ||
         (host.starts_with("volume.") && host.ends_with("kubernetes.io"));
}

std::vector<std::string> foreign_finalizers(const Value& claim) {
  std::vector<std::string> foreign;
  for (const Value& finalizer : claim.items_at("/metadata/finalizers")) {
    if (finalizer.text() != k_protection) foreign.push_back(finalizer.text());
  }
  return foreign;
}

std::vector<std::string> lost_by_swap(const Value& original) {
  std::vector<std::string> clauses;
  for (const char* pointer : k_demanded) {
    if (original.text_at(pointer).empty()) clauses.push_back(fmt::format("it has no {}", pointer));
  }
  if (const std::string& since = original.text_at("/metadata/deletionTimestamp"); !since.empty()) {
    clauses.push_back("it is being deleted since " + since);
  }
  for (const std::string& finalizer : foreign_finalizers(original)) {
    clauses.push_back(fmt::format("its finalizer {} would be lost", finalizer));
  }
  for (const Value& owner : original.items_at("/metadata/ownerReferences")) {
    clauses.push_back(
        fmt::format("its owner {} {} would be lost", owner.text_at("/kind"), owner.text_at("/name")));
  }
  if (const std::string& name = original.text_at("/spec/volumeAttributesClassName"); !name.empty()) {
    clauses.push_back(fmt::format("its VolumeAttributesClass {} would be lost", name));
  }
  return clauses;
}

Result<Value> replacement_claim(const Value& original, std::string_view storage_class,
                                std::string_view volume) {
  if (storage_class.empty() || volume.empty()) {
    return make_error(Kind::bug, "a replacement claim needs a class and a volume");
  }
  if (const auto clauses = lost_by_swap(original); !clauses.empty()) return lost(original, clauses);
  Value claim = stripped(original);
  claim.set_at("/spec/storageClassName", storage_class);
  claim.set_at("/spec/volumeName", volume);
  return claim;
}

Result<Value> trial_claim(const Value& original, std::string_view storage_class) {
  const std::string name = temporary_claim_name(original) + "-trial";
  TM_TRY_ASSIGN(Value claim, replacement_claim(original, storage_class, name));
  claim.set_at("/metadata/name", name);
  return claim;
}

std::string temporary_claim_name(const Value& original) {
  const kube::Identity identity = kube::identity_of(original);
  // 16 + 32 + 1 + 8, and 6 for "-trial": at most 63. A dot might come to stand before a dash.
  std::string name = cut_name(identity.name, 32);
  std::replace(name.begin(), name.end(), '.', '-');
  return fmt::format("{}{}-{}", k_temporary_prefix, name,
                     sha256_hex(identity.name + "/" + identity.uid).substr(0, 8));
}

Result<Value> temporary_claim(const Value& original, std::string_view storage_class, std::string_view size) {
  const kube::Identity identity = kube::identity_of(original);
  const Value* modes = original.at("/spec/accessModes");
  if (identity.uid.empty() || identity.name.empty() || identity.ns.empty() || modes == nullptr ||
      modes->items().empty()) {
    return make_error(Kind::refused, fmt::format("cannot make a temporary claim for {}: it lacks a name, "
                                                 "namespace, uid or access mode",
                                                 name_of(original)));
  }
  const Value labels = Value::object({{std::string(k_managed_by_label), k_managed_by_value},
                                      {std::string(k_component_label), k_temporary_claim_value},
                                      {std::string(k_for_uid_label), identity.uid}});
  Value spec =
      Value::object({{"accessModes", *modes},
                     {"storageClassName", storage_class},
                     {"resources", Value::object({{"requests", Value::object({{"storage", size}})}})}});
  if (const Value* mode = original.at("/spec/volumeMode")) spec.set("volumeMode", *mode);
  Value claim = Value::object({{"apiVersion", "v1"}, {"kind", kube::k_claim.kind}});
  claim.set("metadata",
            Value::object({{"name", temporary_claim_name(original)},
                           {"namespace", identity.ns},
                           {"labels", labels},
                           {"annotations", Value::object({{std::string(k_for_claim_annotation),
                                                           identity.ns + "/" + identity.name}})}}));
  claim.set("spec", std::move(spec));
  return claim;
}

std::string temporary_claim_selector(std::string_view original_uid) {
  return fmt::format("{}={},{}={},{}={}", k_managed_by_label, k_managed_by_value, k_component_label,
                     k_temporary_claim_value, k_for_uid_label, original_uid);
}

bool is_temporary_claim_of(const Value& claim, const Value& original) {
  const kube::Identity identity = kube::identity_of(original);
  return !identity.uid.empty() && kube::identity_of(claim).ns == identity.ns &&
         kube::label_of(claim, k_managed_by_label) == k_managed_by_value &&
         kube::label_of(claim, k_component_label) == k_temporary_claim_value &&
         kube::label_of(claim, k_for_uid_label) == identity.uid;
}

}  // namespace truenas::storage
