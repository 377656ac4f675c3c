#include "lib/cnpg/manifest.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::cnpg {
namespace {

std::string scalar(std::string_view text) {
  // Class names are DNS subdomains: plain scalars but for the few that YAML reads as something else.
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.eE+-") != std::string_view::npos &&
                     text != "true" && text != "false" && text != "null" && text != "yes" && text != "no" &&
                     text != "on" && text != "off";
  return plain ? std::string(text) : quote(text);
}

}  // namespace

std::vector<std::string> manifest_lines(const ClusterState& cluster, std::string_view storage_class) {
  std::vector<std::string> lines{"spec:"};
  bool in_tablespaces = false;
  for (const StorageSetting& setting : cluster.storage) {
    std::string indent = "  ";
    if (setting.pointer.starts_with("/spec/tablespaces/")) {
      const std::string entry = setting.pointer.substr(0, setting.pointer.rfind('/'));
      if (!in_tablespaces) lines.emplace_back("  tablespaces:");
      in_tablespaces = true;
      lines.push_back(fmt::format("    - name: {}", scalar(cluster.object.text_at(entry + "/name"))));
      indent = "      ";
    }
    lines.push_back(fmt::format("{}{}:", indent, setting.pointer.substr(setting.pointer.rfind('/') + 1)));
    if (setting.in_pvc_template) {
      lines.push_back(indent + "  pvcTemplate:");
      lines.push_back(fmt::format("{}    storageClassName: {}", indent, scalar(storage_class)));
    } else {
      lines.push_back(fmt::format("{}  storageClass: {}", indent, scalar(storage_class)));
    }
  }
  return lines;
}

std::vector<std::string> manifest_lines_without_fs_group(const ClusterState& cluster) {
  return {"spec:", "  podSecurityContext:",
          fmt::format("    runAsUser: {}", cluster.object.integer_at("/spec/postgresUID", 26)),
          fmt::format("    runAsGroup: {}", cluster.object.integer_at("/spec/postgresGID", 26)),
          "    runAsNonRoot: true"};
}

}  // namespace truenas::cnpg
