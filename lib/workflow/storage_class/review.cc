#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/storage/class_wanted.h"
#include "lib/workflow/storage_class/queries.h"
#include "lib/workflow/storage_class_review.h"

namespace truenas::workflow {
namespace {

using Notes = std::vector<std::string>;

std::optional<storage::SharePromise> share_of(const storage::StorageClass& one) {
  const auto protocol = one.parameters.find("protocol");
  const bool nfs = protocol == one.parameters.end() || lower(protocol->second) == "nfs";
  if (one.provisioner != storage::k_truenas_driver || !nfs) return std::nullopt;
  return storage::promised_share(one.parameters);
}

void note_defaults(const StorageClassReview& review, Notes& notes) {
  const auto& defaults = review.surroundings.default_classes;
  if (defaults.size() > 1) {
    notes.push_back(
        fmt::format("{} storage classes are marked as default: {}; a claim without storageClassName gets "
                    "the newest of them",
                    defaults.size(), join(defaults, ", ")));
  } else if (defaults.size() == 1 && review.name != defaults[0]) {
    notes.push_back(fmt::format("the default class is {}", defaults[0]));
  }
  if (!review.surroundings.unknown.empty()) {
    notes.push_back("unknown which classes are default: " + review.surroundings.unknown);
  }
  if (!review.surroundings.old_class_exists && review.surroundings.unknown.empty() &&
      review.old_class != review.name) {
    notes.push_back(fmt::format("storageclass {} does not exist (any more)", review.old_class));
  }
}

void note_driver(const StorageClassReview& review, Notes& notes) {
  const storage::DriverState& driver = review.surroundings.driver;
  for (const std::string& unknown : driver.unknown) notes.push_back("unknown: " + unknown);
  const bool may_not_look = std::any_of(driver.unknown.begin(), driver.unknown.end(),
                                        [](const std::string& why) { return why.starts_with("csidriver"); });
  if (!driver.installed && !may_not_look) {
    notes.push_back(fmt::format(
        "driver {} is not installed: there is no such CSIDriver; claims would stay Pending", driver.name));
  }
  if (driver.installed && driver.controllers.empty()) {
    notes.push_back(
        fmt::format("no Deployment or StatefulSet seems to run the provisioner of {}: whether volumes can "
                    "be made is not known from here (--probe tries it)",
                    driver.name));
  }
  for (const storage::DriverController& controller : driver.controllers) {
    if (controller.ready > 0) continue;
    notes.push_back(fmt::format("controller {}/{} has no ready Pod: claims would stay Pending", controller.ns,
                                controller.name));
  }
  if (!driver.nodes_without.empty()) {
    notes.push_back(fmt::format("driver {} is not registered on {}: Pods there cannot mount its volumes",
                                driver.name, join(driver.nodes_without, ", ")));
  }
  if (driver.installed) {
    notes.push_back(fmt::format("fsGroupPolicy {}: {}", driver.fs_group_policy,
                                storage::fs_group_meaning(driver.fs_group_policy)));
  }
}

void note_share(const StorageClassReview& review, Notes& notes) {
  const auto& share = review.world.live ? review.live_share : review.wanted_share;
  if (!share) return;
  notes.push_back(fmt::format(
      "{} with {}{}", review.world.live ? "new volumes are shares" : "as wanted, new volumes are shares",
      storage::describe(*share),
      share->same() ? "" : "; which build runs, the class cannot tell: --probe can"));
}

// Labels alone do not say on which of the class's volumes a deletion destroys data.
void note_deletions(const StorageClassReview& review, Notes& notes) {
  const auto deleted = [](const storage::Volume& volume) { return volume.reclaim_policy != "Retain"; };
  const auto& old = review.world.users.old_volumes;
  const auto count = std::count_if(old.begin(), old.end(), deleted);
  if (count > 0) {
    notes.push_back(
        fmt::format("{} of {} of class {} would be destroyed with their claims (reclaim policy Delete)",
                    count, count_of(old.size(), "volume"), review.old_class));
  }
}

}  // namespace

Result<ClassSurroundings> read_surroundings(const kube::Reader& reader, const StorageClassWorld& world,
                                            const ClassOptions& options) {
  ClassSurroundings surroundings;
  const std::string driver = world.live ? world.live->provisioner : options.wanted.text_at("/provisioner");
  TM_TRY_ASSIGN(surroundings.driver, storage::read_driver(reader, driver));
  const auto classes = reader.list(kube::k_storage_class, "");
  if (!classes.ok()) {
    surroundings.unknown = classes.error().what;
    return surroundings;
  }
  for (const json::Value& object : *classes) {
    const auto one = storage::read_storage_class(object, "storageclasses");
    if (!one.ok()) return one.error();
    if (one->is_default) surroundings.default_classes.push_back(one->name);
    if (one->name == options.old_class) surroundings.old_class_exists = true;
  }
  std::sort(surroundings.default_classes.begin(), surroundings.default_classes.end());
  return surroundings;
}

Result<StorageClassReview> review(const StorageClassWorld& world, const ClassSurroundings& surroundings,
                                  const ClassOptions& options) {
  StorageClassReview result;
  result.name = options.name;
  result.old_class = options.old_class;
  result.world = world;
  result.surroundings = surroundings;
  TM_TRY_ASSIGN(result.wanted, storage::read_storage_class(options.wanted, "the wanted class"));
  const ClassGoal goal{result.wanted, storage::Silence::keeps};
  result.differences = differences_of(world, goal);
  result.manifest = document_for(world, goal);
  result.wanted_share = share_of(result.wanted);
  if (world.live) {
    result.kept = storage::kept_fields(*world.live, result.wanted);
    result.owners = kube::gitops_owners(world.live->object);
    result.live_share = share_of(*world.live);
  }
  note_share(result, result.notes);
  const storage::StorageClass& shown = world.live ? *world.live : result.wanted;
  if (shown.provisioner == storage::k_truenas_driver) {
    for (std::string& trap : storage::traps_of(shown.parameters)) result.notes.push_back(std::move(trap));
  }
  note_driver(result, result.notes);
  note_defaults(result, result.notes);
  note_deletions(result, result.notes);
  return result;
}

}  // namespace truenas::workflow
