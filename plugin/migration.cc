#include "plugin/migration.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/engine/dry_run.h"
#include "lib/engine/explain.h"
#include "lib/report/plan_report.h"
#include "plugin/console.h"
#include "plugin/exit_code.h"

namespace truenas::plugin {
std::vector<Flag> migration_flags() {
  return {
      {"dry-run", 0, "none|client|server",
       "Show the plan only; server: also try its steps on the API server.", "none", false, "client"},
      {"yes", 'y', "", "Carry out the plan without asking."},
      {"accept", 0, "ID", "Consent to a loss or skipped check that the plan names.", "", true},
      {"timeout", 0, "DURATION", "Stop (resumable) after so long; 0 is never.", "0"},
      {"output", 'o', "FORMAT", "json or yaml: the result as a document."},
      {"help", 'h', "", "Show this help."},
  };
}

Result<MigrationFlags> read_migration_flags(const Arguments& arguments) {
  MigrationFlags flags;
  const std::string dry_run = arguments.text("dry-run");
  if (dry_run == "client") {
    flags.dry_run = DryRun::client;
  } else if (dry_run == "server") {
    flags.dry_run = DryRun::server;
  } else if (dry_run != "none") {
    return make_error(Kind::usage, fmt::format("Invalid dry-run value ({}). Must be \"none\", \"server\", or "
                                               "\"client\".",
                                               printable(dry_run)));
  }
  flags.yes = arguments.yes("yes");
  TM_TRY_ASSIGN(flags.timeout, parse_duration(arguments.text("timeout")));
  TM_TRY_ASSIGN(flags.format, parse_output_format(arguments.text("output")));
  return flags;
}

Result<void> ask_for_consent(const engine::Plan& plan, const MigrationFlags& flags) {
  std::fputs(report::render_plan(plan).c_str(), stderr);
  std::fputs("\n", stderr);
  return engine::confirm(plan, {flags.yes, stdin_is_terminal()},
                         [](std::string_view question) { return ask(std::string(question)); });
}

Result<void> try_plan(const engine::Plan& plan, const MigrationFlags& flags, const Connection& connection,
                      kube::Writer*& writer,
                      const std::function<Result<void>(const engine::Step&, kube::Writer&)>& act) {
  const bool server = flags.dry_run == DryRun::server;
  if (server) {
    kube::Writer trying(*connection.session, kube::Permit::server_trial());
    writer = &trying;
    const auto trials = engine::try_on_server(plan, trying, act);
    writer = nullptr;
    if (!trials.ok()) return trials.error();
    std::fputs(report::render_trials(*trials).c_str(), stderr);
    TM_TRY(engine::judge_trials(*trials));
  }
  std::fputs(server ? "nothing was changed (server dry run)\n" : "nothing was changed (dry run)\n", stderr);
  return {};
}

Result<engine::Outcome> carry_out(engine::Machine& machine, const CarryOut& what) {
  kube::Session& session = *what.connection.session;
  Clock& clock = session.clock();
  std::unique_ptr<kube::Session> own_session;
  if (what.lock_session == nullptr) {
    TM_TRY_ASSIGN(own_session, connect_for_lock(what.connection));
  }
  kube::Session& lock_session = what.lock_session != nullptr ? *what.lock_session : *own_session;
  engine::LockOptions lock_options;
  lock_options.ns = what.journal.address().ns;
  lock_options.name = what.journal.address().name();
  lock_options.what = what.what;
  lock_options.holder = engine::this_holder();
  lock_options.clock = &clock;
  lock_options.on_watch = [](const engine::Lease& lease, Milliseconds duration) {
    tell(fmt::format("{} holds the lock; watching for {} whether it is still alive\n",
                     printable(lease.holder), format_elapsed(duration)));
  };
  TM_TRY_ASSIGN(const std::unique_ptr<engine::Lock> lock, engine::Lock::acquire(lock_session, lock_options));
  kube::Writer writer(session, lock->permit());
  what.writer = &writer;
  what.journal.forget();

  ConsoleProgress progress(clock, what.label);
  engine::JournalLog log(what.journal, writer, lock->holder());
  engine::RunOptions options;
  options.clock = &clock;
  options.observer = what.observer != nullptr ? what.observer : &progress;
  options.log = &log;
  options.explain = engine::explain_by_events(kube::Reader(session));
  options.timeout = what.timeout;
  engine::Outcome outcome = engine::run(machine, writer, options);
  progress.finish();
  if (what.at_end) what.at_end(outcome, writer);

  what.writer = nullptr;
  // A lock that could not be given back ends by itself after its duration: worth a word, not a failure.
  if (const auto released = lock->release(); !released.ok()) {
    tell(fmt::format("warning: cannot release the lock: {}\n", released.error().what));
  }
  return outcome;
}

workflow::FactBook fact_book(engine::JournalStore& journal, kube::Writer*& writer) {
  return {[&journal]() -> Result<std::map<std::string, std::string>> {
            TM_TRY_ASSIGN(const engine::Journal read, journal.read());
            return read.facts();
          },
          [&journal, &writer](const std::string& key, const std::string& value) -> Result<void> {
            if (writer == nullptr)
              return make_error(Kind::bug, "the journal was to be written outside a run");
            return journal.set_facts(*writer, {{key, value}});
          }};
}

int conclude(const engine::Outcome& outcome, const std::string& label) {
  std::string text = label.empty() ? "" : label + ":\n";
  if (outcome.error) text += render_error(*outcome.error);
  tell(text + report::render_outcome(outcome));
  return outcome.error ? exit_code_of(outcome.error->kind) : static_cast<int>(k_exit_done);
}

}  // namespace truenas::plugin
