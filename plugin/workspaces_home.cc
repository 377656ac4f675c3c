#include "plugin/workspaces_home.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/mover/ownership.h"
#include "lib/workflow/workspace_copy/coder_control.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "plugin/console.h"
#include "plugin/mover_flags.h"
#include "plugin/workspaces_plan.h"

namespace truenas::plugin {
namespace {

using workflow::SwapWorld;
using workflow::WorkspaceCopy;

// What a look at a home takes while its mover runs, and how long may pass between two: half of what counts as
// unwatched.
constexpr std::size_t k_requests_a_look = 10;
constexpr std::size_t k_seconds_between_looks = 15;

// Where many movers run each is asked less often: they share one rate of requests.
Milliseconds look_every(std::size_t parallel) {
  return std::max(Milliseconds(1000), Milliseconds(250) * static_cast<int>(parallel));
}

workflow::FactBook facts_of(HomesCall& call, HomeMove& move) {
  workflow::FactBook book = fact_book(*move.journal, move.writer);
  book.read = [&call, &move, read = book.read]() -> Result<std::map<std::string, std::string>> {
    const std::string name = move.home.ns + "/" + move.journal->address().name();
    if (call.journals && !call.journals->contains(name)) return std::map<std::string, std::string>();
    return read();
  };
  return book;
}

// What stays old, and what was accepted.
void describe_adoption(engine::Plan& plan, const SwapWorld& world) {
  for (const storage::AdoptionFinding& finding : world.adoption) {
    plan.notes.push_back(fmt::format("[{}] {}", finding.id, finding.what));
  }
  plan.notes.push_back(
      "both volume objects stay Retain: whichever is set to Delete and goes takes the data of both with it; "
      "with a copy instead the home would get a dataset of its own, with the new class's options, in the "
      "time "
      "that the copy takes: --strategy=copy");
  plan.not_done.push_back("no byte is copied, and nothing is changed on the NAS");
  plan.not_done.push_back(
      "the old volume object is not deleted: it stays, Retain, and the old driver with it");
}

void describe(HomeMove& move, const SwapWorld& world) {
  engine::Plan& plan = move.plan;
  const bool back = move.copy->options().rollback;
  const std::string whose = move.home.title.empty() ? "" : fmt::format(" ({})", move.home.title);
  plan.title =
      fmt::format("{} claim {}{} {} storage class {}", back ? "take" : "move", move.name(), whose,
                  back ? "back to" : "to", back ? world.source.storage_class : move.copy->options().to_class);
  if (move.copy->options().accepted.contains(workflow::k_thaw)) {
    plan.title = fmt::format("give Coder the rights back that were taken for claim {}", move.name());
    return;
  }
  if (plan.nothing_to_do() || plan.blocked) return;
  plan.downtime = downtime_of(move, world);
  if (!world.source.name.empty() && !workflow::is_open(world)) {
    plan.notes.push_back(fmt::format("the home is on volume {} of {} ({})", world.claim.volume,
                                     format_bytes(world.source.bytes), world.claim.storage_class));
  }
  plan.notes.push_back(
      world.freeze.down
          ? "Coder does not run; it must not be started before the homes are moved"
          : "that Coder cannot build meanwhile is proved for its service accounts and those that a "
            "RoleBinding of the namespace names and whose name says coder; not for provisioners outside the "
            "cluster");
  if (!move.home.unknown.empty() && !back) {
    plan.notes.push_back(
        "what the workspace's next build does to the home once it is moved is not certain: " +
        move.home.unknown);
  }
  if (workflow::is_adopting(world, move.copy->options())) {
    describe_workspace(move, world);
    return describe_adoption(plan, world);
  }
  for (const std::string& rule : back ? std::vector<std::string>() : move.copy->options().owner_map) {
    plan.notes.push_back("owners become others on the new volume: " + printable(rule));
  }
  for (const std::string& path : back ? std::vector<std::string>() : move.copy->options().leave_out) {
    plan.not_done.push_back(printable(path) + " is left behind, on the old volume only");
  }
  describe_workspace(move, world);
  plan.notes.push_back("snapshot, replication and backup schedules of the old dataset do not follow");
  if (!back) {
    plan.notes.push_back(
        "without a copy, in seconds whatever the size, but on the old dataset with its old share: "
        "--strategy=adopt");
  }
  plan.not_done.push_back("the old volume is neither deleted nor changed: it stays, Retain");
}

// The run keeps to what its plan says of the workspace.
void foresee(HomeMove& move, const SwapWorld& world) {
  if (!world.coder || !world.coder->found || !world.coder->unknown.empty()) return;
  const workflow::ForeseenWorkspace judged =
      move.home.judged.value_or(workflow::ForeseenWorkspace{true, world.coder->version_id});
  move.copy->foresee({.may_stop = judged.may_stop && !world.coder->stopped, .version_id = judged.version_id});
}

}  // namespace

Result<void> read_homes_flags(const Arguments& arguments, const workflow::WorkspaceOptions& review,
                              HomesCall& call) {
  const std::string strategy = arguments.text("strategy");
  if (strategy != "copy" && strategy != "adopt" && arguments.given("strategy")) {
    return make_error(Kind::usage,
                      fmt::format("unknown strategy {}: this version knows copy and adopt", quote(strategy)));
  }
  if (arguments.yes("finalize") &&
      (arguments.yes("rollback") || arguments.given("strategy") || arguments.yes("status"))) {
    return make_error(Kind::usage,
                      "--finalize ends a move: it goes with none of --strategy, --rollback and --status");
  }
  if (strategy == "adopt") call.options.carry = workflow::Carry::adopt;
  TM_TRY_ASSIGN(call.flags, read_migration_flags(arguments));
  TM_TRY_ASSIGN(call.wishes, read_mover_wishes(arguments));
  call.options.from_class = review.from_class;
  call.options.to_class = review.to_class;
  call.options.coder_ns = review.coder_ns;
  call.options.rollback = arguments.yes("rollback");
  for (const std::string& id : arguments.texts("accept")) call.options.accepted.insert(id);
  call.options.owner_map = arguments.texts("map-owner");
  for (const std::string& rule : call.options.owner_map) TM_TRY(mover::parse_owner_rule(rule));
  call.options.leave_out = arguments.texts("leave-out");
  if (strategy == "adopt" && (arguments.given("map-owner") || arguments.given("leave-out"))) {
    return make_error(Kind::usage,
                      "--map-owner and --leave-out are for a copy: an adopted home stays as it is");
  }
  for (const std::string& path : call.options.leave_out) {
    if (path.empty() || path.starts_with('/')) {
      return make_error(Kind::usage,
                        fmt::format("--leave-out wants a path below the home, got {}", quote(path)));
    }
  }
  if (const std::string order = arguments.text("order"); order != "downtime" && order != "name") {
    return make_error(Kind::usage, fmt::format("--order is downtime or name, not {}", quote(order)));
  }
  if (arguments.given("when-stopped")) {
    TM_TRY_ASSIGN(call.when_stopped, parse_duration(arguments.text("when-stopped")));
  }
  // All share one rate of requests: with less of it a home would be looked at less often than a user can use
  // it unseen, and copied again and again.
  TM_TRY_ASSIGN(call.parallel, read_count(arguments, "parallel", 1, 64));
  TM_TRY_ASSIGN(const std::size_t qps, read_count(arguments, "qps", 1, 10000));
  const std::size_t most = std::max<std::size_t>(1, qps * k_seconds_between_looks / k_requests_a_look);
  if (!arguments.given("parallel")) call.parallel = std::min(call.parallel, most);
  if (call.parallel > most && call.parallel > 1) {
    return make_error(Kind::usage,
                      fmt::format("--parallel={} homes cannot be watched with --qps={} requests a second",
                                  call.parallel, qps),
                      {fmt::format("--parallel={}, or more requests a second", most)});
  }
  TM_TRY_ASSIGN(call.copy_workers, read_count(arguments, "copy-workers", 1, 10000));
  if (call.copy_workers < call.parallel) {
    return make_error(Kind::usage,
                      fmt::format("--copy-workers={} is less than one for each of --parallel={} homes",
                                  call.copy_workers, call.parallel));
  }
  TM_TRY_ASSIGN(call.progress, parse_progress_style(arguments.text("progress")));
  TM_TRY_ASSIGN(call.max_failures, read_count(arguments, "max-failures", 0, 100000));
  TM_TRY_ASSIGN(const Milliseconds downtime, parse_duration(arguments.text("max-downtime")));
  call.options.max_downtime = std::chrono::duration_cast<Seconds>(downtime);
  return {};
}

std::unique_ptr<engine::JournalStore> open_journal(const HomesCall& call, const ChosenHome& home) {
  return std::make_unique<engine::JournalStore>(
      *call.reader, engine::JournalAddress{home.ns, "workspace", home.claim},
      engine::JournalBinding{call.cluster_uid, fmt::format("claim {}/{}", home.ns, home.claim), ""},
      system_clock());
}

Result<void> begin_planning(HomesCall& call, const std::vector<ChosenHome>& homes) {
  call.view->plan(true);
  std::set<std::string> namespaces;
  for (const ChosenHome& home : homes) namespaces.insert(home.ns);
  kube::ListOptions list;
  list.label_selector = fmt::format("{}={}", storage::k_managed_by_label, storage::k_managed_by_value);
  list.wanted = {"/metadata/name"};
  std::set<std::string> journals;
  for (const std::string& ns : namespaces) {
    TM_TRY_ASSIGN(const auto found, call.reader->list(kube::k_config_map, ns, list));
    for (const json::Value& object : found) journals.insert(ns + "/" + object.text_at("/metadata/name"));
  }
  call.journals = std::move(journals);
  return {};
}

void end_planning(HomesCall& call) {
  call.view->plan(false);
  call.journals.reset();
}

Result<std::unique_ptr<HomeMove>> open_home(HomesCall& call, const ChosenHome& home) {
  auto move = std::make_unique<HomeMove>();
  move->home = home;
  move->journal = open_journal(call, home);
  workflow::WorkspaceCopyOptions options = call.options;
  options.ns = home.ns;
  options.claim = home.claim;
  options.cluster_uid = call.cluster_uid;
  options.foreseen = home.judged;
  // With --when-stopped it is the user who stops a workspace.
  if (call.coder.session && !home.workspace_id.empty() && !call.when_stopped) {
    move->workspace = std::make_unique<workflow::CoderControl>(*call.coder.session, home.workspace_id);
  }
  workflow::WorkspaceCopyTools tools{
      .reader = *call.reader,
      .view = *call.view,
      .facts = facts_of(call, *move),
      .program = embedded_mover(),
      .wishes = call.wishes,
      .run = make_run_name(move->name()),
      .coder = move->workspace.get(),
      .clock = system_clock(),
      .look_every = look_every(call.parallel),
      .mover_workers = static_cast<unsigned>(call.copy_workers / call.parallel)};
  move->copy = std::make_unique<WorkspaceCopy>(std::move(tools), std::move(options));
  move->copy->on_line = [&call, name = move->name()](const std::string& line) {
    if (call.board) return call.board->on_line(name, line);
    tell(fmt::format("         {}{}\n", call.many ? name + ": " : "", printable(line)));
  };
  return move;
}

void plan_home(HomeMove& move) {
  if (!move.home.refused.empty() && !move.copy->options().rollback) {
    move.error = make_error(Kind::refused,
                            fmt::format("claim {} cannot be moved: {}", move.name(), move.home.refused));
    return;
  }
  const auto world = move.copy->observe();
  if (!world.ok()) {
    move.error = world.error();
    return;
  }
  auto plan = engine::unfold(*move.copy, *world);
  if (!plan.ok()) {
    move.error = plan.error();
    return;
  }
  move.plan = std::move(plan).value();
  move.in_use = !world->uses.empty();
  move.bytes = world->source.bytes;
  describe(move, *world);
  foresee(move, *world);
  if (move.plan.blocked) {
    move.error = make_error(move.plan.blocked->kind, move.plan.blocked->why, move.plan.blocked->hints);
  }
}

}  // namespace truenas::plugin
