#pragma once
// The class that is wanted: the runbook's, with settings of the user's, or one from a file, read strictly:
// what a StorageClass cannot have is an error and never ignored. Pure; reading the file is the caller's.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::storage {

inline constexpr std::string_view k_truenas_driver = "csi.truenas.io";

// The class of the runbook "Coder: TrueNAS CSI Migration", under that name.
json::Value runbook_class(std::string_view name);
// Applies "KEY=VALUE" (a parameter, or provisioner, reclaimPolicy, volumeBindingMode, allowVolumeExpansion)
// and "KEY-" (the parameter is absent, which is not the same as empty). Kind::usage, with "did you mean", for
// a parameter that no build of the driver knows and for a value that the field cannot have.
Result<json::Value> with_settings(json::Value object, const std::vector<std::string>& settings);
// One StorageClass document as YAML or JSON; what a server sets is dropped, as from `kubectl get -o yaml`.
// Kind::format naming `source` and the field.
Result<json::Value> parse_class_file(std::string_view text, const std::string& source);

}  // namespace truenas::storage
