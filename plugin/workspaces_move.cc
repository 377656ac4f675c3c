#include "plugin/workspaces_move.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/engine/side_by_side.h"
#include "lib/report/plan_report.h"
#include "lib/workflow/home_finalize.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "plugin/console.h"
#include "plugin/exit_code.h"
#include "plugin/mover_flags.h"
#include "plugin/namespaces.h"
#include "plugin/workspaces_finalize.h"
#include "plugin/workspaces_home.h"

namespace truenas::plugin {
namespace {

using workflow::SwapWorld;

using Homes = std::vector<std::unique_ptr<HomeMove>>;

HomeRuns runs_of(const Homes& homes) {
  HomeRuns runs;
  for (const auto& move : homes) runs.push_back(move.get());
  return runs;
}

void warn(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    std::fputs(fmt::format("warning: {}\n", printable(line)).c_str(), stderr);
  }
}

// `label`: before each line about it, where others run beside it.
void run_home(HomesCall& call, HomeMove& move, const std::string& label) {
  engine::RunningMachine<SwapWorld> machine(*move.copy);
  CarryOut what = {call.connection, *move.journal, move.writer, "claim " + move.name(), call.flags.timeout};
  // Whatever ended it: Coder's rights do not stay taken without a word.
  what.at_end = [&move](const engine::Outcome& outcome, kube::Writer& writer) {
    if (outcome.error) warn(move.copy->settle_freeze(writer));
  };
  what.label = label;
  const auto outcome = carry_out(machine, what);
  if (!outcome.ok()) {
    move.error = outcome.error();
    return show_error(move);
  }
  move.outcome = *outcome;
  move.error = outcome->error;
  static_cast<void>(conclude(*outcome));
}

// Who is away for the shortest time first: homes that nobody uses, and small ones.
void put_in_order(Homes& homes) {
  std::stable_sort(homes.begin(), homes.end(), [](const auto& a, const auto& b) {
    return std::pair(a->in_use, a->bytes) < std::pair(b->in_use, b->bytes);
  });
}

Error not_begun() {
  if (interrupted()) return make_error(Kind::interrupted, "not begun: interrupted");
  return make_error(Kind::stopped, "not begun: as many as --max-failures says have failed before it");
}

Result<int> run_all(HomesCall& call, const Homes& homes) {
  TM_TRY(ask_for_all(runs_of(homes), call.flags));
  std::vector<HomeMove*> due;
  for (const auto& move : homes) {
    if (!move->error && !move->plan.nothing_to_do()) due.push_back(move.get());
  }
  std::vector<std::function<bool()>> jobs;
  for (HomeMove* move : due) {
    jobs.emplace_back([&call, move, alone = due.size() == 1] {
      run_home(call, *move, alone ? "" : move->name());
      return !move->error;
    });
  }
  const auto endings =
      engine::run_side_by_side(jobs, {.parallel = call.parallel, .max_failures = call.max_failures});
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (endings[i] == engine::Ending::not_begun) due[i]->error = not_begun();
  }
  TM_TRY(print_results(runs_of(homes), call.flags));
  return exit_code_of_all(runs_of(homes));
}

Result<int> show_all(HomesCall& call, const Homes& homes) {
  for (const auto& move : homes) {
    if (!call.flags.structured() && !move->plan.title.empty()) {
      TM_TRY(print_answer(report::render_plan(move->plan) + "\n"));
    }
    if (move->error) {
      show_error(*move);
      continue;
    }
    const Result<void> tried = try_plan(
        move->plan, call.flags, call.connection, move->writer,
        [&](const engine::Step& step, kube::Writer& writer) { return move->copy->act(step, writer); });
    if (!tried.ok()) {
      move->error = tried.error();
      show_error(*move);
    }
  }
  if (call.flags.structured()) TM_TRY(print_results(runs_of(homes), call.flags));
  return exit_code_of_all(runs_of(homes));
}

// --accept=thaw takes names as they are: their claims may be gone for ever.
Result<std::vector<ChosenHome>> chosen_homes(const HomesCall& call,
                                             const workflow::WorkspaceOptions& options) {
  if (!call.options.accepted.contains(workflow::k_thaw) || options.names.empty()) {
    return choose_homes(*call.reader, call.coder, call.cluster_uid, options);
  }
  std::vector<ChosenHome> chosen;
  for (const std::string& ns : options.namespaces) {
    for (const std::string& name : options.names) chosen.push_back({ns, name, "", "", ""});
  }
  return chosen;
}

