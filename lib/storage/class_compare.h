#pragma once
// Two StorageClasses side by side: every difference with its consequence, which of them no update can change,
// and the document that makes one into the other. Pure; what is done about it is lib/workflow's.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/storage/class_document.h"

namespace truenas::storage {

struct Difference {
  std::string field;                        // "parameters.nfs.mapAllUser", "reclaimPolicy"
  std::optional<std::string> live, wanted;  // nullopt: absent, which is not the same as ""
  bool immutable = false;                   // the API server refuses to change it in place
  std::string consequence;                  // one sentence without a full stop
};

// What a class that does not speak of a field asks for.
enum class Silence {
  keeps,    // mount options, topologies, expansion, labels and annotations may stay as they are
  is_none,  // the same fields must be absent (labels and annotations may stay): a class is put back as it was
};

// In the order: provisioner, parameters by key, policies, mutable fields, labels, annotations. A parameter is
// compared by presence and value; allowVolumeExpansion absent and false, and mountOptions absent and empty,
// are the same.
std::vector<Difference> compare_classes(const StorageClass& live, const StorageClass& wanted,
                                        Silence silence = Silence::keeps);
bool has_immutable(const std::vector<Difference>& differences);
// Fields of `live` that `wanted` does not speak of and that stay ("mountOptions", "label a", …).
std::vector<std::string> kept_fields(const StorageClass& live, const StorageClass& wanted);

// The document to apply or create: `wanted`, with what it does not speak of taken from `live` (null:
// nothing). The last-applied annotation, which describes another object, is left out, unless a class is made
// again as it was (null and is_none).
json::Value desired_class(const StorageClass* live, const StorageClass& wanted,
                          Silence silence = Silence::keeps);
// The same for a class under another name: only mountOptions, allowedTopologies and allowVolumeExpansion are
// taken from `model`; labels and annotations would make it its owner's.
json::Value class_beside(const StorageClass* model, const json::Value& wanted, std::string_view name);

// The managers, other than `own`, that the object's managedFields name for the mutable fields of
// `differences`: whose server-side apply conflicts with ours.
std::vector<std::string> other_managers(const StorageClass& live, const std::vector<Difference>& differences,
                                        std::string_view own);

}  // namespace truenas::storage
