#pragma once
// What the user must be allowed to do before a Cluster's instances are replaced (facts 8), and which of it
// is missing. It asks the API server about the user's own rights and changes nothing.

#include <string>
#include <string_view>
#include <vector>

#include "lib/kube/reader.h"

namespace truenas::cnpg {

struct Permission {
  kube::AccessQuery query;
  std::string why;  // "so that old volumes are kept"
};

// Everything a rolling run calls, least first. Namespaced ones name `ns`; the others are cluster-wide.
std::vector<Permission> rolling_permissions(std::string_view ns);

// "cannot patch persistentvolumes (cluster-wide): so that old volumes are kept", one line for each right
// that is missing; empty: all there. Kind::auth or unavailable when the question itself is not answered.
Result<std::vector<std::string>> missing_permissions(const kube::Reader& reader, std::string_view ns);
// The same for any list.
Result<std::vector<std::string>> missing_permissions(const kube::Reader& reader,
                                                     const std::vector<Permission>& permissions);
// How such a line names a right: "patch clusters.postgresql.cnpg.io/status in namespace coder". Pure.
std::string describe(const Permission& permission);

}  // namespace truenas::cnpg
