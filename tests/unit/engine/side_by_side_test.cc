#include "lib/engine/side_by_side.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

using namespace truenas;
using engine::Ending;

namespace {

// Lets nobody pass before so many have come.
class Gate {
 public:
  explicit Gate(int wanted) : wanted_(wanted) {}
  void pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (++come_ >= wanted_) open_.notify_all();
    open_.wait(lock, [this] { return come_ >= wanted_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  int wanted_, come_ = 0;
};

engine::SideBySideOptions parallel(std::size_t count) {
  engine::SideBySideOptions options;
  options.parallel = count;
  options.interrupted = [] { return false; };
  return options;
}

}  // namespace

TEST_CASE("as many jobs run at once as are allowed, and no more") {
  Gate gate(3);  // would wait for ever if only two ran at once
  std::atomic<int> now{0}, most{0};
  const auto job = [&] {
    const int running = ++now;
    int seen = most;
    while (running > seen && !most.compare_exchange_weak(seen, running)) continue;
    gate.pass();
    --now;
    return true;
  };
  const auto endings = engine::run_side_by_side({job, job, job, job, job, job, job}, parallel(3));
  CHECK(endings == std::vector<Ending>(7, Ending::done));
  CHECK(most == 3);
}

TEST_CASE("one that fails neither stops nor hides the others") {
  std::atomic<int> done{0};
  const auto works = [&] { return ++done > 0; };
  const auto fails = [] { return false; };
  const auto endings = engine::run_side_by_side({works, fails, works, fails, works}, parallel(2));
  CHECK(endings ==
        std::vector<Ending>{Ending::done, Ending::failed, Ending::done, Ending::failed, Ending::done});
  CHECK(done == 3);
}

TEST_CASE("after too many failures no further job begins") {
  engine::SideBySideOptions options = parallel(1);
  options.max_failures = 2;
  const auto works = [] { return true; };
  const auto fails = [] { return false; };
  CHECK(engine::run_side_by_side({fails, works, fails, works, works}, options) ==
        std::vector<Ending>{Ending::failed, Ending::done, Ending::failed, Ending::not_begun,
                            Ending::not_begun});
}

TEST_CASE("once asked to stop no further job begins, and those that run end by themselves") {
  std::atomic<bool> stop{false};
  engine::SideBySideOptions options = parallel(2);
  options.interrupted = [&] { return stop.load(); };
  Gate gate(2);
  const auto job = [&] {
    gate.pass();
    stop = true;
    return true;
  };
  const auto never = [] { return false; };
  CHECK(engine::run_side_by_side({job, job, never, never}, options) ==
        std::vector<Ending>{Ending::done, Ending::done, Ending::not_begun, Ending::not_begun});
}

TEST_CASE("with one at a time, all are called from the caller's thread, in their order") {
  std::vector<int> order;
  std::set<std::thread::id> threads;
  std::vector<std::function<bool()>> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.emplace_back([&, i] {
      order.push_back(i);
      threads.insert(std::this_thread::get_id());
      return true;
    });
  }
  CHECK(engine::run_side_by_side(jobs, parallel(0)) == std::vector<Ending>(4, Ending::done));
  CHECK(order == std::vector<int>{0, 1, 2, 3});
  CHECK(threads == std::set<std::thread::id>{std::this_thread::get_id()});
  CHECK(engine::run_side_by_side({}, parallel(4)).empty());
}
