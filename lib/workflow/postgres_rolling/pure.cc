// The pure half of the workflow, put together.

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling.h"
#include "lib/workflow/postgres_rolling/decide.h"
#include "lib/workflow/postgres_rolling/project.h"
#include "lib/workflow/postgres_rolling/queries.h"

namespace truenas::workflow {
namespace {

std::string wait_id(const engine::Next& next) {
  const engine::Wait* wait = std::get_if<engine::Wait>(&next);
  return wait == nullptr ? "" : wait->id;
}

std::string replica_line(const PostgresWorld& world, const std::string& name) {
  if (!world.cluster.replication) return "?";
  const auto found = world.cluster.replication->find(name);
  if (found == world.cluster.replication->end()) return "not connected";
  if (found->second.lag_bytes < 0) return found->second.state;
  return fmt::format("{} lag {}", found->second.state, format_bytes(found->second.lag_bytes));
}

}  // namespace

engine::Next next_of_rolling(const PostgresWorld& world, const RollingOptions& options) {
  return decide(world, options);
}

PostgresWorld project_rolling(PostgresWorld world, const RollingOptions& options, const engine::Next& next) {
  if (const engine::Step* step = std::get_if<engine::Step>(&next))
    return project_step(std::move(world), *step);
  const std::string id = wait_id(next);
  // A wait is over when something else is next. No instance takes more notches than this.
  for (int notch = 0; notch < 100 && !id.empty() && wait_id(decide(world, options)) == id; ++notch) {
    world = advance_neighbours(std::move(world));
  }
  return world;
}

std::string progress_of_rolling(const PostgresWorld& world) {
  std::vector<std::string> parts;
  for (const std::string& name : instances_of(world)) {
    const bool primary = name == world.cluster.current_primary;
    const cnpg::InstancePod* pod = cnpg::find_pod(world.cluster, name);
    const std::string state = pod == nullptr     ? "no pod"
                              : pod->terminating ? "stopping"
                              : pod->ready       ? ""
                                                 : "starting";
    parts.push_back(fmt::format("{} [{}] {}", name, is_old(world, name) ? world.from.name : world.to.name,
                                primary          ? "primary"
                                : !state.empty() ? state
                                                 : replica_line(world, name)));
  }
  return fmt::format("{}: {}", printable(world.cluster.phase), join(parts, ", "));
}

}  // namespace truenas::workflow
