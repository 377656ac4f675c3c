#pragma once
// SharedRead: one reading serves everybody who asked before it began, so that a hundred that look at once ask
// a server once. Nobody ever gets an answer that is older than his question. It keeps nothing for those who
// ask later, and must not be asked from within a reading.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

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
    const std::uint64_t wanted = begun_ + 1;
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

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t begun_ = 0, finished_ = 0;  // readings; unequal while one goes on
  std::optional<Result<T>> result_;         // of the one that finished last
};

}  // namespace truenas
