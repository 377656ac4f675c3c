// Every world that the rolling move of a PostgreSQL cluster can get into, from every start that matters: no
// byte is ever without a home, and it always ends.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "lib/base/text.h"
#include "lib/workflow/postgres_rolling/decide.h"
#include "lib/workflow/postgres_rolling/invariant.h"
#include "tests/model/model_check.h"
#include "tests/model/postgres_worlds.h"

using namespace truenas;
using namespace truenas::workflow;
using engine::Next;
using engine::Step;
using engine::Violation;
using Variations = std::vector<model::Variation<PostgresWorld>>;

namespace {

// The real decisions; what the run loop would add to them is checked here in every world: the guard of the
// step that is next, and that no volume of the start is ever lost.
class ModelledRolling final : public engine::Workflow<PostgresWorld> {
 public:
  ModelledRolling(RollingOptions options, const PostgresWorld& start) : options_(std::move(options)) {
    for (const auto& [name, volume] : start.cluster.volumes) volumes_.insert(name);
  }
  Result<PostgresWorld> observe() override { return make_error(Kind::bug, "a model does not observe"); }
  Result<void> act(const Step&, kube::Writer&) override {
    return make_error(Kind::bug, "a model does not act");
  }
  Next next(const PostgresWorld& world) const override { return next_of_rolling(world, options_); }
  PostgresWorld project(PostgresWorld world, const Next& next) const override {
    return project_rolling(std::move(world), options_, next);
  }
  std::string progress(const PostgresWorld& world) const override { return progress_of_rolling(world); }
  std::vector<Violation> check(const PostgresWorld& world) const override {
    std::vector<Violation> broken = check_world(world, options_);
    const Next next = next_of_rolling(world, options_);
    if (const Step* step = std::get_if<Step>(&next)) {
      for (Violation& violation : guard(world, options_, *step)) broken.push_back(std::move(violation));
    }
    for (const std::string& name : volumes_) {
      if (!world.cluster.volumes.contains(name)) broken.push_back({"no volume is ever lost", name});
    }
    return broken;
  }

