#include "lib/kube/permission.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::kube {

std::vector<Permission> permissions(std::span<const PermissionRow> rows, std::string_view ns) {
  std::vector<Permission> permissions;
  for (const PermissionRow& row : rows) {
    for (const std::string& verb : split(row.verbs, ' ')) {
      Permission permission;
      permission.query.verb = verb;
      permission.query.group = row.group;
      permission.query.resource = row.resource;
      permission.query.subresource = row.subresource;
      if (row.namespaced) permission.query.ns = ns;
      permission.why = row.why;
      permissions.push_back(std::move(permission));
    }
  }
  return permissions;
}

std::string describe(const Permission& permission) {
  const AccessQuery& query = permission.query;
  return fmt::format("{} {}{}{}{}{} {}", query.verb, query.resource, query.group.empty() ? "" : ".",
                     query.group, query.subresource.empty() ? "" : "/", query.subresource,
                     query.ns.empty() ? std::string("(cluster-wide)") : "in namespace " + query.ns);
}

Result<std::vector<std::string>> missing_permissions(const Reader& reader,
                                                     const std::vector<Permission>& permissions) {
  std::vector<std::string> missing;
  for (const Permission& permission : permissions) {
    auto allowed = reader.can_i(permission.query);
    if (!allowed) return allowed.error().in("asking whether you may " + describe(permission));
    if (!*allowed) missing.push_back(fmt::format("cannot {}: {}", describe(permission), permission.why));
  }
  return missing;
}

}  // namespace truenas::kube
