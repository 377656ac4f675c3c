#include "lib/mover/batches.h"

namespace truenas::mover {

BatchPool::BatchPool(unsigned workers, std::size_t open_batches, std::size_t open_jobs)
    : open_batches_(open_batches), open_jobs_(open_jobs) {
  for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

BatchPool::~BatchPool() {
  wait();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BatchPool::submit(std::unique_ptr<Batch> batch) {
  auto slot = std::make_unique<Slot>();
  slot->total = batch->jobs();
  slot->batch = std::move(batch);
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] {
    return slots_.empty() || (slots_.size() < open_batches_ && jobs_ + slot->total <= open_jobs_);
  });
  jobs_ += slot->total;
  const bool any = slot->total > 0;
  slots_.push_back(std::move(slot));
  if (any) {
    work_.notify_all();
  } else {
    conclude_ready(lock);
  }
}

void BatchPool::wait() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return slots_.empty(); });
}

BatchPool::Slot* BatchPool::next_slot() {
  for (const auto& slot : slots_) {
    if (slot->handed_out < slot->total) return slot.get();
  }
  return nullptr;
}

void BatchPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    Slot* slot = next_slot();
    if (slot == nullptr) {
      if (ended_) return;
      work_.wait(lock);
      continue;
    }
    const std::size_t job = slot->handed_out++;
    lock.unlock();
    slot->batch->run(job);
    lock.lock();
    // The slot cannot have gone: it is concluded only when all its jobs are done.
    if (++slot->done == slot->total) conclude_ready(lock);
  }
}

// One thread at a time concludes, in order, as far as it gets; the others go on working meanwhile.
void BatchPool::conclude_ready(std::unique_lock<std::mutex>& lock) {
  if (concluding_) return;
  concluding_ = true;
  while (!slots_.empty() && slots_.front()->done == slots_.front()->total) {
    Slot* front = slots_.front().get();
    lock.unlock();
    front->batch->conclude();
    lock.lock();
    jobs_ -= front->total;
    slots_.pop_front();
    room_.notify_all();
  }
  concluding_ = false;
}

}  // namespace truenas::mover
