#pragma once
// SharedRead: one reading serves everybody who asked before it began, so that a hundred that look at once ask
// a server once. Nobody ever gets an answer that is older than his question. It keeps nothing for those who
// ask later, and must not be asked from within a reading.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace truenas {

// T is copied to each asker: a shared_ptr where it is large.
template <class T>
class SharedRead {
 public:
  // What `read` gives, its error too, from this call or from one that another thread began after this call.
  // Thread-safe; `read` is called by one thread at a time.
  Result<T> get(const std::function<Result<T>()>& read) {
    std::unique_lock<std::mutex> lock(mutex_);
    return get_after(lock, begun_ + 1, read);
  }
  // The same, but content with what a reading gave that began at most `age` ago; never with its error. All
  // calls with an age must have the same clock.
  Result<T> get(const std::function<Result<T>()>& read, Clock& clock, Milliseconds age) {
    std::unique_lock<std::mutex> lock(mutex_);
    const Milliseconds now = clock.steady();
    if (good_since_ && result_ && result_->ok() && now - *good_since_ <= age) return *result_;
    const Result<T> result = get_after(lock, begun_ + 1, read);
    // What was read began after `now`: counted as older than it is.
    if (result.ok() && (!good_since_ || *good_since_ < now)) good_since_ = now;
    return result;
  }

 private:
  Result<T> get_after(std::unique_lock<std::mutex>& lock, std::uint64_t wanted,
                      const std::function<Result<T>()>& read) {
    while (finished_ < wanted) {
      if (begun_ != finished_) {
        changed_.wait(lock);
        continue;
      }
      ++begun_;
      lock.unlock();
      Result<T> result = read();
      lock.lock();
      result_ = std::move(result);
      finished_ = begun_;
      changed_.notify_all();
    }
    return *result_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t begun_ = 0, finished_ = 0;  // readings; unequal while one goes on
  std::optional<Result<T>> result_;         // of the one that finished last
  std::optional<Milliseconds> good_since_;  // what the result is at least as new as
};

}  // namespace truenas
