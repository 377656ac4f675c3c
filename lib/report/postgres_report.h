#pragma once
// The rolling move of a database as text and documents: what the plan should say besides its steps, the
// state, and the result with its proof. Pure; what is in them was decided in
// lib/workflow.

#include <optional>
#include <string>
#include <vector>

#include "lib/cnpg/connection.h"
#include "lib/engine/outcome.h"
#include "lib/engine/plan.h"
#include "lib/json/value.h"
#include "lib/workflow/postgres_rolling.h"

namespace truenas::report {

// Fills in title, downtime, notes, what is not done and what needs consent.
void describe_rolling_plan(engine::Plan& plan, const workflow::PostgresWorld& world,
                           const workflow::RollingOptions& options);

// Where the move stands: instances with class, volume and replication, and what is next.
std::string render_rolling_status(const workflow::PostgresWorld& world,
                                  const workflow::RollingOptions& options, const engine::Next& next);
json::Value rolling_status_document(const workflow::PostgresWorld& world,
                                    const workflow::RollingOptions& options, const engine::Next& next);

// At the end: instances, the proof table by table, and the old volumes that are kept.
std::string render_rolling_result(const workflow::PostgresWorld& world,
                                  const std::optional<workflow::ProofOutcome>& proof,
                                  const workflow::RollingOptions& options);
// {kind: PostgresMove, outcome, instances, oldVolumes, proof}; also of a run that did not reach its end.
json::Value rolling_result_document(const engine::Outcome& outcome,
                                    const std::optional<workflow::PostgresWorld>& world,
                                    const std::optional<workflow::ProofOutcome>& proof,
                                    const workflow::RollingOptions& options);

// How applications reach the database, before and after the run: the secret and the services.
struct ConnectionComparison {
  std::string unknown_why;            // could not be compared; "" when it was
  std::vector<std::string> changes;   // what differs, one line each
  std::vector<std::string> compared;  // "secret coder-postgres-app", "service coder-postgres-rw"
};
ConnectionComparison compare_connections(const Result<cnpg::ConnectionFacts>& before,
                                         const Result<cnpg::ConnectionFacts>& after);
std::string render_connections(const ConnectionComparison& comparison);
json::Value connections_document(const ConnectionComparison& comparison);

}  // namespace truenas::report
