#pragma once
// PostgresRolling: moves a CloudNativePG cluster to another storage class while its clients go on writing:
// replica by replica onto new volumes, one switchover, the old primary last (facts 4a). What it decides is in
// postgres_rolling/decide.h, its promises in postgres_rolling/invariant.h; this class joins them to a cluster
// and a journal. It must not decide anything itself.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/kube/reader.h"
#include "lib/workflow/fact_book.h"
#include "lib/workflow/postgres_rolling/preflight.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

// What `prove` left in this process, for the report; the journal keeps its summary only.
struct ProofOutcome {
  bool passed = false;
  std::string summary;
  json::Value report;
};

class PostgresRolling final : public engine::Workflow<PostgresWorld> {
 public:
  // `reader` and `clock` must outlive it. With options.rollback the caller has exchanged the classes already.
  PostgresRolling(const kube::Reader& reader, FactBook facts, RollingOptions options, Clock& clock);
  ~PostgresRolling() override;

  Result<PostgresWorld> observe() override;
  engine::Next next(const PostgresWorld& world) const override;
  PostgresWorld project(PostgresWorld world, const engine::Next& next) const override;
  // One effect. Kind::refused when the guard says no in the world observed last.
  Result<void> act(const engine::Step& step, kube::Writer& writer) override;
  std::vector<engine::Violation> check(const PostgresWorld& world) const override;
  std::string progress(const PostgresWorld& world) const override;

  const RollingOptions& options() const;
  // Absent until the proof ran in this process.
  const std::optional<ProofOutcome>& proof() const;
  // Called now and then while the proof runs, with one line for people.
  std::function<void(const std::string& line)> on_proof_progress;

  struct State;  // postgres_rolling/state.h

 private:
  std::unique_ptr<State> state_;
};

// The pure half, for tests and the plan alone.
engine::Next next_of_rolling(const PostgresWorld& world, const RollingOptions& options);
PostgresWorld project_rolling(PostgresWorld world, const RollingOptions& options, const engine::Next& next);
std::string progress_of_rolling(const PostgresWorld& world);

}  // namespace truenas::workflow
