#pragma once
// ThreadStop: a request to stop for one thread alone. While it lives, interrupted() says yes in its thread
// once the flag is set, so that whatever looks out for Ctrl-C ends this thread's work too. For threads that
// only read, and of which nobody waits for an answer.

#include <atomic>

namespace truenas {

class ThreadStop {
 public:
  // In the thread that it is about; the flag must outlive it.
  explicit ThreadStop(const std::atomic<bool>& flag);
  ~ThreadStop();
  ThreadStop(const ThreadStop&) = delete;
  ThreadStop& operator=(const ThreadStop&) = delete;
};

}  // namespace truenas
