#pragma once
// What one command does to several homes: each one's journal, plan and end, the one question for all of them,
// what is shown of each, and the exit code. It runs nothing.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/journal_store.h"
#include "lib/engine/outcome.h"
#include "lib/engine/plan.h"
#include "plugin/migration.h"
#include "plugin/workspaces_chosen.h"

namespace truenas::plugin {

// One home.
struct HomeRun {
  ChosenHome home;
  std::unique_ptr<engine::JournalStore> journal;
  kube::Writer* writer = nullptr;  // while a run goes on
  engine::Plan plan;
  std::optional<Error> error;              // how it ended, or why it did not begin
  std::optional<engine::Outcome> outcome;  // of its run
  std::vector<std::string> warnings;       // what it has left behind, when it did not end well
  std::string name() const { return home.ns + "/" + home.claim; }
};
using HomeRuns = std::vector<HomeRun*>;

// Shows every plan, and every refusal, on stderr, and asks once; with `phrase` only that phrase, typed or
// given as `confirmed`, goes on. Kind::usage, refused or interrupted otherwise.
Result<void> ask_for_all(const HomeRuns& homes, const MigrationFlags& flags, const std::string& phrase = "",
                         const std::optional<std::string>& confirmed = std::nullopt);
void show_error(const HomeRun& home);
// The answer on stdout: a line a home, or a document.
Result<void> print_results(const HomeRuns& homes, const MigrationFlags& flags);
// 0 when all are done, a single home's own code, 4 when all were refused, 128 and the signal when
// interrupted, else 5.
int exit_code_of_all(const HomeRuns& homes);

}  // namespace truenas::plugin
