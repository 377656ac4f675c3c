#include "lib/mover/copy.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <vector>

#include "lib/base/interrupt.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/copy/workforce.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds k_look{100};    // how soon a request to stop is seen by idle workers
constexpr milliseconds k_window{500};  // of throughput
constexpr milliseconds k_progress{1000};
constexpr double k_unit = 256 * 1024;  // bytes that are as much work as one file

// Directories that may stay open on each side, from what the process may open at all.
std::size_t open_places(unsigned workers) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 32;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 32;
  const std::size_t busy = 32 + 6 * static_cast<std::size_t>(workers);
  const auto all = static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
  return std::clamp<std::size_t>(all > busy ? (all - busy) / 2 : 0, 4, 256);
}

// The threads; they end when there is no more work.
class Crew {
 public:
  explicit Crew(Run& run) : run_(run) {}
  ~Crew() {
    for (std::thread& thread : threads_) thread.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // At least that many, as far as the system allows. false: there is none at all.
  bool grow(unsigned size) {
    while (threads_.size() < size) {
      try {
        const auto index = static_cast<unsigned>(threads_.size());
        threads_.emplace_back([this, index] { work(index); });
      } catch (const std::system_error&) {
        break;  // no more threads: those that are there do it
      }
    }
    return !threads_.empty();
  }

 private:
  void work(unsigned index) {
    Worker worker{run_, {}};
    while (auto task = run_.work.take(index)) {
      if (auto* batch = std::get_if<FileBatch>(&*task))
        perform(worker, std::move(*batch));
      else
        enter(worker, std::get<ChildTask>(*task));
      task.reset();
      run_.work.done();
    }
  }

  Run& run_;
  std::vector<std::thread> threads_;
};

Progress progress_of(const Run& run, unsigned workers) {
  const Counters& counters = run.counters;
  Progress progress;
  progress.phase = "copy";
  progress.entries = counters.entries;
  progress.directories = counters.directories;
  progress.changed =
      counters.files + counters.links + counters.symlinks + counters.special + counters.adjusted;
  progress.bytes = counters.bytes;
  progress.workers = workers;
  return progress;
}

double work_done(const Run& run) {
  const Counters& counters = run.counters;
  return static_cast<double>(counters.files + counters.links + counters.symlinks + counters.special +
                             counters.directories) +
         static_cast<double>(counters.bytes) / k_unit;
}

// Until the work has ended: sees to the number of workers, to progress and to requests to stop.
void watch_over(Run& run, Crew& crew, Workforce& workforce) {
  auto window_start = Clock::now();
  auto told = window_start;
  double before = work_done(run);
  bool busy = true;
  while (!run.work.wait_finished(k_look)) {
    if (interrupted()) run.work.stop();
    const auto now = Clock::now();
    busy = busy && run.work.plenty();
    if (now - window_start >= k_window) {
      const double done = work_done(run);
      const std::chrono::duration<double> length = now - window_start;
      const unsigned size = workforce.observe((done - before) / length.count(), busy);
      crew.grow(size);
      run.work.set_limit(size);
      window_start = now;
      before = done;
      busy = true;
    }
    if (now - told >= k_progress) {
      run.reporter.progress(progress_of(run, workforce.size()));
      told = now;
    }
  }
}

Outcome refused(std::string text, std::vector<std::string> hints) {
  Outcome outcome{"copy", 4, std::move(text), {}, {}};
  for (std::string& hint : hints) outcome.facts.emplace_back("hint", std::move(hint));
  return outcome;
}

Outcome refused(const Error& error) {
  Outcome outcome = refused(error.what, error.hints);
  // What could not be opened or read was not refused by a guard.
  if (error.kind != Kind::refused) outcome.exit = 1;
  return outcome;
}

void add_counts(const Run& run, Outcome& outcome) {
  const Counters& counters = run.counters;
  outcome.counts = {{"entries", counters.entries},
                    {"directories", counters.directories},
                    {"directories-made", counters.made_directories},
                    {"files-copied", counters.files},
                    {"bytes-copied", counters.bytes},
                    {"bytes-by-server", counters.bytes_by_server},
                    {"links-made", counters.links},
                    {"symlinks-made", counters.symlinks},
                    {"special-made", counters.special},
                    {"adjusted", counters.adjusted},
                    {"kept", counters.kept},
                    {"removed", counters.removed},
                    {"left-out", counters.left_out},
                    {"changed-while-copied", counters.changed_while_copied},
                    {"expected", counters.expected},
                    {"errors", counters.errors}};
  outcome.facts.emplace_back("owner-way", std::string(way_name(run.options.way)));
  for (const OwnerRule& rule : run.options.owners.rules())
    outcome.facts.emplace_back("map-owner", render(rule));
  for (const std::string& path : run.options.leave_out) outcome.facts.emplace_back("leave-out", path);
}

Outcome outcome_of(Run& run) {
  Outcome outcome{"copy", 0, "done", {}, {}};
  add_counts(run, outcome);
  const std::uint64_t errors = run.counters.errors;
  if (interrupted()) {
    outcome.exit = 143;
    outcome.text = "stopped as asked; run again to go on";
  } else if (!run.stop_text.empty()) {
    outcome.exit = 1;
    outcome.text = "stopped: " + run.stop_text;
  } else if (errors != 0) {
    outcome.exit = 1;
    outcome.text = std::to_string(errors) + (errors == 1 ? " entry" : " entries") + " could not be copied";
  }
  return outcome;
}

Result<void> check_options(const CopyOptions& options) {
  if (options.way == OwnerWay::single_owner && !options.single_owner)
    return make_error(Kind::refused, "refused: the one owner of the target is not given");
  if ((options.way == OwnerWay::as_owner || options.source_as_owner) && !can_act())
    return make_error(
        Kind::refused,
        "refused: the process cannot act as the files' owners: it lacks CAP_SETUID or CAP_SETGID");
  return {};
}

Outcome run_copy(Run& run) {
  Workforce workforce(run.options.workers);
  run.work.set_limit(workforce.size());
  {
    Crew crew(run);
    run.work.hold();  // before the first worker looks, or he would find that all is done
    if (!crew.grow(workforce.size())) return Outcome{"copy", 1, "cannot start a thread", {}, {}};
    Worker first{run, {}};
    const Result<void> begun = enter_root(first);
    run.work.done();
    if (!begun) {
      run.work.stop();
      remove_nonce(run, true);  // while its directory is still open for it
      close_opened(run, true);
      return refused(begun.error());
    }
    watch_over(run, crew, workforce);
  }
  remove_nonce(run);
  close_opened(run, false);
  close_root(run);
  // Not on NFS, where names and attributes are durable when the server has answered.
  if (!run.target.is_nfs() && ::syncfs(run.target.descriptor()) != 0) fail(run, ".", "cannot write", errno);
  return outcome_of(run);
}

}  // namespace

Outcome copy(const std::string& source, const std::string& target, const CopyOptions& options,
             Reporter& reporter) {
  if (const Result<void> checked = check_options(options); !checked) return refused(checked.error());
  const Result<Root> from = Root::open(source, options.source_mount);
  if (!from) return refused(from.error());
  const Result<Root> to = Root::open(target, options.target_mount);
  if (!to) return refused(to.error());
  if (const Result<void> apart = check_apart(*from, *to); !apart) return refused(apart.error());
  ::umask(0);  // modes are the source's, not this process's
  const unsigned workers = Workforce(options.workers).cap();
  Run run(options, *from, *to, reporter, open_places(workers));
  run.may_act = can_act();
  return run_copy(run);
}

}  // namespace truenas::mover
