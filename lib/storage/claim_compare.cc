// Whether a claim is the one that we would have created (claim_swap.h).

#include <fmt/format.h>

#include <set>

#include "lib/base/quantity.h"
#include "lib/kube/resource.h"
#include "lib/storage/claim_swap.h"

namespace truenas::storage {
namespace {

using json::Value;

std::string shown(const Value* value) {
  return value == nullptr ? "" : json::write(*value);
}

// "10Gi" == "10240Mi"; anything else as JSON. Objects of quantities ({requests, limits}) go down a level.
bool same_quantities(const Value& a, const Value& b) {
  if (a.is_object() && b.is_object()) {
    if (a.members().size() != b.members().size()) return false;
    for (const auto& [key, value] : a.members()) {
      const Value* other = b.find(key);
      if (other == nullptr || !same_quantities(value, *other)) return false;
    }
    return true;
  }
  if (a == b) return true;
  const auto left = parse_quantity(a.text()), right = parse_quantity(b.text());
  return left.ok() && right.ok() && *left == *right;
}

// What a claim says by saying nothing.
const Value* with_default(const Value* value, std::string_view field) {
  static const Value filesystem = "Filesystem";
  return value == nullptr && field == "volumeMode" ? &filesystem : value;
}

bool same_setting(const Value* expected, const Value* found, std::string_view field) {
  expected = with_default(expected, field), found = with_default(found, field);
  if (expected == nullptr || found == nullptr) return expected == found;
  return field == "resources" ? same_quantities(*expected, *found) : *expected == *found;
}

std::set<std::string> keys_of(const Value& a, const Value& b, std::string_view pointer) {
  std::set<std::string> keys;
  for (const auto& [key, value] : a.members_at(pointer)) keys.insert(key);
  for (const auto& [key, value] : b.members_at(pointer)) keys.insert(key);
  return keys;
}

const Value* member(const Value& object, std::string_view pointer, const std::string& key) {
  const Value* parent = object.at(pointer);
  return parent == nullptr ? nullptr : parent->find(key);
}

class Comparison {
 public:
  Comparison(const Value& expected, const Value& found) : expected_(expected), found_(found) {}

  std::vector<ClaimDifference> run() {
    for (const char* field : {"name", "namespace", "generateName"}) {
      compare("metadata." + std::string(field), member(expected_, "/metadata", field),
              member(found_, "/metadata", field));
    }
    names("label", "/metadata/labels");
    names("annotation", "/metadata/annotations");
    for (const std::string& key : keys_of(expected_, found_, "/spec")) {
      const Value *wanted = member(expected_, "/spec", key), *seen = member(found_, "/spec", key);
      if (!same_setting(wanted, seen, key)) add("spec." + key, wanted, seen);
    }
    server_side();
    return std::move(differences_);
  }

 private:
  void add(std::string field, const Value* wanted, const Value* seen, bool harmless = false) {
    differences_.push_back({std::move(field), shown(wanted), shown(seen), harmless});
  }
  void compare(std::string field, const Value* wanted, const Value* seen) {
    if (wanted == nullptr && seen == nullptr) return;
    if (wanted == nullptr || seen == nullptr || *wanted != *seen) add(std::move(field), wanted, seen);
  }
  void names(const std::string& what, std::string_view pointer) {
    for (const std::string& key : keys_of(expected_, found_, pointer)) {
      if (what == "annotation" && is_stripped_annotation(key)) continue;
      const Value *wanted = member(expected_, pointer, key), *seen = member(found_, pointer, key);
      if (wanted != nullptr && seen != nullptr && *wanted == *seen) continue;
      add(what + " " + key, wanted, seen, wanted == nullptr);
    }
  }
  // What only a claim of the cluster has, and ours would not.
  void server_side() {
    if (const Value* since = found_.at("/metadata/deletionTimestamp")) {
      add("metadata.deletionTimestamp", nullptr, since);
    }
    for (const Value& finalizer : found_.items_at("/metadata/finalizers")) {
      if (finalizer.text() != "kubernetes.io/pvc-protection") add("finalizer", nullptr, &finalizer);
    }
    for (const Value& owner : found_.items_at("/metadata/ownerReferences")) add("owner", nullptr, &owner);
    // The legacy annotation wins over spec.storageClassName wherever it is read.
    constexpr std::string_view k_legacy = "volume.beta.kubernetes.io/storage-class";
    const std::string& legacy = kube::annotation_of(found_, k_legacy);
    if (!legacy.empty() && legacy != expected_.text_at("/spec/storageClassName")) {
      const Value seen = legacy;
      add("annotation " + std::string(k_legacy), expected_.at("/spec/storageClassName"), &seen);
    }
  }

  const Value& expected_;
  const Value& found_;
  std::vector<ClaimDifference> differences_;
};

}  // namespace

std::string describe(const ClaimDifference& difference) {
  if (difference.expected.empty()) {
    return fmt::format("{} is {} and should not be there", difference.field, difference.found);
  }
  if (difference.found.empty()) {
    return fmt::format("{} is missing; it should be {}", difference.field, difference.expected);
  }
  return fmt::format("{} is {} instead of {}", difference.field, difference.found, difference.expected);
}

std::vector<ClaimDifference> compare_claims(const Value& expected, const Value& found) {
  return Comparison(expected, found).run();
}

}  // namespace truenas::storage
