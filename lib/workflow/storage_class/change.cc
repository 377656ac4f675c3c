// The workflow joined to a cluster: what is read, and one effect a step.

#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "lib/workflow/storage_class.h"
#include "lib/workflow/storage_class/decide.h"
#include "lib/workflow/storage_class/facts.h"
#include "lib/workflow/storage_class/queries.h"

namespace truenas::workflow {

struct StorageClassChange::State {
  const kube::Reader& reader;
  FactBook facts;
  ClassOptions options;
  std::optional<StorageClassWorld> world;  // seen last
};

namespace {

using engine::Step;

constexpr std::array k_rows = {
    kube::PermissionRow{"get list", "storage.k8s.io", "storageclasses", "", false, "to see the classes"},
    kube::PermissionRow{"get", "storage.k8s.io", "csidrivers", "", false,
                        "to see whether the driver is installed"},
    kube::PermissionRow{"list", "storage.k8s.io", "csinodes", "", false, "to see where the driver runs"},
    kube::PermissionRow{"get", "", "namespaces", "", false, "to tell this cluster from another"},
    kube::PermissionRow{"list", "", "nodes", "", false, "to see where Pods can run"},
    kube::PermissionRow{"list", "apps", "deployments", "", false, "to see the driver's controller"},
    kube::PermissionRow{"list", "apps", "statefulsets", "", false, "to see the driver's controller"},
    kube::PermissionRow{"list", "", "persistentvolumeclaims", "", false, "to see who depends on the class"},
    kube::PermissionRow{"get list", "", "persistentvolumes", "", false, "to see who depends on the class"},
    kube::PermissionRow{"create patch delete", "storage.k8s.io", "storageclasses", "", false,
                        "to change the class (--apply, --rollback)"},
    kube::PermissionRow{"get create patch", "", "configmaps", "", true, "for the journal of the run"},
    kube::PermissionRow{"get create patch", "coordination.k8s.io", "leases", "", true,
                        "so that two runs cannot meet"},
};

// 409 of a server-side apply names the managers: a decision of theirs, not a change to look at again.
Error name_managers(Error error, const std::string& name) {
  if (error.kind != Kind::conflict || !contains(error.what, "Apply failed with")) return error;
  error.kind = Kind::refused;
  error.what = fmt::format("cannot change storageclass {}: another field manager owns what differs: {}", name,
                           error.what);
  error.hints = {fmt::format("change it there, or by hand: kubectl edit storageclass {}", name)};
  return error;
}

// Would the server take the class that is to follow? Asked under another name, as the old one is still there.
Result<void> try_successor(const StorageClassWorld& world, const ClassGoal& goal, kube::Writer& writer) {
  json::Value object = document_for(world, goal);
  if (object.is_null()) return {};
  const std::string& name = object.text_at("/metadata/name");
  object.set_at("/metadata/name", cut_name(name + "-trial-" + sha256_hex(world.live->uid).substr(0, 8)));
  kube::Writer trial = writer.trying();
  const auto tried = trial.create(kube::k_storage_class, "", object);
  if (tried.ok()) return {};
  Error error = tried.error();
  if (error.kind == Kind::outcome_unknown) error.kind = Kind::unavailable;  // a dry run leaves nothing behind
  return error.in(
      fmt::format("storageclass {} is not deleted: the server would not take the one to follow", name));
}

Result<void> create_or_apply(const kube::Reader& reader, const ClassOptions& options,
                             const json::Value& object, bool creates, kube::Writer& writer) {
  const auto applied = writer.patch(kube::k_storage_class, "", options.name, kube::PatchKind::apply, object);
  if (applied.ok()) return {};
  Error error = applied.error();
  if (creates && (error.kind == Kind::refused || error.kind == Kind::conflict)) {
    // Somebody else has made one in between: look at theirs before anything is said about it.
    const auto found = reader.find(kube::k_storage_class, "", options.name);
    if (found.ok() && found->has_value()) error.kind = Kind::conflict;
    return error;
  }
  return name_managers(std::move(error), options.name);
}

Result<void> remove_class(const kube::Reader& reader, const ClassOptions& options, const Step& step,
                          const StorageClassWorld& world, kube::Writer& writer) {
  TM_TRY_ASSIGN(const ClassGoal goal, goal_of(world, options));
  TM_TRY(try_successor(world, goal, writer));
  TM_TRY_ASSIGN(const storage::ClassUsers users, storage::read_class_users(reader, options.name, ""));
  if (!users.empty()) {
    return make_error(Kind::conflict, fmt::format("storageclass {} is used by now: {}", options.name,
                                                  join(storage::describe_users(users), ", ")));
  }
  kube::DeleteOptions deletion;
  deletion.uid = step.argument("uid");
  deletion.resource_version = step.argument("resource_version");
  return writer.remove(kube::k_storage_class, "", options.name, deletion);
}

}  // namespace

StorageClassChange::StorageClassChange(const kube::Reader& reader, FactBook facts, ClassOptions options)
    : state_(new State{reader, std::move(facts), std::move(options), std::nullopt}) {}

StorageClassChange::~StorageClassChange() = default;

const ClassOptions& StorageClassChange::options() const {
  return state_->options;
}

Result<StorageClassWorld> StorageClassChange::observe() {
  State& state = *state_;
  StorageClassWorld world;
  TM_TRY_ASSIGN(const auto facts, state.facts.read());
  TM_TRY_ASSIGN(world.runs, read_class_runs(facts));
  TM_TRY_ASSIGN(const auto object, state.reader.find(kube::k_storage_class, "", state.options.name));
  if (object) {
    TM_TRY_ASSIGN(world.live, storage::read_storage_class(*object, "storageclass " + state.options.name));
  }
  TM_TRY_ASSIGN(world.users,
                storage::read_class_users(state.reader, state.options.name, state.options.old_class));
  state.world = world;
  return world;
}

engine::Next StorageClassChange::next(const StorageClassWorld& world) const {
  return decide_class(world, state_->options);
}

StorageClassWorld StorageClassChange::project(StorageClassWorld world, const engine::Next& next) const {
  return project_class(std::move(world), state_->options, next);
}

std::vector<engine::Violation> StorageClassChange::check(const StorageClassWorld& world) const {
  return check_class(world);
}

std::string StorageClassChange::progress(const StorageClassWorld& world) const {
  const std::string& name = state_->options.name;
  if (!world.live) return fmt::format("there is no storageclass {}", name);
  const auto goal = goal_of(world, state_->options);
  if (!goal.ok()) return fmt::format("storageclass {} is there", name);
  const std::size_t count = differences_of(world, *goal).size();
  return count == 0 ? fmt::format("storageclass {} is there", name)
                    : fmt::format("storageclass {} has {}", name, count_of(count, "difference"));
}

Result<void> StorageClassChange::act(const Step& step, kube::Writer& writer) {
  State& state = *state_;
  if (!state.world) return make_error(Kind::bug, "a step was asked for before anything was observed");
  // A dry run tries steps that are due in a later world.
  if (!writer.server_dry_run()) {
    const auto broken = guard_class(*state.world, state.options, step);
    if (!broken.empty()) {
      return make_error(Kind::refused, fmt::format("will not {}: the rule {} does not hold: {}", step.title,
                                                   quote(broken.front().rule), broken.front().detail));
    }
  }
  if (step.verb == "note-begin") {
    return state.facts.write(step.argument("key"), begin_value(next_run(*state.world, state.options)));
  }
  if (step.verb == "note-end") return state.facts.write(step.argument("key"), step.argument("value"));
  if (step.verb == "delete-class") {
    return remove_class(state.reader, state.options, step, *state.world, writer);
  }
  TM_TRY_ASSIGN(const ClassGoal goal, goal_of(*state.world, state.options));
  return create_or_apply(state.reader, state.options, document_for(*state.world, goal),
                         step.verb == "create-class", writer);
}

std::vector<kube::Permission> class_permissions(std::string_view ns) {
  return kube::permissions(k_rows, ns);
}

}  // namespace truenas::workflow
