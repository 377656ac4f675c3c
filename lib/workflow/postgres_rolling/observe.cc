// Looks at the cluster: everything that decide.cc needs, and nothing is decided here.

#include <fmt/format.h>

#include <algorithm>

#include "lib/cnpg/cluster_reader.h"
#include "lib/cnpg/connection.h"
#include "lib/cnpg/permissions.h"
#include "lib/workflow/postgres_rolling/facts.h"
#include "lib/workflow/postgres_rolling/project.h"
#include "lib/workflow/postgres_rolling/queries.h"
#include "lib/workflow/postgres_rolling/state.h"

namespace truenas::workflow {
namespace {

// Backups, unlogged tables and the operator's version are asked again after so long.
constexpr Milliseconds k_preflight_age{15000};

Result<StorageClassState> observe_class(const kube::Reader& reader, const std::string& name) {
  StorageClassState state;
  state.name = name;
  TM_TRY_ASSIGN(const std::optional<json::Value> object, reader.find(kube::k_storage_class, "", name));
  if (!object) return state;
  state.exists = true;
  state.uid = kube::identity_of(*object).uid;
  state.provisioner = object->text_at("/provisioner");
  state.reclaim_policy = object->text_at("/reclaimPolicy");
  if (state.reclaim_policy.empty()) state.reclaim_policy = "Delete";  // the API's default
  return state;
}

// What a probe once found on the class. Where it cannot be read nothing is said: the canary tries the class
// itself in any case.
std::optional<ClassRecord> recorded_probe(PostgresRolling::State& state, const StorageClassState& target) {
  if (!target.exists) return std::nullopt;
  if (!state.probed || state.probed->first != target.uid) {
    const RecordedProbe probe = read_recorded_probe(state.reader, state.options.class_journal_ns, target.name,
                                                    target.uid, state.clock);
    state.probed.emplace(target.uid, probe.newest);
  }
  return state.probed->second;
}

// Nodes on which an instance could run; 0 where we may not look.
int count_nodes(const kube::Reader& reader) {
  const auto nodes = reader.list(kube::k_node, "");
  if (!nodes.ok()) return 0;
  return static_cast<int>(std::count_if(nodes->begin(), nodes->end(), [](const json::Value& node) {
    const auto& taints = node.items_at("/spec/taints");
    return !node.boolean_at("/spec/unschedulable") &&
           std::none_of(taints.begin(), taints.end(), [](const json::Value& taint) {
             return taint.text_at("/effect") != "PreferNoSchedule";
           });
  }));
}

Result<void> observe_site(PostgresRolling::State& state, PostgresWorld& world) {
  const Milliseconds now = state.clock.steady();
  if (!state.preflight || now - state.preflight_at >= k_preflight_age) {
    TM_TRY_ASSIGN(cnpg::PreflightFacts fresh, cnpg::read_preflight_facts(state.reader, world.cluster));
    // A primary that does not answer for a moment (a switchover) has not lost what it said before.
    if (!fresh.databases && state.preflight && state.preflight->databases) {
      fresh.databases = state.preflight->databases;
    }
    state.preflight = std::move(fresh);
    state.preflight_at = now;
  }
  world.site.facts = *state.preflight;
  world.site.facts.shape = cnpg::parse_shape(world.cluster.object);
  if (!state.missing_permissions) {
    TM_TRY_ASSIGN(state.missing_permissions, cnpg::missing_permissions(state.reader, state.options.ns));
  }
  world.site.missing_permissions = *state.missing_permissions;
  if (!state.connections) {
    // Whoever may not read them is told so at the end; the move needs nothing of it.
    const auto connections = cnpg::read_connection_facts(state.reader, world.cluster);
    state.connections = connections.ok() ? cnpg::connection_text(*connections) : "";
  }
  world.connections = *state.connections;
  if (!state.nodes) state.nodes = count_nodes(state.reader);
  world.site.schedulable_nodes = *state.nodes;
  return {};
}

// After spec.podSecurityContext lost its fsGroup: Pods that were made before that.
Result<int> count_pods_with_fs_group(const kube::Reader& reader, const PostgresWorld& world) {
  if (world.site.facts.shape.has_fs_group) return 0;
  kube::ListOptions options;
  options.label_selector = "cnpg.io/cluster=" + world.cluster.name + ",cnpg.io/podRole=instance";
  TM_TRY_ASSIGN(const std::vector<json::Value> pods, reader.list(kube::k_pod, world.cluster.ns, options));
  return static_cast<int>(std::count_if(pods.begin(), pods.end(), [](const json::Value& pod) {
    return pod.at("/spec/securityContext/fsGroup") != nullptr;
  }));
}

int highest_serial(const PostgresWorld& world) {
  int highest = static_cast<int>(world.cluster.object.integer_at("/status/latestGeneratedNode"));
  for (const std::string& name : instances_of(world)) highest = std::max(highest, serial_of(name));
  return highest;
}

}  // namespace

Result<PostgresWorld> PostgresRolling::observe() {
  State& state = *state_;
  PostgresWorld world;
  TM_TRY_ASSIGN(const auto facts, state.facts.read());
  TM_TRY_ASSIGN(world.facts, read_facts(facts));
  TM_TRY_ASSIGN(world.from, observe_class(state.reader, state.options.from_class));
  TM_TRY_ASSIGN(world.to, observe_class(state.reader, state.options.to_class));
  world.to.probed = recorded_probe(state, world.to);
  Result<cnpg::ClusterState> cluster =
      cnpg::read_cluster(state.reader, state.options.ns, state.options.cluster);
  if (cluster.ok()) {
    world.cluster = std::move(cluster).value();
    TM_TRY(observe_site(state, world));
    TM_TRY_ASSIGN(world.pods_with_fs_group, count_pods_with_fs_group(state.reader, world));
    TM_TRY(observe_canary(state, facts, world));
    world.last_serial = highest_serial(world);
    world.memory = state.memory;
    remember(world);
    state.memory = world.memory;
  } else if (cluster.error().kind == Kind::not_found) {
    world.found = false;
  } else {
    return cluster.take_error();
  }
  state.world = world;
  return world;
}

}  // namespace truenas::workflow
