// The pure half of the workflow, put together.

#include <fmt/format.h>

#include <array>

#include "lib/base/text.h"
#include "lib/workflow/adoption_look.h"
#include "lib/workflow/adoption_probe.h"
#include "lib/workflow/workspace_copy.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/project.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {
namespace {

std::string wait_id(const engine::Next& next) {
  const engine::Wait* wait = std::get_if<engine::Wait>(&next);
  return wait == nullptr ? "" : wait->id;
}

std::string phase_of(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (!is_open(world)) return world.facts.moved && on_target(world) ? "moved" : "not begun";
  if (on_target(world)) return "on its new volume";
  if (!world.claim.exists) return "its name is absent";
  if (world.claim.terminating) return "its claim goes";
  if (is_given_up(world, options)) return "the move is given up";
  if (is_ready(world))
    return world.facts.carry == Carry::copy ? "copied and compared" : "ready to be exchanged";
  if (world.memory.copied) return "copied";
  return world.temporary.exists ? "being copied" : "being looked at";
}

// The freeze; a Role's rights themselves are tried, for the API server lets nobody give what he has not got.
constexpr auto k_freeze_rows = std::to_array<kube::PermissionRow>({
    {"get list patch", "rbac.authorization.k8s.io", "roles", "", true,
     "so that Coder cannot build while the name is absent"},
    {"list", "rbac.authorization.k8s.io", "rolebindings", "", true, "to find Coder's Role"},
    {"create", "authorization.k8s.io", "subjectaccessreviews", "", false,
     "so that it is proved that Coder cannot build"},
});
constexpr auto k_coder_rows = std::to_array<kube::PermissionRow>({
    {"list", "apps", "deployments", "", true, "to find Coder and its service account"},
    {"list", "", "pods", "", true, "to see whether Coder runs"},
});

constexpr auto k_rows = std::to_array<kube::PermissionRow>({
    {"get create patch delete", "", "persistentvolumeclaims", "", true, "so that the claim can be exchanged"},
    {"get list create delete", "", "pods", "", true,
     "so that the mover can run and users of the claim are seen"},
    {"get", "", "pods", "log", true, "so that the mover's progress is read"},
    {"get list create patch delete", "", "configmaps", "", true, "for the journal and the mover's program"},
    {"get create update patch", "coordination.k8s.io", "leases", "", true, "for the lock"},
    {"list", "apps", "deployments", "", true, "so that users of the claim are seen"},
    {"list", "apps", "statefulsets", "", true, "so that users of the claim are seen"},
    {"get patch", "", "persistentvolumes", "", false, "so that volumes are kept and exchanged"},
    {"list", "storage.k8s.io", "volumeattachments", "", false, "so that a volume in use is seen"},
    {"get", "storage.k8s.io", "storageclasses", "", false, "to see the class to reach"},
    {"list", "", "nodes", "", false, "to find where the mover can run"},
});

}  // namespace

engine::Next next_of_swap(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  return decide_swap(world, options);
}

SwapWorld project_swap(SwapWorld world, const WorkspaceCopyOptions& options, const engine::Next& next) {
  if (const engine::Step* step = std::get_if<engine::Step>(&next)) {
    return project_swap_step(std::move(world), options, *step);
  }
  const std::string id = wait_id(next);
  // A wait is over when something else is next. No neighbour takes more notches than this.
  for (int notch = 0; notch < 20 && !id.empty() && wait_id(decide_swap(world, options)) == id; ++notch) {
    world = advance_swap_neighbours(std::move(world), options);
  }
  return world;
}

std::string progress_of_swap(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  std::string line = fmt::format("claim {}: {}", options.full_name(), phase_of(world, options));
  if (!world.uses.empty()) line += "; used by " + join(use_texts(world), ", ");
  for (const ClaimRole& role : world.freeze.roles) {
    if (role.frozen && !role.grants) {
      line += "; Coder cannot build";
      break;
    }
  }
  if (is_held(world)) line += "; workspace " + held_text(world);
  return line;
}

std::vector<kube::Permission> workspace_adopt_permissions(const std::string& ns) {
  std::vector<kube::Permission> all = adoption_probe_permissions(ns);
  const auto more = adoption_look_permissions(ns);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<kube::Permission> workspace_copy_permissions(const std::string& ns, const std::string& coder_ns) {
  std::vector<kube::Permission> all = kube::permissions(k_rows, ns);
  if (coder_ns.empty()) return all;
  for (const auto& more : {kube::permissions(k_freeze_rows, ns), kube::permissions(k_coder_rows, coder_ns)}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace truenas::workflow
