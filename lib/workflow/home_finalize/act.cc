// HomeFinalize on a cluster: what is observed, and one effect a step.

#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "lib/storage/volume_patch.h"
#include "lib/workflow/adoption_look.h"
#include "lib/workflow/adoption_probe.h"
#include "lib/workflow/home_finalize.h"
#include "lib/workflow/home_finalize/decide.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/states.h"

namespace truenas::workflow {
namespace {

using engine::Next;
using engine::Step;
using json::Value;
using kube::done;
using kube::PatchKind;
using storage::DatasetUser;
using Volumes = std::map<std::string, storage::Volume>;

constexpr auto k_rows = std::to_array<kube::PermissionRow>({
    {"get", "", "persistentvolumeclaims", "", true, "to see that the home is on its new volume"},
    {"get create patch", "", "configmaps", "", true, "for the journal"},
    {"get create update patch", "coordination.k8s.io", "leases", "", true, "for the lock"},
    {"get list patch delete", "", "persistentvolumes", "", false,
     "so that the old volume is given up, unless another one uses its dataset"},
    {"list", "storage.k8s.io", "volumeattachments", "", false, "so that a volume in use is seen"},
    {"get", "storage.k8s.io", "storageclasses", "", false, "to see the class's reclaim policy"},
});

Result<Volumes> read_volumes(const kube::Reader& reader) {
  kube::ListOptions list;
  list.wanted = storage::volume_fields();
  TM_TRY_ASSIGN(const std::vector<Value> objects, reader.list(kube::k_volume, "", list));
  Volumes volumes;
  for (const Value& object : objects) {
    storage::Volume volume = storage::read_volume(object);
    volumes[volume.name] = std::move(volume);
  }
  return volumes;
}

// `other`: the volume that does not count, if it is still the one with that uid.
std::vector<DatasetUser> users_besides(const Volumes& volumes, const std::string& name,
                                       const RememberedVolume& other) {
  std::vector<DatasetUser> users;
  const auto found = volumes.find(name);
  if (found == volumes.end()) return users;
  for (DatasetUser& user : storage::users_of_dataset(found->second, volumes)) {
    const auto its = volumes.find(user.volume);
    const bool is_other = user.volume == other.name && its != volumes.end() && its->second.uid == other.uid;
    if (!is_other) users.push_back(std::move(user));
  }
  return users;
}

Result<VolumeState> read_state(const kube::Reader& reader, const RememberedVolume& volume) {
  TM_TRY_ASSIGN(const auto object, reader.find(kube::k_volume, "", volume.name));
  if (!object || kube::identity_of(*object).uid != volume.uid) return VolumeState{};
  return volume_state(*object);
}

// Its driver is quick: to be looked at once more.
Error went_meanwhile(const VolumeState& volume) {
  return make_error(Kind::conflict,
                    fmt::format("persistentvolume {} went while it was looked at", volume.name));
}

// An RFC 3339 time of the API server's and of Coder's; both end in Z.
bool is_later(const std::string& time, const std::string& than) {
  const auto a = parse_time(time), b = parse_time(than);
  return a.ok() && b.ok() && *a > *b;
}

}  // namespace

HomeFinalize::HomeFinalize(HomeFinalizeTools tools, FinalizeOptions options)
    : tools_(std::move(tools)), options_(std::move(options)) {}
HomeFinalize::~HomeFinalize() = default;

Result<void> HomeFinalize::look_at_datasets(FinalizeWorld& world) const {
  TM_TRY_ASSIGN(const Volumes volumes, read_volumes(tools_.reader));
  const std::string& old = world.facts.source.name;
  const std::string& home = world.home.name;
  world.adopted = world.facts.same_dataset;
  if (world.old.exists) {
    const auto a = volumes.find(old), b = volumes.find(home);
    // Listed after it was read.
    if (a == volumes.end()) return went_meanwhile(world.old);
    const bool both = a != volumes.end() && b != volumes.end();
    world.adopted = world.adopted || !both ||
                    storage::overlap_of(a->second.location, b->second.location) != storage::Overlap::none;
  }
  world.users_of_old = users_besides(volumes, old, world.facts.target);
  world.users_of_home = users_besides(volumes, home, world.facts.source);
  return {};
}

Result<void> HomeFinalize::look_at_snapshots(FinalizeWorld& world) const {
  if (!options_.delete_data || !world.old.exists) return {};
  TM_TRY_ASSIGN(const auto old, tools_.reader.find(kube::k_volume, "", world.old.name));
  if (!old) return went_meanwhile(world.old);
  world.snapshots = read_snapshots(tools_.reader, *old);
  return {};
}

Result<void> HomeFinalize::look_at_class(FinalizeWorld& world) const {
  world.wanted_policy = world.facts.target.policy;
  if (!world.adopted) return {};
  // An adopted volume was made with Retain, whatever its class says.
  TM_TRY_ASSIGN(const auto object, tools_.reader.find(kube::k_storage_class, "", world.home.storage_class));
  const std::string policy = object ? object->text_at("/reclaimPolicy") : "";
  world.wanted_policy = policy.empty() ? "Retain" : policy;
  return {};
}

Result<void> HomeFinalize::look_at_attachments(FinalizeWorld& world) const {
  if (!world.old.exists) return {};
  kube::ListOptions list;
  list.wanted = {"/metadata/name", "/spec/source/persistentVolumeName", "/spec/nodeName"};
  TM_TRY_ASSIGN(const std::vector<Value> all, tools_.reader.list(kube::k_volume_attachment, "", list));
  for (const Value& attachment : all) {
    if (attachment.text_at("/spec/source/persistentVolumeName") != world.old.name) continue;
    world.attached.push_back(attachment.text_at("/spec/nodeName"));
  }
  return {};
}

Result<FinalizeWorld> HomeFinalize::observe() {
  FinalizeWorld world;
  TM_TRY_ASSIGN(const auto facts, tools_.facts.read());
  TM_TRY_ASSIGN(world.facts, read_swap_facts(facts));
  TM_TRY_ASSIGN(const auto claim, tools_.reader.find(kube::k_claim, options_.ns, options_.claim));
  world.claim = claim_state(claim, options_.claim);
  if (!missing_permissions_) {
    TM_TRY_ASSIGN(
        missing_permissions_,
        kube::missing_permissions(tools_.reader, home_finalize_permissions(options_.ns, !options_.no_check)));
  }
  world.missing_permissions = *missing_permissions_;
  if (world.facts.number > 0 && world.facts.moved) {
    TM_TRY_ASSIGN(world.old, read_state(tools_.reader, world.facts.source));
    TM_TRY_ASSIGN(world.home, read_state(tools_.reader, world.facts.target));
    TM_TRY(look_at_datasets(world));
    TM_TRY(look_at_snapshots(world));
    TM_TRY(look_at_class(world));
    TM_TRY(look_at_attachments(world));
    TM_TRY(look_at_check(world));
  }
  if (tools_.last_build && claim) {
    TM_TRY_ASSIGN(const std::string time, tools_.last_build());
    world.asked_coder = true;
    world.built = is_later(time, claim->text_at("/metadata/creationTimestamp"));
  }
  world_ = world;
  return world;
}

Next HomeFinalize::next(const FinalizeWorld& world) const {
  return decide_finalize(world, options_);
}

FinalizeWorld HomeFinalize::project(FinalizeWorld world, const Next& next) const {
  return project_finalize(std::move(world), next);
}

std::vector<engine::Violation> HomeFinalize::check(const FinalizeWorld& world) const {
  return check_finalize(world);
}

std::string HomeFinalize::progress(const FinalizeWorld& world) const {
  const std::string home = "claim " + options_.full_name();
  if (world.facts.finalized) return home + ": finalized";
  if (!world.old.exists) return home + ": the old volume is gone";
  return fmt::format("{}: the old volume {} is {} ({})", home, world.old.name, world.old.phase,
                     world.old.policy);
}

Result<void> HomeFinalize::act(const Step& step, kube::Writer& writer) {
  if (!world_) return make_error(Kind::bug, "a step was asked for before anything was observed");
  const std::string& verb = step.verb;
  if (verb == "compare-again" || verb == "remove-check") return act_on_check(step, writer);
  if (verb == "note") return tools_.facts.write(step.argument("key"), step.argument("value"));
  // The last look: all volumes as they are now. A dry run tries steps that are due in a later world.
  if (!writer.server_dry_run()) {
    TM_TRY_ASSIGN(const FinalizeWorld now, observe());
    const auto broken = guard_finalize(now, options_, step);
    if (!broken.empty()) {
      return make_error(Kind::refused, fmt::format("will not {}: the rule {} does not hold: {}", step.title,
                                                   quote(broken.front().rule), broken.front().detail));
    }
  }
  const std::string name = step.argument("volume"), uid = step.argument("uid");
  if (verb == "unmark-volume") {
    return done(writer.patch(kube::k_volume, "", name, PatchKind::merge, storage::unmark_patch(uid)));
  }
  if (verb == "restore-policy" || verb == "delete-data") {
    const bool of_old = verb == "delete-data";
    storage::Volume volume;
    volume.name = name, volume.uid = uid;
    TM_TRY_ASSIGN(const Value patch,
                  storage::policy_patch(volume, of_old ? "Delete" : step.argument("policy"),
                                        of_old ? world_->users_of_old : world_->users_of_home));
    return done(writer.patch(kube::k_volume, "", name, PatchKind::json, patch));
  }
  if (verb != "delete-object") return make_error(Kind::bug, fmt::format("no such verb: {}", verb));
  // Retain at this very moment: with Delete the dataset would go with the object.
  kube::DeleteOptions options;
  options.uid = uid;
  options.resource_version = world_->old.resource_version;
  return writer.remove(kube::k_volume, "", name, options);
}

std::vector<kube::Permission> home_finalize_permissions(const std::string& ns, bool check) {
  std::vector<kube::Permission> rights = kube::permissions(k_rows, ns);
  if (!check) return rights;
  for (kube::Permission& right : adoption_probe_permissions(ns)) rights.push_back(std::move(right));
  return rights;
}

}  // namespace truenas::workflow
