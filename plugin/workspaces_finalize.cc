#include "plugin/workspaces_finalize.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/interrupt.h"
#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/coder/server.h"
#include "lib/engine/side_by_side.h"
#include "lib/report/plan_report.h"
#include "lib/workflow/home_finalize.h"
#include "plugin/mover_flags.h"
#include "plugin/workspaces_results.h"

namespace truenas::plugin {
namespace {

using workflow::FinalizeWorld;

struct HomeGivingUp : HomeRun {
  std::unique_ptr<workflow::HomeFinalize> finalize;
  std::int64_t bytes = 0;  // of the old volume
  bool gives_up = false;
};

using GivingUp = std::vector<std::unique_ptr<HomeGivingUp>>;

std::string comparison_note(const HomeGivingUp& home, const FinalizeWorld& world) {
  if (world.facts.rollback) {
    return "the home was taken back: the volume that is given up is newer than the one that it is on" +
           (world.facts.newer.empty() ? "" : "; " + printable(world.facts.newer));
  }
  if (home.finalize->options().no_check) {
    return "the two volumes are not compared again (--no-check); then it was: " +
           printable(world.facts.compare);
  }
  return "both volumes are compared again, read-only, while the home may be in use; a workspace that starts "
         "meanwhile on another node may have to wait for its volume";
}

void describe(HomeGivingUp& home, const FinalizeWorld& world) {
  engine::Plan& plan = home.plan;
  plan.title = fmt::format("give up the volume that the home of claim {} was on", home.name());
  if (plan.nothing_to_do() || plan.blocked) return;
  plan.downtime = "none";
  if (world.adopted) {
    plan.not_done.emplace_back("both volumes are one dataset: both stay, Retain");
    return;
  }
  const std::string dataset = world.old.dataset.empty() ? world.old.name : world.old.dataset;
  if (home.finalize->options().delete_data) {
    plan.notes.push_back(
        fmt::format("dataset {} is destroyed; other clusters that use this NAS cannot be "
                    "seen from here",
                    dataset));
  } else if (world.old.exists) {
    plan.not_done.push_back(
        fmt::format("dataset {} stays on the NAS until somebody destroys it there", dataset));
  }
  plan.notes.push_back(comparison_note(home, world));
  plan.notes.emplace_back("after this the move cannot be rolled back");
}

void plan_home(HomeGivingUp& home) {
  const auto world = home.finalize->observe();
  if (!world.ok()) {
    home.error = world.error();
    return;
  }
  auto plan = engine::unfold(*home.finalize, *world);
  if (!plan.ok()) {
    home.error = plan.error();
    return;
  }
  home.plan = std::move(plan).value();
  describe(home, *world);
  if (home.plan.blocked) {
    home.error = make_error(home.plan.blocked->kind, home.plan.blocked->why, home.plan.blocked->hints);
    return;
  }
  home.finalize->agree(workflow::volumes_of(*world));
  home.gives_up = world->old.exists && home.plan.deletion_count() > 0;
  home.bytes = world->old.bytes;
}

Result<std::string> last_build(const HomesCall& call, const std::string& workspace_id) {
  TM_TRY_ASSIGN(const auto workspace, coder::ServerReader(*call.coder.session).find_workspace(workspace_id));
  if (!workspace || workspace->latest_build.job_status != "succeeded") return std::string();
  return workspace->latest_build.created_at;
}

std::function<void(const std::string&)> line_of(const HomesCall& call, const HomeGivingUp& home) {
  return [label = call.many ? home.name() + ": " : ""](const std::string& line) {
    std::fputs(fmt::format("         {}{}\n", label, printable(line)).c_str(), stderr);
  };
}

std::unique_ptr<HomeGivingUp> open_home(const HomesCall& call, const ChosenHome& chosen,
                                        const Arguments& arguments) {
  auto home = std::make_unique<HomeGivingUp>();
  home->home = chosen;
  home->journal = open_journal(call, chosen);
  workflow::FinalizeOptions options;
  options.ns = chosen.ns, options.claim = chosen.claim;
  options.accepted = call.options.accepted;
  options.delete_data = arguments.yes("delete-data");
  options.no_check = arguments.yes("no-check");
  options.endangered = chosen.endangered;
  workflow::HomeFinalizeTools tools{.reader = *call.reader,
                                    .facts = fact_book(*home->journal, home->writer),
                                    .program = embedded_mover(),
                                    .wishes = call.wishes,
                                    .on_line = line_of(call, *home)};
  if (call.coder.session && !chosen.workspace_id.empty()) {
    tools.last_build = [&call, id = chosen.workspace_id] { return last_build(call, id); };
  }
  home->finalize = std::make_unique<workflow::HomeFinalize>(std::move(tools), std::move(options));
  return home;
}

// "2 volumes, 20Gi", or "2 volumes with their data, 20Gi": what is typed when these are given up; "" when
// none is.
std::string phrase_of(const GivingUp& homes, bool delete_data) {
  std::size_t volumes = 0;
  std::int64_t bytes = 0;
  for (const auto& home : homes) {
    if (home->error || !home->gives_up) continue;
    ++volumes;
    bytes += home->bytes;
  }
  if (volumes == 0) return "";
  const char* data = !delete_data ? "" : volumes == 1 ? " with its data" : " with their data";
  return fmt::format("{}{}, {}", count_of(volumes, "volume"), data, format_bytes(bytes));
}

void run_home(const HomesCall& call, HomeGivingUp& home) {
  engine::RunningMachine<FinalizeWorld> machine(*home.finalize);
  CarryOut what = {call.connection, *home.journal, home.writer, "claim " + home.name(), call.flags.timeout};
  what.label = call.many ? home.name() : "";
  const auto outcome = carry_out(machine, what);
  if (!outcome.ok()) {
    home.error = outcome.error();
    return show_error(home);
  }
  home.outcome = *outcome;
  home.error = outcome->error;
  static_cast<void>(conclude(*outcome, what.label));
}

void run_side_by_side(const HomesCall& call, const GivingUp& homes) {
  std::vector<HomeGivingUp*> due;
  std::vector<std::function<bool()>> jobs;
  for (const auto& home : homes) {
    if (home->error || home->plan.nothing_to_do()) continue;
    due.push_back(home.get());
    jobs.emplace_back([&call, one = home.get()] {
      run_home(call, *one);
      return !one->error;
    });
  }
  const auto endings =
      engine::run_side_by_side(jobs, {.parallel = call.parallel, .max_failures = call.max_failures});
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (endings[i] == engine::Ending::not_begun) {
      due[i]->error = interrupted() ? make_error(Kind::interrupted, "not begun: interrupted")
                                    : make_error(Kind::stopped, "not begun: too many have failed before it");
    } else if (endings[i] == engine::Ending::failed && !due[i]->error) {
      due[i]->error = make_error(Kind::stopped, "its run ended without a word");
    }
  }
}

Result<void> show_plan(const HomesCall& call, HomeGivingUp& home) {
  if (!call.flags.structured() && !home.plan.title.empty()) {
    TM_TRY(print_answer(report::render_plan(home.plan) + "\n"));
  }
  if (!home.error) {
    const auto tried = try_plan(
        home.plan, call.flags, call.connection, home.writer,
        [&](const engine::Step& step, kube::Writer& writer) { return home.finalize->act(step, writer); });
    if (!tried.ok()) home.error = tried.error();
  }
  if (home.error) show_error(home);
  return {};
}

}  // namespace

