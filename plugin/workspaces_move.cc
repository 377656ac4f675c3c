#include "plugin/workspaces_move.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "lib/base/text.h"
#include "lib/report/plan_report.h"
#include "lib/workflow/adoption_look.h"
#include "lib/workflow/home_finalize.h"
#include "lib/workflow/moved_homes.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "plugin/console.h"
#include "plugin/exit_code.h"
#include "plugin/mover_flags.h"
#include "plugin/namespaces.h"
#include "plugin/workspaces_finalize.h"
#include "plugin/workspaces_fleet.h"
#include "plugin/workspaces_home.h"

namespace truenas::plugin {
namespace {

using workflow::SwapWorld;

// What no move is about (the class, who may build) is read this often for all homes together.
constexpr Milliseconds k_age{2000};

Result<int> show_all(HomesCall& call, const Homes& homes) {
  for (const auto& move : homes) {
    if (!call.flags.structured() && !move->plan.title.empty()) {
      TM_TRY(print_answer(report::render_plan(move->plan) + "\n"));
    }
    if (move->error) {
      show_error(*move);
      continue;
    }
    if (call.flags.dry_run != DryRun::server) continue;
    const Result<void> tried = try_plan(
        move->plan, call.flags, call.connection, move->writer,
        [&](const engine::Step& step, kube::Writer& writer) { return move->copy->act(step, writer); });
    if (!tried.ok()) {
      move->error = tried.error();
      show_error(*move);
    }
  }
  if (call.flags.dry_run != DryRun::server) tell("nothing was changed (dry run)\n");
  if (call.flags.structured()) TM_TRY(print_results(runs_of(homes), call.flags));
  return exit_code_of_all(runs_of(homes));
}

// The claims that --all stands for. A journal that cannot be read leaves its home out, and is warned of.
Result<std::vector<ChosenHome>> all_homes(HomesCall& call, workflow::WorkspaceOptions options,
                                          bool finalize) {
  TM_TRY_ASSIGN(const workflow::MovedHomes moved,
                workflow::find_moved_homes(*call.reader, call.cluster_uid, options.namespaces));
  for (const Error& unread : moved.unread) warn({unread.what + ": its home is left as it is"});
  call.unread = !moved.unread.empty();
  std::map<std::string, std::set<std::string>> wanted;  // by namespace
  for (const workflow::MovedHome& home : moved.homes) {
    if (!home.there && !home.open) {
      warn({fmt::format("claim {}/{} was moved and is gone: its old volume is left as it is", home.ns,
                        home.claim)});
      continue;
    }
    if (finalize || !home.back || home.open) wanted[home.ns].insert(home.claim);
  }
  std::vector<ChosenHome> all;
  for (const auto& [ns, claims] : wanted) {
    options.namespaces = {ns};
    options.names.assign(claims.begin(), claims.end());
    TM_TRY_ASSIGN(std::vector<ChosenHome> chosen,
                  choose_homes(*call.reader, call.coder, call.cluster_uid, options));
    for (ChosenHome& home : chosen) {
      if (home.ns == ns && claims.contains(home.claim)) all.push_back(std::move(home));
    }
  }
  return all;
}

// A home that two names stand for is one home.
void keep_each_once(std::vector<ChosenHome>& chosen) {
  std::set<std::pair<std::string, std::string>> seen;
  std::erase_if(chosen, [&](const ChosenHome& home) { return !seen.emplace(home.ns, home.claim).second; });
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

Result<int> move_chosen(HomesCall& call, const std::vector<ChosenHome>& chosen, const Arguments& arguments) {
  call.many = chosen.size() > 1;
  if (arguments.yes("finalize")) return finalize_homes(call, chosen, arguments);
  Homes homes;
  for (const ChosenHome& home : chosen) {
    TM_TRY_ASSIGN(std::unique_ptr<HomeMove> move, open_home(call, home));
    homes.push_back(std::move(move));
  }
  if (homes.empty()) return make_error(Kind::not_found, "no workspace's claim fits");
  if (arguments.yes("status")) return show_status(call, homes);
  TM_TRY(begin_planning(call, chosen));
  for (const auto& move : homes) plan_home(*move);
  end_planning(call);
  if (arguments.text("order") == "downtime") put_in_order(homes);
  if (call.when_stopped) wait_for_users(homes);
  return call.flags.dry_run == DryRun::none ? run_homes(call, homes) : show_all(call, homes);
}

}  // namespace

std::vector<Flag> workspaces_move_flags() {
  std::vector<Flag> flags = {
      {"strategy", 0, "copy|adopt|report",
       "Move the homes that are named: copied, compared, exchanged under their names; or adopted: the new "
       "driver serves the old dataset, without a copy. report: say who is left, for each owner."},
      {"max-downtime", 0, "DURATION", "Copy while a workspace runs until one pass takes no longer.", "2m"},
      {"rollback", 0, "",
       "Take the homes that are named back to the volumes of before; what was written since is named, and "
       "stays "
       "on the other volume."},
      {"all", 0, "", "With --rollback or --finalize: every home that was moved and is not finalized."},
      {"status", 0, "", "Show how far the homes' moves are; changes nothing."},
      {"dry-run", 0, "none|client|server",
       "Show the plan of a move only; server: also try its steps on the API server.", "none", false,
       "client"},
      {"yes", 'y', "", "Carry out the plan without asking."},
      {"accept", 0, "ID", "Consent to a loss or skipped check that a refusal names.", "", true},
      {"parallel", 0, "N", "So many homes at once, up to 64.", "4"},
      {"copy-workers", 0, "N", "So many files at once at most, of all homes together.", "128"},
      {"progress", 0, "auto|plain|none",
       "How several homes' progress is shown: a line a home on a terminal, else a line an event.", "auto"},
      {"when-stopped", 0, "DURATION",
       "Also wait so long for homes in use, and move each as soon as its user stops it; 0 is for ever.", "",
       false, "0"},
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
  if (arguments.yes("finalize")) return workflow::home_finalize_permissions("", !arguments.yes("no-check"));
  std::vector<kube::Permission> rights =
      workflow::workspace_copy_permissions("", arguments.text("coder-namespace"));
  const auto wishes = workflow::view_wishes("");
  rights.insert(rights.end(), wishes.begin(), wishes.end());
  if (arguments.text("strategy") != "adopt") return rights;
  for (const auto& more : {workflow::workspace_adopt_permissions(""), workflow::adoption_look_wishes("")}) {
    rights.insert(rights.end(), more.begin(), more.end());
  }
  return rights;
}

bool is_workspaces_move(const Arguments& arguments) {
  return (arguments.given("strategy") && arguments.text("strategy") != "report") ||
         arguments.yes("rollback") || arguments.yes("status") || arguments.yes("finalize") ||
         arguments.yes("all");
}

Result<int> move_workspaces(const Arguments& arguments, workflow::WorkspaceOptions options) {
  HomesCall call;
  TM_TRY(read_homes_flags(arguments, options, call));
  const bool selected = !options.names.empty() || !options.selector.empty() || options.name_pattern;
  const bool all = arguments.yes("all");
  if (all && (selected || (!arguments.yes("rollback") && !arguments.yes("finalize")))) {
    return make_error(Kind::usage,
                      "--all goes with --rollback or --finalize, and with no names or selection");
  }
  if (!selected && !all) {
    return make_error(Kind::usage, "name the workspaces to move, or select them with -l or --name-regex",
                      {"kubectl truenas-migrate workspaces"});
  }
  TM_TRY_ASSIGN(call.connection, connect(arguments));
  call.reader = std::make_unique<kube::Reader>(*call.connection.session);
  call.view = workflow::shared_view(*call.reader, {.age = k_age, .watches = true});
  TM_TRY_ASSIGN(call.cluster_uid, call.reader->cluster_uid());
  TM_TRY_ASSIGN(options.namespaces,
                choose_namespaces(*call.reader, arguments, "workspaces", {"coder-workspaces"}));
  TM_TRY_ASSIGN(call.coder, connect_to_coder(arguments));
  TM_TRY_ASSIGN(std::vector<ChosenHome> chosen,
                all ? all_homes(call, options, arguments.yes("finalize")) : chosen_homes(call, options));
  keep_each_once(chosen);
  int code = k_exit_done;
  if (all && chosen.empty()) {
    std::fputs("no home was moved that is not finalized\n", stderr);
  } else {
    TM_TRY_ASSIGN(code, move_chosen(call, chosen, arguments));
  }
  return code == k_exit_done && call.unread ? k_exit_stopped : code;
}

}  // namespace truenas::plugin
