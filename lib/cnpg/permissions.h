#pragma once
// What the user must be allowed to do before a Cluster's instances are replaced (facts 8), and which of it
// is missing. It asks the API server about the user's own rights and changes nothing.

#include <string>
#include <string_view>
#include <vector>

#include "lib/kube/permission.h"

namespace truenas::cnpg {

// Everything a rolling run calls, least first. Namespaced ones name `ns`; the others are cluster-wide.
std::vector<kube::Permission> rolling_permissions(std::string_view ns);

// kube::missing_permissions of that list.
Result<std::vector<std::string>> missing_permissions(const kube::Reader& reader, std::string_view ns);

}  // namespace truenas::cnpg
