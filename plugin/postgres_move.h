#pragma once
// What one call of `postgres` works with: the session, the journal and the workflow, opened from the command
// line. It shows nothing and runs nothing.

#include <memory>

#include "lib/engine/journal_store.h"
#include "lib/workflow/postgres_rolling.h"
#include "plugin/connection.h"
#include "plugin/migration.h"

namespace truenas::plugin {

// Everything that one call of the command works with.
struct Move {
  Connection connection;
  std::unique_ptr<kube::Reader> reader;
  std::unique_ptr<engine::JournalStore> journal;
  kube::Writer* writer = nullptr;  // while a run goes on
  std::unique_ptr<workflow::PostgresRolling> rolling;
  MigrationFlags flags;
};

// Kind::usage for flags that make no sense, not_found with the nearest name for a cluster that does not
// exist.
Result<std::unique_ptr<Move>> open_move(const Arguments& arguments);

}  // namespace truenas::plugin
