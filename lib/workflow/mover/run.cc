#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/engine/journal.h"
#include "lib/workflow/mover_run.h"

namespace truenas::workflow {
namespace {

using json::Value;
using storage::MoverEnd;

// No process of it is left: the phase follows only once its volumes are unmounted, too.
bool is_over(const Value& pod) {
  const std::string& phase = pod.text_at("/status/phase");
  if (phase == "Succeeded" || phase == "Failed") return true;
  const auto& containers = pod.items_at("/status/containerStatuses");
  return !containers.empty() && std::all_of(containers.begin(), containers.end(), [](const Value& container) {
    return container.at("/state/terminated") != nullptr;
  });
}

}  // namespace

Result<ClaimLocks> ClaimLocks::acquire(kube::Session& session, const std::string& ns,
                                       const std::vector<std::string>& claims, Clock& clock) {
  ClaimLocks locks;
  for (const std::string& claim : claims) {
    engine::LockOptions options;
    options.ns = ns;
    options.name = engine::journal_name("claim", claim);
    options.what = fmt::format("claim {}/{}", ns, claim);
    options.holder = engine::this_holder();
    options.clock = &clock;
    TM_TRY_ASSIGN(std::unique_ptr<engine::Lock> lock, engine::Lock::acquire(session, options));
    locks.locks_->push_back(std::move(lock));
  }
  return locks;
}

kube::Permit ClaimLocks::permit(kube::Permit base) const {
  kube::Permit permit = base;
  permit.still_granted = [before = std::move(base.still_granted), locks = locks_]() -> Result<void> {
    if (before) TM_TRY(before());
    for (const auto& lock : *locks) TM_TRY(lock->still_held());
    return {};
  };
  return permit;
}

void MoverRun::say(const std::string& line) {
  if (line == said_ || line.empty()) return;
  said_ = line;
  if (on_line) on_line(line);
}

Result<MoverRun::Placed> MoverRun::place(const MoverRequest& request) const {
  std::vector<std::string> claims;
  for (const storage::MoverMount& mount : request.mounts) claims.push_back(mount.claim);
  TM_TRY_ASSIGN(const auto required, storage::read_required_node(reader_, request.ns, claims));
  TM_TRY_ASSIGN(const std::vector<Value> nodes, reader_.list(kube::k_node, ""));
  TM_TRY_ASSIGN(const storage::MoverPlace where,
                storage::choose_place(nodes, required, request.wishes, request.fallback_image));
  Placed placed;
  TM_TRY_ASSIGN(placed.program, program_(where.architecture));
  storage::MoverPod& pod = placed.pod;
  pod.ns = request.ns;
  pod.run = request.run;
  pod.name = cut_name(fmt::format("truenas-migrate-{}-{}",
                                  request.arguments.empty() ? "mover" : request.arguments[0], request.run));
  pod.config = storage::mover_config_name(where.architecture, placed.program);
  pod.architecture = where.architecture;
  pod.image = where.image;
  pod.image_pull_secret = request.wishes.image_pull_secret;
  pod.arguments = request.arguments;
  pod.mounts = request.mounts;
  pod.nodes = where.nodes;
  pod.node_selector = request.wishes.node_selector;
  pod.tolerations = request.wishes.tolerations;
  for (const auto& [resource, quantity] : request.wishes.requests) pod.requests[resource] = quantity;
  for (const auto& [resource, quantity] : request.wishes.limits) pod.limits[resource] = quantity;
  pod.deadline_seconds = request.deadline_seconds;
  return placed;
}

// Its Lease may have ended with its run while its Pod is still there.
Result<void> MoverRun::check_writers(const MoverRequest& request) const {
  kube::ListOptions options;
  options.label_selector = "app.kubernetes.io/component=mover";
  TM_TRY_ASSIGN(const std::vector<Value> pods, reader_.list(kube::k_pod, request.ns, options));
  for (const Value& pod : pods) {
    if (is_over(pod) || kube::label_of(pod, storage::k_mover_run_label) == request.run) continue;
    for (const storage::MoverMount& mount : request.mounts) {
      if (mount.read_only || !kube::mounts(pod, mount.claim)) continue;
      const std::string& name = pod.text_at("/metadata/name");
      return make_error(
          Kind::locked,
          fmt::format("claim {}/{} is in use by another mover: pod {}", request.ns, mount.claim, name),
          {fmt::format("kubectl wait -n {} pod/{} --for=delete", request.ns, name)});
    }
  }
  return {};
}

Result<void> MoverRun::try_it(const MoverRequest& request) {
  TM_TRY_ASSIGN(const Placed placed, place(request));
  kube::Writer trial = writer_.trying();
  const auto tried = trial.create(kube::k_pod, request.ns, storage::mover_pod(placed.pod));
  if (tried.ok() || tried.error().kind == Kind::conflict) return {};
  const Error& error = tried.error();
  if (error.kind == Kind::outcome_unknown || error.kind == Kind::unavailable) {
    return make_error(Kind::unavailable, error.what, error.hints);
  }
  return storage::admission_error(error, request.ns);
}

// Another run may make or remove the same one at any moment.
Result<void> MoverRun::ensure_config(const Placed& placed) {
  TM_TRY_ASSIGN(const auto found, reader_.find(kube::k_config_map, placed.pod.ns, placed.pod.config));
  if (found) return {};
  const auto made =
      writer_.create(kube::k_config_map, placed.pod.ns,
                     storage::mover_config_map(placed.pod.ns, placed.pod.architecture, placed.program));
  if (made.ok() || made.error().kind == Kind::conflict) return {};
  if (made.error().kind != Kind::outcome_unknown) return made.error();
  TM_TRY_ASSIGN(const auto again, reader_.find(kube::k_config_map, placed.pod.ns, placed.pod.config));
  if (again) return {};
  return make_error(Kind::unavailable, made.error().what, made.error().hints);
}

Result<std::string> MoverRun::create(const Placed& placed) {
  const auto made = writer_.create(kube::k_pod, placed.pod.ns, storage::mover_pod(placed.pod));
  if (made.ok()) return kube::identity_of(*made).uid;
  const Error& error = made.error();
  if (error.kind == Kind::refused || error.kind == Kind::auth) {
    return storage::admission_error(error, placed.pod.ns);
  }
  if (error.kind != Kind::conflict && error.kind != Kind::outcome_unknown) return error;
  // The reply was lost, or this is the second try after it was: the run's name in it says whose it is.
  TM_TRY_ASSIGN(const auto found, reader_.find(kube::k_pod, placed.pod.ns, placed.pod.name));
  if (!found) return make_error(Kind::unavailable, error.what, error.hints);
  if (kube::label_of(*found, storage::k_mover_run_label) != placed.pod.run) return error;
  return kube::identity_of(*found).uid;
}

Result<MoverEnd> MoverRun::run(const MoverRequest& request) {
  TM_TRY_ASSIGN(const Placed placed, place(request));
  TM_TRY(check_writers(request));
  TM_TRY(ensure_config(placed));
  said_.clear();
  trouble_since_ = Milliseconds(-1);
  const Result<std::string> uid = create(placed);
  if (!uid.ok()) {
    remove_config(placed);
    return uid.error();
  }
  Result<MoverEnd> end = watch(request, placed, *uid);
  clean_up(placed, *uid);
  return end;
}

}  // namespace truenas::workflow
