// `postgres`: moves a CloudNativePG cluster to another storage class, replica by replica.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/cnpg/cluster_reader.h"
#include "lib/cnpg/permissions.h"
#include "lib/engine/dry_run.h"
#include "lib/report/plan_report.h"
#include "lib/report/postgres_report.h"
#include "lib/workflow/postgres_rolling.h"
#include "plugin/connection.h"
#include "plugin/exit_code.h"
#include "plugin/migration.h"
#include "plugin/subcommands.h"

namespace truenas::plugin {
namespace {

// A renewal that takes longer has failed: the lock must be seen to be lost before it ends (15 s).
constexpr Milliseconds k_lock_timeout{5000};

std::vector<FlagGroup> postgres_flags() {
  std::vector<Flag> own = {
      {"namespace", 'n', "NAME", "The cluster's namespace."},
      {"from-class", 0, "NAME", "The storage class to leave.", "truenas-nfs"},
      {"to-class", 0, "NAME", "The storage class to reach.", "truenas-csi-nfs"},
      {"strategy", 0, "rolling", "How: rolling is replica by replica, without a dump.", "rolling"},
      {"skip-canary", 0, "", "Do not try PostgreSQL on a throw-away claim of the new class first."},
      {"proof-max-size", 0, "SIZE", "Tables above this are counted as not hashed.", "1Gi"},
      {"rollback", 0, "", "The same the other way round: back to --from-class."},
      {"status", 0, "", "Show how far the move is; changes nothing."},
      {"print-rbac", 0, "", "Print the ClusterRole that this command needs."},
  };
  for (Flag& flag : migration_flags()) own.push_back(std::move(flag));
  return {{"Flags", std::move(own)}, connection_flags()};
}

Result<workflow::RollingOptions> read_options(const Arguments& arguments) {
  const std::string strategy = arguments.text("strategy");
  if (strategy == "dump") {
    return make_error(Kind::usage,
                      "--strategy=dump is not part of this version; the only strategy is rolling");
  }
  if (strategy != "rolling") {
    return make_error(Kind::usage,
                      fmt::format("unknown strategy {}: did you mean rolling?", quote(strategy)));
  }
  if (arguments.positionals().size() > 1) {
    return make_error(Kind::usage, fmt::format("postgres moves one cluster, got {}",
                                               printable(join(arguments.positionals(), " "))));
  }
  workflow::RollingOptions options;
  options.from_class = arguments.text("from-class");
  options.to_class = arguments.text("to-class");
  if (options.from_class == options.to_class) {
    return make_error(Kind::usage,
                      fmt::format("--from-class and --to-class are both {}", quote(options.to_class)));
  }
  options.rollback = arguments.yes("rollback");
  if (options.rollback) std::swap(options.from_class, options.to_class);
  options.skip_canary = arguments.yes("skip-canary");
  for (const std::string& id : arguments.texts("accept")) options.accepted.insert(id);
  TM_TRY_ASSIGN(options.proof_max_bytes, parse_quantity(arguments.text("proof-max-size")));
  return options;
}

Result<std::string> choose_cluster(const kube::Reader& reader, const std::string& ns,
                                   const Arguments& arguments) {
  TM_TRY_ASSIGN(const std::vector<std::string> names, cnpg::cluster_names(reader, ns));
  const std::string list = fmt::format("kubectl get clusters.postgresql.cnpg.io -n {}", ns);
  if (!arguments.positionals().empty()) {
    const std::string& wanted = arguments.positionals()[0];
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
    Error error =
        make_error(Kind::not_found, fmt::format("cluster {}/{} does not exist", ns, printable(wanted)));
    if (const auto near = nearest(wanted, names))
      error.hints.push_back(fmt::format("did you mean {}?", *near));
    error.hints.push_back(list);
    return error;
  }
  if (names.empty()) {
    return make_error(Kind::not_found, fmt::format("there is no CloudNativePG cluster in namespace {}", ns),
                      {"kubectl get clusters.postgresql.cnpg.io -A",
                       "kubectl truenas-migrate postgres --namespace NAMESPACE"});
  }
  if (names.size() > 1) {
    return make_error(Kind::usage, fmt::format("namespace {} has {}: {}; name one", ns,
                                               count_of(names.size(), "cluster"), join(names, ", ")));
  }
  return names[0];
}

// Everything that one call of the command works with.
struct Move {
  Connection connection;
  std::unique_ptr<kube::Reader> reader;
  std::unique_ptr<engine::JournalStore> journal;
  kube::Writer* writer = nullptr;  // while a run goes on
  std::unique_ptr<workflow::PostgresRolling> rolling;
  MigrationFlags flags;
};

workflow::FactBook fact_book(Move& move) {
  return {[&move]() -> Result<std::map<std::string, std::string>> {
            TM_TRY_ASSIGN(const engine::Journal journal, move.journal->read());
            return journal.facts();
          },
          [&move](const std::string& key, const std::string& value) -> Result<void> {
            if (move.writer == nullptr)
              return make_error(Kind::bug, "the journal was to be written outside a run");
            return move.journal->set_facts(*move.writer, {{key, value}});
          }};
}

Result<std::unique_ptr<Move>> open_move(const Arguments& arguments) {
  auto move = std::make_unique<Move>();
  TM_TRY_ASSIGN(move->flags, read_migration_flags(arguments));
  TM_TRY_ASSIGN(workflow::RollingOptions options, read_options(arguments));
  TM_TRY_ASSIGN(move->connection, connect(arguments));
  move->reader = std::make_unique<kube::Reader>(*move->connection.session);
  options.ns = move->connection.config.ns;
  TM_TRY_ASSIGN(options.cluster, choose_cluster(*move->reader, options.ns, arguments));
  TM_TRY_ASSIGN(std::string cluster_uid, move->reader->cluster_uid());
  engine::JournalBinding binding{std::move(cluster_uid),
                                 fmt::format("cluster {}/{}", options.ns, options.cluster), ""};
  move->journal = std::make_unique<engine::JournalStore>(
      *move->reader, engine::JournalAddress{options.ns, "postgres", options.cluster}, std::move(binding),
      system_clock());
  move->rolling = std::make_unique<workflow::PostgresRolling>(*move->reader, fact_book(*move),
                                                              std::move(options), system_clock());
  move->rolling->on_proof_progress = [](const std::string& line) {
    std::fputs(fmt::format("         {}\n", printable(line)).c_str(), stderr);
  };
  return move;
}

Result<int> show_plan(Move& move, const engine::Plan& plan) {
  const bool structured = move.flags.format == OutputFormat::json || move.flags.format == OutputFormat::yaml;
  TM_TRY(print_answer(structured ? render_document(engine::to_json(plan), move.flags.format)
                                 : report::render_plan(plan)));
  if (plan.blocked) return make_error(plan.blocked->kind, plan.blocked->why, plan.blocked->hints);
  if (move.flags.dry_run == DryRun::server) {
    kube::Permit permit;
    permit.server_dry_run = true;
    permit.still_granted = [] { return Result<void>(); };
    kube::Writer writer(*move.connection.session, permit);
    move.writer = &writer;
    const auto trials = engine::try_on_server(plan, writer, *move.rolling);
    move.writer = nullptr;
    if (!trials.ok()) return trials.error();
    std::fputs(report::render_trials(*trials).c_str(), stderr);
    TM_TRY(engine::judge_trials(*trials));
  }
  std::fputs(move.flags.dry_run == DryRun::server ? "nothing was changed (server dry run)\n"
                                                  : "nothing was changed (dry run)\n",
             stderr);
  return k_exit_done;
}

Result<int> show_status(Move& move, const workflow::PostgresWorld& world) {
  const engine::Next next = move.rolling->next(world);
  if (move.flags.format == OutputFormat::json || move.flags.format == OutputFormat::yaml) {
    TM_TRY(print_answer(render_document(report::rolling_status_document(world, move.rolling->options(), next),
                                        move.flags.format)));
  } else {
    TM_TRY(print_answer(report::render_rolling_status(world, move.rolling->options(), next)));
  }
  return k_exit_done;
}

Result<int> run_move(Move& move, const engine::Plan& plan) {
  if (plan.blocked) {
    std::fputs(report::render_plan(plan).c_str(), stderr);
    return make_error(plan.blocked->kind, plan.blocked->why, plan.blocked->hints);
  }
  TM_TRY(ask_for_consent(plan, move.flags));
  if (plan.nothing_to_do()) return k_exit_done;
  engine::RunningMachine<workflow::PostgresWorld> machine(*move.rolling);
  TM_TRY_ASSIGN(const std::unique_ptr<kube::Session> lock_session,
                connect_again(move.connection, k_lock_timeout));
  CarryOut what;
  what.session = move.connection.session.get();
  what.lock_session = lock_session.get();
  what.journal = move.journal.get();
  what.what = fmt::format("cluster {}/{}", move.rolling->options().ns, move.rolling->options().cluster);
  what.timeout = move.flags.timeout;
  what.hand_over = [&move](kube::Writer* writer) { move.writer = writer; };
  TM_TRY_ASSIGN(const engine::Outcome outcome, carry_out(machine, what));
  const bool structured = move.flags.format == OutputFormat::json || move.flags.format == OutputFormat::yaml;
  const auto& world = machine.world();
  if (structured) {
    TM_TRY(print_answer(render_document(
        report::rolling_result_document(outcome, world, move.rolling->proof(), move.rolling->options()),
        move.flags.format)));
  } else if (outcome.ok() && world) {
    TM_TRY(
        print_answer(report::render_rolling_result(*world, move.rolling->proof(), move.rolling->options())));
  }
  return conclude(outcome);
}

Result<int> postgres(const Arguments& arguments) {
  if (arguments.yes("print-rbac")) {
    TM_TRY(print_answer(json::write_yaml(
        report::cluster_role_document("truenas-migrate-postgres", cnpg::rolling_permissions("")))));
    return k_exit_done;
  }
  TM_TRY_ASSIGN(const std::unique_ptr<Move> move, open_move(arguments));
  TM_TRY_ASSIGN(const workflow::PostgresWorld world, move->rolling->observe());
  if (arguments.yes("status")) return show_status(*move, world);
  TM_TRY_ASSIGN(engine::Plan plan, engine::unfold(*move->rolling, world));
  report::describe_rolling_plan(plan, world, move->rolling->options());
  return move->flags.dry_run == DryRun::none ? run_move(*move, plan) : show_plan(*move, plan);
}

int run_postgres(const Arguments& arguments) {
  const Result<int> code = postgres(arguments);
  if (code.ok()) return *code;
  std::fputs(render_error(code.error()).c_str(), stderr);
  return exit_code_of(code.error().kind);
}

}  // namespace

Command postgres_command() {
  return {
      "postgres",
      "postgres [CLUSTER]",
      "Move a CloudNativePG cluster to the new class while its clients go on writing",
      "Moves a CloudNativePG cluster to another storage class, replica by replica, with one switchover. "
      "Shows its plan\n"
      "with reasons first and asks. Old volumes stay, with reclaim policy Retain. Running it again at any "
      "moment goes\n"
      "on where it stopped. At the end every table is hashed on the primary and each replica and compared.\n"
      "CLUSTER may be left out when the namespace has one.",
      {"kubectl truenas-migrate postgres --namespace coder --dry-run",
       "kubectl truenas-migrate postgres --namespace coder",
       "kubectl truenas-migrate postgres coder-postgres -n coder --rollback"},
      postgres_flags,
      run_postgres};
}

}  // namespace truenas::plugin
