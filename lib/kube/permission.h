#pragma once
// Rights that a command needs, as a table, and which of them the user has not got. It asks the API server
// about the user's own rights and changes nothing.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/kube/reader.h"

namespace truenas::kube {

struct Permission {
  AccessQuery query;
  std::string why;  // "so that old volumes are kept"
};

// A row of a command's table: verbs separated by a space, subresource "" for none.
struct PermissionRow {
  std::string_view verbs, group, resource, subresource;
  bool namespaced;
  std::string_view why;
};

// One Permission a verb, in the table's order. Namespaced ones name `ns`; the others are cluster-wide. Pure.
std::vector<Permission> permissions(std::span<const PermissionRow> rows, std::string_view ns);
// How a message names a right: "patch clusters.postgresql.cnpg.io/status in namespace coder". Pure.
std::string describe(const Permission& permission);
// "cannot patch persistentvolumes (cluster-wide): so that old volumes are kept", one line for each right that
// is missing; empty: all there. Kind::auth or unavailable when the question itself is not answered.
Result<std::vector<std::string>> missing_permissions(const Reader& reader,
                                                     const std::vector<Permission>& permissions);

}  // namespace truenas::kube
