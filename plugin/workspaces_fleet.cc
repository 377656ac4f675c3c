#include "plugin/workspaces_fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/engine/side_by_side.h"
#include "plugin/console.h"

namespace truenas::plugin {
namespace {

using workflow::SwapWorld;

using Moves = std::vector<HomeMove*>;

constexpr Milliseconds k_look_every{10000};

// Beside others where `call` has a board for them.
void run_home(HomesCall& call, HomeMove& move) {
  const std::string label = call.board ? move.name() : "";
  const std::shared_ptr<void> running = call.view->begin_run(move.name());
  call.view->follow(move.home.ns);
  engine::RunningMachine<SwapWorld> machine(*move.copy);
  CarryOut what = {call.connection, *move.journal, move.writer, "claim " + move.name(), call.flags.timeout};
  const auto observer = call.board ? call.board->observer(move.name()) : nullptr;
  what.observer = observer.get();
  what.lock_session = call.lock_session.get();
  // Whatever ended it: Coder's rights do not stay taken, and no workspace stays stopped, without a word.
  what.at_end = [&move](const engine::Outcome& outcome, kube::Writer& writer) {
    if (!outcome.error) return;
    move.warnings = move.copy->settle_freeze(writer);
    for (std::string& line : move.copy->held_warnings()) move.warnings.push_back(std::move(line));
    warn(move.warnings);
  };
  const auto outcome = carry_out(machine, what);
  if (!outcome.ok()) {
    move.error = outcome.error();
    return show_error(move);
  }
  move.outcome = *outcome;
  move.error = outcome->error;
  static_cast<void>(conclude(*outcome, label));
}

Error not_begun() {
  if (interrupted()) return make_error(Kind::interrupted, "not begun: interrupted");
  return make_error(Kind::stopped, "not begun: as many as --max-failures says have failed before it");
}

void run_side_by_side(HomesCall& call, const Moves& due) {
  std::vector<std::function<bool()>> jobs;
  for (HomeMove* move : due) {
    jobs.emplace_back([&call, move] {
      if (call.board) call.board->begin(move->name());
      run_home(call, *move);
      if (call.board) call.board->end(move->name(), !move->error);
      return !move->error;
    });
  }
  const auto endings =
      engine::run_side_by_side(jobs, {.parallel = call.parallel, .max_failures = call.max_failures});
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (endings[i] == engine::Ending::not_begun) due[i]->error = not_begun();
    // A job that threw has not come to say why.
    if (endings[i] == engine::Ending::failed && !due[i]->error) {
      due[i]->error = make_error(Kind::stopped, "its run ended without a word: look with --status");
    }
  }
}

bool is_refused_for_use(const HomeMove& move) {
  return move.in_use && move.error &&
         (move.error->kind == Kind::refused || move.error->kind == Kind::stopped);
}

void set_waiting(HomeMove& move) {
  engine::Wait wait;
  wait.id = "users of " + move.name();
  wait.whom = "its user";
  wait.why = fmt::format("the workspace of claim {} is stopped: {}", move.name(), move.error->what);
  move.plan.title = fmt::format("move claim {} once its workspace is stopped", move.name());
  move.plan.items = {std::move(wait)};
  move.plan.blocked.reset();
  move.plan.not_done = {"no workspace is stopped: its user does that"};
  move.error.reset();
  move.waits = true;
}

// Looks anew; false when it is still, or again, in use.
bool is_free(HomeMove& move) {
  move.error.reset();
  move.plan = {};
  plan_home(move);
  if (is_refused_for_use(move)) {
    set_waiting(move);
    return false;
  }
  move.waits = false;
  if (move.error) show_error(move);
  return true;
}

// Those that were used again while they were moved wait once more.
void take_back_the_used(const Moves& due, Moves& waiting) {
  for (HomeMove* move : due) {
    const bool stopped = move->error && move->error->kind == Kind::stopped;
    if (!stopped || interrupted()) continue;
    const Error error = *move->error;
    const std::optional<engine::Outcome> outcome = std::exchange(move->outcome, std::nullopt);
    if (!is_free(*move)) {
      waiting.push_back(move);
    } else {
      move->error = error;
      move->outcome = outcome;
    }
  }
}

void run_when_stopped(HomesCall& call, Moves due, Moves waiting) {
  Clock& clock = system_clock();
  const Milliseconds began = clock.steady();
  const auto over = [&] {
    return interrupted() || (call.when_stopped->count() > 0 && clock.steady() - began >= *call.when_stopped);
  };
  for (;;) {
    run_side_by_side(call, due);
    take_back_the_used(due, waiting);
    due.clear();
    if (waiting.empty() || over() || !clock.sleep(k_look_every).ok()) break;
    Moves still;
    for (HomeMove* move : waiting) {
      if (!is_free(*move)) {
        still.push_back(move);
      } else if (!move->error && !move->plan.nothing_to_do()) {
        due.push_back(move);
      }
    }
    waiting = std::move(still);
  }
  for (HomeMove* move : waiting) {
    move->error = interrupted() ? not_begun()
                                : make_error(Kind::stopped, "not moved: its workspace was in use to the end");
  }
}

}  // namespace

HomeRuns runs_of(const Homes& homes) {
  HomeRuns runs;
  for (const auto& move : homes) runs.push_back(move.get());
  return runs;
}

void warn(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    tell(fmt::format("warning: {}\n", printable(line)));
  }
}

void put_in_order(Homes& homes) {
  std::stable_sort(homes.begin(), homes.end(), [](const auto& a, const auto& b) {
    return std::pair(a->in_use, a->bytes) < std::pair(b->in_use, b->bytes);
  });
}

void wait_for_users(Homes& homes) {
  for (const auto& move : homes) {
    if (is_refused_for_use(*move)) set_waiting(*move);
  }
}

Result<int> run_homes(HomesCall& call, const Homes& homes) {
  TM_TRY(ask_for_all(runs_of(homes), call.flags));
  Moves due, waiting;
  for (const auto& move : homes) {
    if (move->error || move->plan.nothing_to_do()) continue;
    (move->waits ? waiting : due).push_back(move.get());
  }
  TM_TRY_ASSIGN(call.lock_session, connect_for_lock(call.connection));
  if (call.many) {
    call.board = std::make_unique<FleetBoard>(system_clock(), call.progress, due.size() + waiting.size());
  }
  if (call.when_stopped) {
    run_when_stopped(call, std::move(due), std::move(waiting));
  } else {
    run_side_by_side(call, due);
  }
  call.board.reset();
  TM_TRY(print_results(runs_of(homes), call.flags));
  return exit_code_of_all(runs_of(homes));
}

}  // namespace truenas::plugin
