#pragma once
// What a StorageClass says, with the difference between a parameter that is empty and one that is absent, and
// the whole document beside it. Pure; it must not judge (class_parameters.h, class_compare.h do).

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::storage {

inline constexpr std::string_view k_default_class_annotation = "storageclass.kubernetes.io/is-default-class";
inline constexpr std::string_view k_last_applied_annotation =
    "kubectl.kubernetes.io/last-applied-configuration";

using Strings = std::map<std::string, std::string>;

struct StorageClass {
  std::string name, uid, resource_version;
  std::string provisioner;
  Strings parameters;                        // by presence: "" is a value
  std::string reclaim_policy, binding_mode;  // as written, or the API's default (Delete, Immediate)
  std::optional<bool> expansion;             // allowVolumeExpansion
  std::optional<std::vector<std::string>> mount_options;  // nullopt: absent
  json::Value topologies;                                 // allowedTopologies; null: absent
  Strings labels, annotations;
  bool is_default = false;  // annotated as a default class, the beta annotation counting too
  bool terminating = false;
  json::Value object;  // whole
};

// `source` names the document in errors. Kind::format where a field has a type that it must not have.
Result<StorageClass> read_storage_class(const json::Value& object, const std::string& source);
// Annotated as a default class; the beta annotation counts too, as in the API server.
bool is_default_class(const json::Value& object);
// The document without what only a server sets (uid, resourceVersion, times, managedFields): fit to be
// created again or applied.
json::Value without_server_fields(json::Value object);

}  // namespace truenas::storage
