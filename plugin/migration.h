#pragma once
// The path that every migration command takes once its plan is known: consent, lock, run, and what is said at
// the end. It decides nothing about a migration; workflows do.

#include <functional>
#include <string>

#include "lib/engine/confirm.h"
#include "lib/engine/journal_store.h"
#include "lib/engine/lock.h"
#include "lib/engine/run.h"
#include "lib/workflow/fact_book.h"
#include "plugin/arguments.h"
#include "plugin/connection.h"
#include "plugin/output.h"

namespace truenas::plugin {

enum class DryRun { none, client, server };

// What the common migration flags say.
struct MigrationFlags {
  DryRun dry_run = DryRun::none;
  bool yes = false;
  Milliseconds timeout{0};  // 0: none
  OutputFormat format = OutputFormat::table;
  bool structured() const { return format == OutputFormat::json || format == OutputFormat::yaml; }
};

// -y, --dry-run, --timeout, -o: for a command's own flag group.
std::vector<Flag> migration_flags();
// Kind::usage for a bad value, with kubectl's wording (O7).
Result<MigrationFlags> read_migration_flags(const Arguments& arguments);

// Prints the plan to stderr and asks, unless there is nothing to do. Kind::usage, refused or interrupted
// otherwise.
Result<void> ask_for_consent(const engine::Plan& plan, const MigrationFlags& flags);

// --dry-run: puts the plan's steps to the server if it says so, and says on stderr that nothing was changed.
// `writer` is set while the trial goes on. Kind::refused naming every step that the server would refuse.
Result<void> try_plan(const engine::Plan& plan, const MigrationFlags& flags, const Connection& connection,
                      kube::Writer*& writer,
                      const std::function<Result<void>(const engine::Step&, kube::Writer&)>& act);

struct CarryOut {
  const Connection& connection;
  engine::JournalStore& journal;
  kube::Writer*& writer;  // set while the run goes on
  std::string what;       // "cluster coder/coder-postgres", for messages
  Milliseconds timeout{0};
  // Called at the run's end, while the lock is still held, whichever way the run ended.
  std::function<void(const engine::Outcome&, kube::Writer&)> at_end = {};
  std::string label = {};  // before each line of progress, where several runs share the terminal
  engine::RunObserver* observer = nullptr;  // shows the progress instead
  kube::Session* lock_session = nullptr;    // connect_for_lock()'s, where several runs share one
};

// The journal's facts for a workflow. Both must outlive it; facts can be written while `writer` is set.
workflow::FactBook fact_book(engine::JournalStore& journal, kube::Writer*& writer);

// Takes the lock, runs the machine to its end with progress on stderr, and gives the lock back. Errors are
// only those of taking the lock: how the run itself ended is in the Outcome.
Result<engine::Outcome> carry_out(engine::Machine& machine, const CarryOut& what);

// Prints to stderr how the run ended, in one piece; `label` says whose run it was where there are several.
// The exit code.
int conclude(const engine::Outcome& outcome, const std::string& label = "");

}  // namespace truenas::plugin
