// `postgres`: moves a CloudNativePG cluster to another storage class, replica by replica.

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/text.h"
#include "lib/cnpg/connection.h"
#include "lib/cnpg/permissions.h"
#include "lib/report/access_report.h"
#include "lib/report/plan_report.h"
#include "lib/report/postgres_report.h"
#include "plugin/exit_code.h"
#include "plugin/migration.h"
#include "plugin/postgres_move.h"
#include "plugin/subcommands.h"

namespace truenas::plugin {
namespace {

std::vector<FlagGroup> postgres_flags() {
  std::vector<Flag> own = {
      {"namespace", 'n', "NAME", "The cluster's namespace."},
      {"from-class", 0, "NAME", "The storage class to leave.", "truenas-nfs"},
      {"to-class", 0, "NAME", "The storage class to reach.", "truenas-csi-nfs"},
      {"strategy", 0, "rolling", "How: rolling is replica by replica, without a dump.", "rolling"},
      {"skip-canary", 0, "", "Do not try PostgreSQL on a throw-away claim of the new class first."},
      {"proof-max-size", 0, "SIZE", "Tables above this are counted as not hashed.", "1Gi"},
      {"journal-namespace", 0, "NAME", "Where the storage class's journal lies.",
       workflow::k_class_journal_ns},
      {"rollback", 0, "", "The same the other way round: back to --from-class."},
      {"status", 0, "", "Show how far the move is; changes nothing."},
      {"print-rbac", 0, "", "Print the ClusterRole that this command needs."},
  };
  for (Flag& flag : migration_flags()) own.push_back(std::move(flag));
  return {{"Flags", std::move(own)}, connection_flags()};
}

Result<int> show_plan(Move& move, const engine::Plan& plan) {
  TM_TRY(print_answer(move.flags.structured() ? render_document(engine::to_json(plan), move.flags.format)
                                              : report::render_plan(plan)));
  if (plan.blocked) return make_error(plan.blocked->kind, plan.blocked->why, plan.blocked->hints);
  TM_TRY(try_plan(
      plan, move.flags, move.connection, move.writer,
      [&](const engine::Step& step, kube::Writer& writer) { return move.rolling->act(step, writer); }));
  return k_exit_done;
}

Result<int> show_status(Move& move, const workflow::PostgresWorld& world) {
  const engine::Next next = move.rolling->next(world);
  if (move.flags.structured()) {
    TM_TRY(print_answer(render_document(report::rolling_status_document(world, move.rolling->options(), next),
                                        move.flags.format)));
  } else {
    TM_TRY(print_answer(report::render_rolling_status(world, move.rolling->options(), next)));
  }
  return k_exit_done;
}

// What the result is compared with: for a move that goes on, how it was before its first run.
Result<cnpg::ConnectionFacts> connections_before(const Move& move, const workflow::PostgresWorld& start) {
  const workflow::MoveFacts& facts = start.facts;
  const bool goes_on = facts.number > 0 && !facts.ended && facts.to_class == move.rolling->options().to_class;
  if (goes_on && !facts.connections.empty()) return cnpg::parse_connection_text(facts.connections);
  return cnpg::read_connection_facts(*move.reader, start.cluster);
}

Result<int> run_move(Move& move, const workflow::PostgresWorld& start, const engine::Plan& plan) {
  if (plan.blocked) {
    std::fputs(report::render_plan(plan).c_str(), stderr);
    return make_error(plan.blocked->kind, plan.blocked->why, plan.blocked->hints);
  }
  TM_TRY(ask_for_consent(plan, move.flags));
  if (plan.nothing_to_do()) return k_exit_done;
  const auto connections = connections_before(move, start);
  engine::RunningMachine<workflow::PostgresWorld> machine(*move.rolling);
  const workflow::RollingOptions& options = move.rolling->options();
  const CarryOut what = {move.connection, *move.journal, move.writer,
                         fmt::format("cluster {}/{}", options.ns, options.cluster), move.flags.timeout};
  TM_TRY_ASSIGN(const engine::Outcome outcome, carry_out(machine, what));
  const auto& world = machine.world();
  const report::ConnectionComparison compared =
      report::compare_connections(connections, cnpg::read_connection_facts(*move.reader, start.cluster));
  if (move.flags.structured()) {
    json::Value document = report::rolling_result_document(outcome, world, move.rolling->proof(), options);
    if (world) document.set("connections", report::connections_document(compared));
    TM_TRY(print_answer(render_document(document, move.flags.format)));
  } else if (outcome.ok() && world) {
    TM_TRY(print_answer(report::render_rolling_result(*world, move.rolling->proof(), options) +
                        report::render_connections(compared)));
  }
  const int code = conclude(outcome);
  return code == k_exit_done && !compared.changes.empty() ? static_cast<int>(k_exit_mismatch) : code;
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
  return move->flags.dry_run == DryRun::none ? run_move(*move, world, plan) : show_plan(*move, plan);
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
      postgres};
}

}  // namespace truenas::plugin
