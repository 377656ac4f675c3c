#pragma once
// What one PostgresRolling carries with it: its seams to the cluster and what it has seen. Private to this
// folder's observe.cc, act.cc and their parts.

#include <map>
#include <optional>
#include <string>

#include "lib/workflow/postgres_rolling.h"

namespace truenas::workflow {

struct PostgresRolling::State {
  const kube::Reader& reader;
  FactBook facts;
  RollingOptions options;
  Clock& clock;

  std::optional<PostgresWorld> world;  // seen last
  RunMemory memory;
  std::optional<ProofOutcome> proof;

  // What is not asked at every look.
  std::optional<cnpg::PreflightFacts> preflight;
  Milliseconds preflight_at{0};
  std::optional<std::vector<std::string>> missing_permissions;
  std::optional<int> nodes;
  std::optional<std::string> connections;
  std::optional<std::pair<std::string, std::optional<ClassRecord>>> probed;  // by the class's uid

  // The canary, as far as this process knows it.
  std::map<std::string, CanaryAttempt> attempts;  // verdicts, by fingerprint
  std::string first_round_claim;                  // uid of the claim on which the first round has passed
  std::string pending_claim;                      // uid of a claim seen without a volume
  Milliseconds pending_since{0};
  bool worth_without_fs_group = true;
};

// Fills in world.canary from the objects in the cluster.
Result<void> observe_canary(PostgresRolling::State& state, const std::map<std::string, std::string>& facts,
                            PostgresWorld& world);
// The effects on instances, volumes and the Cluster.
Result<void> act_on_cluster(PostgresRolling::State& state, const engine::Step& step, kube::Writer& writer);
// The canary's objects.
Result<void> act_on_canary(PostgresRolling::State& state, const engine::Step& step, kube::Writer& writer);
// Runs the proof and writes its outcome down.
Result<void> act_prove(PostgresRolling::State& state, const engine::Step& step, kube::Writer& writer,
                       const std::function<void(const std::string&)>& progress);

}  // namespace truenas::workflow
