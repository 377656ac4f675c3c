#include "lib/report/storage_class_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/report/table.h"

namespace truenas::report {
namespace {

using workflow::StorageClassReview;

std::string shown(const std::optional<std::string>& value) {
  return value ? quote(*value) : "(absent)";
}

std::string owners_of(const StorageClassReview& review) {
  std::vector<std::string> names;
  for (const kube::GitOpsOwner& owner : review.owners) {
    names.push_back(owner.name.empty() ? owner.tool : owner.tool + " " + owner.name);
  }
  return join(names, ", ");
}

std::string class_table(const StorageClassReview& review, bool wide, bool headers) {
  Table table{{"STORAGECLASS", "PROVISIONER", "RECLAIM", "BINDING", "EXPANSION", "DEFAULT", "CLAIMS",
               "VOLUMES", "OWNER"},
              {}};
  if (wide) table.headers.insert(table.headers.end(), {"MOUNT OPTIONS", "UID"});
  if (!review.world.live) {
    table.rows.push_back({review.name, "(absent)"});
    table.rows.back().resize(table.headers.size());
    return render(table, headers);
  }
  const storage::StorageClass& live = *review.world.live;
  table.rows.push_back({live.name, live.provisioner, live.reclaim_policy, live.binding_mode,
                        live.expansion.value_or(false) ? "true" : "false", live.is_default ? "yes" : "no",
                        std::to_string(review.world.users.claims.size()),
                        std::to_string(review.world.users.volumes.size()), owners_of(review)});
  if (wide) {
    table.rows.back().push_back(live.mount_options ? join(*live.mount_options, ",") : "");
    table.rows.back().push_back(live.uid);
  }
  return render(table, headers);
}

std::string differences_table(const StorageClassReview& review, bool headers) {
  Table table{{"FIELD", "LIVE", "WANTED", "TO CHANGE", "WHAT IT MEANS"}, {}};
  for (const storage::Difference& difference : review.differences) {
    table.rows.push_back({difference.field, shown(difference.live), shown(difference.wanted),
                          difference.immutable ? "delete and create" : "in place", difference.consequence});
  }
  return table.rows.empty() ? "" : render(table, headers);
}

std::string driver_table(const StorageClassReview& review, bool headers) {
  const storage::DriverState& driver = review.surroundings.driver;
  Table table{{"DRIVER", "INSTALLED", "CONTROLLER", "NODES", "FSGROUP POLICY", "ATTACH"}, {}};
  std::vector<std::string> controllers;
  for (const storage::DriverController& controller : driver.controllers) {
    controllers.push_back(
        fmt::format("{}/{} {}/{}", controller.ns, controller.name, controller.ready, controller.wanted));
  }
  const std::string nodes =
      driver.knows_nodes
          ? fmt::format("{}/{}", driver.nodes.size() - driver.nodes_without.size(), driver.nodes.size())
          : "(unknown)";
  table.rows.push_back({driver.name, driver.installed ? "yes" : "NO",
                        controllers.empty() ? "(unknown)" : join(controllers, ", "), nodes,
                        driver.fs_group_policy, driver.attach_required ? "yes" : "no"});
  return render(table, headers);
}

// Claims with their volumes, then volumes whose claim is not of the class (or gone), all by namespace.
std::string users_table(const StorageClassReview& review, bool headers) {
  Table table{{"NAMESPACE", "DEPENDS ON IT", "VOLUME", "SIZE", "RECLAIM", "PHASE"}, {}};
  std::map<std::string, const storage::Volume*> volumes;
  for (const storage::Volume& volume : review.world.users.volumes) volumes[volume.name] = &volume;
  std::set<std::string> told;
  for (const storage::Claim& claim : review.world.users.claims) {
    const auto found = volumes.find(claim.volume);
    if (found != volumes.end()) told.insert(claim.volume);
    table.rows.push_back({claim.ns, "claim " + claim.name, claim.volume, claim.size,
                          found == volumes.end() ? "" : found->second->reclaim_policy, claim.phase});
  }
  for (const storage::Volume& volume : review.world.users.volumes) {
    if (told.contains(volume.name)) continue;
    table.rows.push_back({volume.claim_ns, "volume " + volume.name, volume.name, format_bytes(volume.bytes),
                          volume.reclaim_policy, volume.phase});
  }
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [](const auto& a, const auto& b) { return a[0] < b[0]; });
  return table.rows.empty() ? "" : render(table, headers);
}

std::string old_volumes_table(const StorageClassReview& review, bool headers) {
  Table table{{"NAMESPACE", "VOLUME OF " + review.old_class, "CLAIM", "SIZE", "RECLAIM", "PHASE"}, {}};
  for (const storage::Volume& volume : review.world.users.old_volumes) {
    table.rows.push_back({volume.claim_ns, volume.name, volume.claim_name, format_bytes(volume.bytes),
                          volume.reclaim_policy, volume.phase});
  }
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [](const auto& a, const auto& b) { return a[0] < b[0]; });
  return table.rows.empty() ? "" : render(table, headers);
}

}  // namespace

std::string render_class_review(const StorageClassReview& review, bool wide, bool headers) {
  std::string text;
  for (const std::string& part :
       {class_table(review, wide, headers), differences_table(review, headers), driver_table(review, headers),
        users_table(review, headers), old_volumes_table(review, headers)}) {
    if (part.empty()) continue;
    if (!text.empty()) text += "\n";
    text += part;
  }
  std::vector<std::string> notes = review.notes;
  if (!review.kept.empty() && !review.differences.empty()) {
    notes.push_back("stays as it is, as the wanted class does not speak of it: " + join(review.kept, ", "));
  }
  if (!notes.empty()) text += "\n";
  for (const std::string& note : notes) text += "- " + printable(note) + "\n";
  return text;
}

std::string class_review_summary(const StorageClassReview& review) {
  if (!review.world.live) return fmt::format("storageclass {} does not exist", review.name);
  if (review.differences.empty()) return fmt::format("storageclass {} is as wanted", review.name);
  const auto immutable =
      std::count_if(review.differences.begin(), review.differences.end(),
                    [](const storage::Difference& difference) { return difference.immutable; });
  return fmt::format("storageclass {} differs from the wanted one in {}, {} of them immutable", review.name,
                     count_of(review.differences.size(), "field"), immutable);
}

}  // namespace truenas::report
