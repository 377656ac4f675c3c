#pragma once
// Batches: work that is done by many threads in any order and concluded in the order in which it was handed
// in, so that a result does not depend on timing and nothing but what is in flight is kept in memory.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace truenas::mover {

// One directory's work. Jobs must not throw.
class Batch {
 public:
  virtual ~Batch() = default;
  virtual std::size_t jobs() const = 0;
  // Any thread, any order, several at once.
  virtual void run(std::size_t job) = 0;
  // After all its jobs and after every earlier batch's conclusion; never two at once.
  virtual void conclude() = 0;
};

class BatchPool {
 public:
  // At most `open_batches` are kept, and of their jobs about `open_jobs` (a larger batch comes alone).
  BatchPool(unsigned workers, std::size_t open_batches, std::size_t open_jobs);
  // Waits for all.
  ~BatchPool();
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  // Waits until there is room.
  void submit(std::unique_ptr<Batch> batch);
  // Until every batch is concluded.
  void wait();

 private:
  struct Slot {
    std::unique_ptr<Batch> batch;
    std::size_t total = 0, handed_out = 0, done = 0;
  };
  void work();
  Slot* next_slot();
  void conclude_ready(std::unique_lock<std::mutex>& lock);

  const std::size_t open_batches_, open_jobs_;
  std::mutex mutex_;
  std::condition_variable work_, room_;
  std::deque<std::unique_ptr<Slot>> slots_;
  std::size_t jobs_ = 0;  // of all slots
  bool concluding_ = false, ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace truenas::mover