 private:
  RollingOptions options_;
  std::set<std::string> volumes_;
};

std::string flags(std::initializer_list<bool> bits) {
  std::string text;
  for (const bool bit : bits) text += bit ? '1' : '0';
  return text;
}

std::string describe_cluster(const cnpg::ClusterState& cluster) {
  std::string text = fmt::format("{} {} {} {}/{} {}>{}", cluster.uid, flags({cluster.terminating}),
                                 cluster.phase, cluster.ready_instances, cluster.instances,
                                 cluster.current_primary, cluster.target_primary);
  for (const auto& setting : cluster.storage)
    text += fmt::format("\n    {} {}", setting.pointer, setting.storage_class);
  std::set<std::string> lines;  // the order in which objects are listed means nothing
  for (const auto& claim : cluster.claims) {
    lines.insert(fmt::format("claim {} {} {} {} {} {}", claim.name, claim.uid, claim.storage_class,
                             claim.phase, claim.volume, flags({claim.terminating})));
  }
  for (const auto& [name, volume] : cluster.volumes) {
    lines.insert(fmt::format("volume {} {} {} {}", name, volume.reclaim_policy, volume.phase,
                             flags({is_kept(volume)})));
  }
  for (const auto& pod : cluster.pods) {
    lines.insert(fmt::format("pod {} {} {}", pod.name, pod.uid,
                             flags({pod.ready, pod.terminating, pod.marked_unrecoverable})));
  }
  for (const auto& job : cluster.jobs) {
    lines.insert(fmt::format("job {} {} {}", job.name, job.uid, flags({job.failed, job.complete})));
  }
  if (cluster.replication) {
    for (const auto& [name, row] : *cluster.replication) {
      lines.insert(fmt::format("replica {} {} {}", name, row.state, row.lag_bytes));
    }
  } else {
    lines.insert("replication unknown");
  }
  for (const std::string& line : lines) text += "\n    " + line;
  return text;
}

std::string describe(const PostgresWorld& world) {
  const MoveFacts& facts = world.facts;
  std::string text = fmt::format(
      "facts {} {} {}>{} {} {} {} '{}' {}", facts.number, facts.cluster_uid, facts.from_class, facts.to_class,
      facts.instances, join(facts.settings, ","), facts.spare ? std::to_string(*facts.spare) : "-",
      facts.proof + join({facts.proof_volumes.begin(), facts.proof_volumes.end()}, ","),
      flags({facts.ended}));
  const CanaryState& canary = world.canary;
  const auto attempt = [](const CanaryAttempt& a) {
    return fmt::format("{} {} {}", a.fingerprint, static_cast<int>(a.trial), flags({a.noted}));
  };
  text += fmt::format("\n    canary {} | {} | {} {} {} {} {} {} {}", attempt(canary.as_is),
                      attempt(canary.without_fs_group), canary.claim_uid, canary.claim_phase, canary.pod_uid,
                      canary.pod_phase, canary.pod_fingerprint, canary.volume_policy,
                      flags({canary.uses_fs_group, canary.claim_terminating, canary.pod_terminating,
                             canary.pod_passed_first_round, canary.first_round_passed}));
  const RunMemory& memory = world.memory;
  text += fmt::format("\n    memory {} {} {}", memory.first_instances,
                      flags({memory.class_was_set, memory.spare_was_there}), memory.proof_failed);
  text += fmt::format("\n    {} {} {} {} {}", world.pods_with_fs_group, world.last_serial,
                      flags({world.found}), running_backups(world).size(), unlogged_relations(world).size());
  return text + "\n    " + describe_cluster(world.cluster);
}

// A new process: memory gone, and of the canary only what the journal or its Pod says.
PostgresWorld restarted(PostgresWorld world) {
  world.memory = {};
  for (CanaryAttempt* attempt : {&world.canary.as_is, &world.canary.without_fs_group}) {
    const bool on_pod = !world.canary.pod_uid.empty() && world.canary.pod_fingerprint == attempt->fingerprint;
    if (!attempt->noted && !on_pod) attempt->trial = Trial::untried;
  }
  remember(world);
  return world;
}

Variations otherwise(const PostgresWorld& world, const engine::Wait& wait) {
  Variations turns;
  PostgresWorld notch = advance_neighbours(world);
  remember(notch);
  turns.push_back({"one notch", std::move(notch)});
  if (!world.cluster.jobs.empty()) {
    PostgresWorld failed = world;
    failed.cluster.jobs.front().failed = true;
    turns.push_back({"the job fails", std::move(failed)});
  }
  if (wait.id.starts_with("canary") && world.canary.claim_phase == "Bound") {
    PostgresWorld failed = world;
    const bool as_is = world.canary.pod_fingerprint == world.canary.as_is.fingerprint;
    (as_is ? failed.canary.as_is : failed.canary.without_fs_group).trial = Trial::failed;
    failed.canary.pod_phase = "Failed";
    turns.push_back({"the canary fails", std::move(failed)});
  }
  return turns;
}

void fail_over(PostgresWorld& world, const std::string& to) {
  cnpg::ClusterState& cluster = world.cluster;
  const std::string before = cluster.current_primary;
  cluster.current_primary = cluster.target_primary = to;
  cluster.replication->erase(to);
  for (auto& pod : cluster.pods) {
    if (pod.name == before) pod.ready = false;
  }
  refresh_status(world);
}

void add(Variations& changes, const PostgresWorld& world, const std::string& label,
         const std::function<void(PostgresWorld&)>& change) {
  PostgresWorld changed = world;
  change(changed);
  remember(changed);
  changes.push_back({label, std::move(changed)});
}

Variations foreign_edits(const PostgresWorld& world) {
  Variations changes;
  add(changes, world, "instances + 1", [](auto& w) { ++w.cluster.instances; });
  if (world.cluster.instances > 1)
    add(changes, world, "instances - 1", [](auto& w) { --w.cluster.instances; });
  for (const char* name : {"another-class", "truenas-nfs", "truenas-csi-nfs"}) {
    add(changes, world, fmt::format("class {}", name),
        [&](auto& w) { w.cluster.storage.front().storage_class = name; });
  }
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (volume.phase == "Released" || volume.reclaim_policy != "Retain") continue;
    add(changes, world, "volume " + name + " to Delete",
        [&](auto& w) { w.cluster.volumes.at(name).reclaim_policy = "Delete"; });
  }
  add(changes, world, "the cluster is made anew", [](auto& w) { w.cluster.uid = "uid-other"; });
  add(changes, world, "the cluster is being deleted", [](auto& w) { w.cluster.terminating = true; });
  add(changes, world, "the class goes", [](auto& w) { w.to.exists = false; });
  add(changes, world, "a backup starts", [](auto& w) {
    w.site.facts.backups = {{"nightly", "started", "barmanObjectStore", true, false, {}}};
  });
  add(changes, world, "an unlogged table", [](auto& w) {
    w.site.facts.databases->unlogged = {{"coder", "t", false, 1}};
  });
  return changes;
}