Result<int> show_status(HomesCall& call, const Homes& homes) {
  std::string text;
  json::Value list = json::Value::array();
  for (const auto& move : homes) {
    TM_TRY_ASSIGN(const SwapWorld world, move->copy->observe());
    const std::string line = move->copy->progress(world);
    text += printable(line) + "\n";
    warn(workflow::freeze_warnings(world, move->copy->options()));
    list.push_back(json::Value::object({{"namespace", move->home.ns},
                                        {"claim", move->home.claim},
                                        {"text", line},
                                        {"open", workflow::is_open(world)},
                                        {"moved", world.facts.moved}}));
  }
  if (!call.flags.structured()) {
    TM_TRY(print_answer(text));
  } else {
    TM_TRY(
        print_answer(render_document(json::Value::object({{"homes", std::move(list)}}), call.flags.format)));
  }
  return k_exit_done;
}

}  // namespace

std::vector<Flag> workspaces_move_flags() {
  std::vector<Flag> flags = {
      {"strategy", 0, "copy",
       "Move the homes that are named: copied, compared, exchanged under their names."},
      {"max-downtime", 0, "DURATION", "Copy while a workspace runs until one pass takes no longer.", "2m"},
      {"rollback", 0, "", "Take the homes that are named back to the volumes of before."},
      {"status", 0, "", "Show how far the homes' moves are; changes nothing."},
      {"dry-run", 0, "none|client|server",
       "Show the plan of a move only; server: also try its steps on the API server.", "none", false,
       "client"},
      {"yes", 'y', "", "Carry out the plan without asking."},
      {"accept", 0, "ID", "Consent to a loss or skipped check that a refusal names.", "", true},
      {"parallel", 0, "N", "So many homes at once.", "4"},
      {"order", 0, "downtime|name", "Which home begins first.", "downtime"},
      {"max-failures", 0, "N", "Begin no further home once so many have failed; 0: go on.", "0"},
      {"map-owner", 0, "UID:GID=UID:GID", "This owner becomes that one on the new volume; * stands for any.",
       "", true},
      {"leave-out", 0, "PATH", "Leave this path of the home behind, with all below it.", "", true},
      {"timeout", 0, "DURATION", "Stop (resumable) after so long; 0 is never.", "0"},
  };
  for (auto more : {workspaces_finalize_flags(), mover_flags()}) {
    for (Flag& flag : more) flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<kube::Permission> workspaces_move_permissions(const Arguments& arguments) {
  if (arguments.yes("finalize")) return workflow::home_finalize_permissions("");
  return workflow::workspace_copy_permissions("", arguments.text("coder-namespace"));
}

bool is_workspaces_move(const Arguments& arguments) {
  return arguments.given("strategy") || arguments.yes("rollback") || arguments.yes("status") ||
         arguments.yes("finalize");
}

Result<int> move_workspaces(const Arguments& arguments, workflow::WorkspaceOptions options) {
  HomesCall call;
  TM_TRY(read_homes_flags(arguments, options, call));
  if (options.names.empty() && options.selector.empty() && !options.name_pattern) {
    return make_error(Kind::usage, "name the workspaces to move, or select them with -l or --name-regex",
                      {"kubectl truenas-migrate workspaces"});
  }
  TM_TRY_ASSIGN(call.connection, connect(arguments));
  call.reader = std::make_unique<kube::Reader>(*call.connection.session);
  call.view = workflow::shared_view(*call.reader);
  TM_TRY_ASSIGN(call.cluster_uid, call.reader->cluster_uid());
  TM_TRY_ASSIGN(options.namespaces,
                choose_namespaces(*call.reader, arguments, "workspaces", {"coder-workspaces"}));
  TM_TRY_ASSIGN(call.coder, connect_to_coder(arguments));
  TM_TRY_ASSIGN(const std::vector<ChosenHome> chosen, chosen_homes(call, options));
  if (arguments.yes("finalize")) return finalize_homes(call, chosen, arguments);
  Homes homes;
  call.many = chosen.size() > 1;
  for (const ChosenHome& home : chosen) {
    TM_TRY_ASSIGN(std::unique_ptr<HomeMove> move, open_home(call, home));
    homes.push_back(std::move(move));
  }
  if (homes.empty()) return make_error(Kind::not_found, "no workspace's claim fits");
  if (arguments.yes("status")) return show_status(call, homes);
  for (const auto& move : homes) plan_home(*move);
  if (arguments.text("order") == "downtime") put_in_order(homes);
  return call.flags.dry_run == DryRun::none ? run_all(call, homes) : show_all(call, homes);
}

}  // namespace truenas::plugin
