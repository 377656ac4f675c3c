#include "lib/engine/side_by_side.h"

#include <algorithm>
#include <mutex>
#include <thread>

namespace truenas::engine {
namespace {

class Queue {
 public:
  Queue(const std::vector<std::function<bool()>>& jobs, const SideBySideOptions& options)
      : jobs_(&jobs), options_(&options), endings_(jobs.size(), Ending::not_begun) {}

  // A job that throws (memory) has failed like any other: the rest must come to their ends.
  bool run(std::size_t job) const {
    try {
      return (*jobs_)[job]();
    } catch (const std::exception&) {
      return false;
    }
  }

  // Takes jobs until none is left or none may begin.
  void work() {
    for (;;) {
      std::size_t mine = 0;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!may_begin()) return;
        mine = next_++;
      }
      const bool worked = run(mine);
      const std::lock_guard<std::mutex> lock(mutex_);
      endings_[mine] = worked ? Ending::done : Ending::failed;
      if (!worked) ++failures_;
    }
  }

  std::vector<Ending> endings() const { return endings_; }

 private:
  bool may_begin() const {
    const bool too_many = options_->max_failures > 0 && failures_ >= options_->max_failures;
    return next_ < jobs_->size() && !too_many && !options_->interrupted();
  }

  const std::vector<std::function<bool()>>* jobs_;
  const SideBySideOptions* options_;
  std::mutex mutex_;
  std::vector<Ending> endings_;
  std::size_t next_ = 0, failures_ = 0;
};

}  // namespace

std::vector<Ending> run_side_by_side(const std::vector<std::function<bool()>>& jobs,
                                     const SideBySideOptions& options) {
  Queue queue(jobs, options);
  const std::size_t threads = std::min(std::max<std::size_t>(options.parallel, 1), jobs.size());
  std::vector<std::jthread> workers;
  for (std::size_t i = 1; i < threads; ++i) workers.emplace_back([&queue] { queue.work(); });
  queue.work();
  workers.clear();  // joins
  return queue.endings();
}

}  // namespace truenas::engine