Variations foreign_failures(const PostgresWorld& world) {
  Variations changes;
  for (const auto& pod : world.cluster.pods) {
    if (pod.name == world.cluster.current_primary) continue;
    if (pod.ready && !pod.terminating && is_in_step(world, pod.name) &&
        world.cluster.current_primary == world.cluster.target_primary) {
      add(changes, world, "failover to " + pod.name, [&](auto& w) { fail_over(w, pod.name); });
    }
    if (!is_streaming(world, pod.name)) continue;
    add(changes, world, pod.name + " falls behind", [&](auto& w) {
      w.cluster.replication->at(pod.name) = {"catchup", std::int64_t{1} << 30};
    });
    add(changes, world, pod.name + " is deleted", [&](auto& w) {
      for (auto& other : w.cluster.pods) other.ready = other.ready && other.name != pod.name;
      w.cluster.replication->erase(pod.name);
      refresh_status(w);
    });
    add(changes, world, pod.name + " is marked by somebody", [&](auto& w) {
      for (auto& other : w.cluster.pods) other.marked_unrecoverable |= other.name == pod.name;
    });
  }
  return changes;
}

Variations foreign(const PostgresWorld& world) {
  Variations changes = foreign_edits(world);
  for (auto& change : foreign_failures(world)) changes.push_back(std::move(change));
  return changes;
}

// Once a move has ended, --finalize may give volumes their policy back: so `undisturbed` only are they kept.
std::vector<Violation> when_done(const PostgresWorld& world, bool undisturbed) {
  std::vector<Violation> lacks;
  for (const auto& claim : world.cluster.claims) {
    const cnpg::InstanceVolume* volume = find_volume(world, claim);
    if (claim.storage_class == world.from.name)
      lacks.push_back({"every claim is on the new class", claim.name});
    if (volume == nullptr || (undisturbed && world.facts.number > 0 && !is_kept(*volume))) {
      lacks.push_back({"every volume is kept", claim.name});
    }
  }
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (undisturbed && volume.storage_class == world.from.name && volume.reclaim_policy != "Retain") {
      lacks.push_back({"every old volume is kept", name});
    }
  }
  if (world.facts.number > 0 && world.facts.proof.empty())
    lacks.push_back({"the move is proven", "no proof"});
  if (!world.canary.claim_uid.empty() || !world.canary.pod_uid.empty())
    lacks.push_back({"no canary is left", ""});
  return lacks;
}

struct Totals {
  std::size_t worlds = 0, transitions = 0, done = 0, blocked = 0, longest = 0;
};