std::vector<Flag> workspaces_finalize_flags() {
  return {
      {"finalize", 0, "",
       "Give the old volumes of the homes that are named up, once each was compared with the home again: "
       "their objects are deleted."},
      {"delete-data", 0, "", "With --finalize: let the old driver destroy their datasets too."},
      {"no-check", 0, "",
       "With --finalize: on the comparison made at the move, without comparing both volumes once more."},
      {"confirm", 0, "PHRASE", "With --finalize: the volumes and bytes that the plan gives up."},
  };
}

Result<int> finalize_homes(HomesCall& call, const std::vector<ChosenHome>& chosen,
                           const Arguments& arguments) {
  GivingUp homes;
  HomeRuns all;
  for (const ChosenHome& one : chosen) {
    homes.push_back(open_home(call, one, arguments));
    all.push_back(homes.back().get());
    plan_home(*homes.back());
  }
  if (call.flags.dry_run != DryRun::none) {
    for (const auto& home : homes) TM_TRY(show_plan(call, *home));
    if (call.flags.structured()) TM_TRY(print_results(all, call.flags));
    return exit_code_of_all(all);
  }
  TM_TRY(ask_for_all(all, call.flags, phrase_of(homes, arguments.yes("delete-data")),
                     arguments.optional_text("confirm")));
  run_side_by_side(call, homes);
  TM_TRY(print_results(all, call.flags));
  return exit_code_of_all(all);
}

}  // namespace truenas::plugin
