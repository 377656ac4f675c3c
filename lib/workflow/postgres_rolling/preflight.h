#pragma once
// Preflight: everything that speaks against starting the move, found at once. Pure; decide.cc refuses on it,
// the plan shows it.

#include <optional>
#include <string>
#include <vector>

#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

struct Finding {
  enum class Severity {
    blocks,  // the move does not start
    accept,  // it starts only with --accept=<id>
    note,    // told, no more
  };
  std::string id;
  Severity severity = Severity::note;
  std::string text;                 // one sentence
  std::vector<std::string> remedy;  // lines a user can act on
  bool accepted = false;            // severity accept, and its id was given
};

// All findings for a start from this world, blocking ones first. Empty: nothing to say.
std::vector<Finding> preflight(const PostgresWorld& world, const RollingOptions& options);
// Those that hold at every moment of the move, not only before it: the class must exist, nobody may take the
// patches back, no data may be lost without consent.
std::vector<Finding> standing_findings(const PostgresWorld& world, const RollingOptions& options);
// Absent unless primaryUpdateStrategy is supervised. Blocks once the canary has shown that the Pods must be
// restarted without fsGroup, which is known only after the start.
std::optional<Finding> supervised_updates(const PostgresWorld& world);
// What a probe of the target class has found that concerns this cluster: it refuses where PostgreSQL's files
// could not be its own, and says what the canary would say where root is squashed and Pods have fsGroup.
std::vector<Finding> class_findings(const PostgresWorld& world);
bool blocks(const Finding& finding);
// The lines to change in the manifest of a Cluster that somebody else keeps.
std::vector<std::string> manifest_lines(const PostgresWorld& world);

}  // namespace truenas::workflow