void walk(const std::string& label, const PostgresWorld& start, const RollingOptions& options,
          int foreign_limit, Totals& totals) {
  const ModelledRolling workflow(options, start);
  model::Model<PostgresWorld> model{
      workflow, {{label, start}}, [](const PostgresWorld& w) { return describe(w); }};
  model.restarted = restarted;
  model.otherwise = otherwise;
  model.foreign = foreign;
  model.when_done = [&](const PostgresWorld& world) { return when_done(world, foreign_limit == 0); };
  model.foreign_limit = foreign_limit;
  const model::ModelReport report = model::check_model(model);
  CHECK_MESSAGE(report.ok(), label << ": " << report.failure);
  CHECK(report.done > 0);
  totals.worlds += report.worlds;
  totals.transitions += report.transitions;
  totals.done += report.done;
  totals.blocked += report.blocked;
  totals.longest = std::max(totals.longest, report.longest_chain);
}

void tell(const char* what, const Totals& totals) {
  MESSAGE(fmt::format("{}: {} worlds, {} transitions, {} done, {} blocked, at most {} decisions to the end",
                      what, totals.worlds, totals.transitions, totals.done, totals.blocked, totals.longest));
}

// The world after `steps` decisions of an undisturbed move.
PostgresWorld moved_partly(PostgresWorld world, const RollingOptions& options, int steps) {
  for (int i = 0; i < steps; ++i) {
    const Next next = next_of_rolling(world, options);
    if (std::holds_alternative<engine::Done>(next) || std::holds_alternative<engine::Blocked>(next)) break;
    world = project_rolling(std::move(world), options, next);
    remember(world);
  }
  return world;
}

PostgresWorld turned_round(PostgresWorld world, RollingOptions& options) {
  std::swap(world.from, world.to);
  std::swap(options.from_class, options.to_class);
  options.rollback = true;
  return restarted(std::move(world));
}

}  // namespace

TEST_CASE("no byte is lost and every way ends: one instance") {
  Totals totals;
  walk("1 instance", make_site({1}), site_options(), 1, totals);
  tell("one instance", totals);
}

TEST_CASE("no byte is lost and every way ends: two instances") {
  Totals totals;
  walk("2 instances", make_site({2}), site_options(), 1, totals);
  tell("two instances", totals);
}

TEST_CASE("no byte is lost and every way ends: three instances") {
  Totals totals;
  walk("3 instances", make_site({3}), site_options(), 1, totals);
  tell("three instances", totals);
}

TEST_CASE("operators that count on, and that know no mark") {
  Totals totals;
  for (const char* version : {"1.29.2", "1.27.1", ""}) {
    walk(fmt::format("2 instances, operator '{}'", version), make_site({2, false, false, version}),
         site_options(), 1, totals);
  }
  walk("3 instances, operator '1.27.1'", make_site({3, false, false, "1.27.1"}), site_options(), 1, totals);
  tell("operators", totals);
}

TEST_CASE("five instances, undisturbed by others") {
  Totals totals;
  for (const char* version : {"1.30.0", "1.27.1"}) {
    walk(fmt::format("5 instances, operator '{}'", version), make_site({5, false, false, version}),
         site_options(), 0, totals);
  }
  tell("five instances", totals);
}

TEST_CASE("WAL and tablespace claims, and a class that keeps its volumes") {
  Totals totals;
  for (const char* version : {"1.30.0", "1.27.1"}) {
    walk(fmt::format("wal and tablespace, {}", version), make_site({3, true, true, version, "Delete"}),
         site_options(), 0, totals);
    walk(fmt::format("wal, {}", version), make_site({2, true, false, version, "Retain"}), site_options(), 0,
         totals);
  }
  tell("claims", totals);
}

TEST_CASE("a move is turned round at every moment") {
  Totals totals;
  for (const int instances : {1, 2, 3}) {
    for (int steps = 0; steps < 60; steps += 3) {
      RollingOptions options = site_options();
      const PostgresWorld partly = moved_partly(make_site({instances}), options, steps);
      walk(fmt::format("{} instances turned round after {} decisions", instances, steps),
           turned_round(partly, options), options, 0, totals);
    }
  }
  tell("turned round", totals);
}
