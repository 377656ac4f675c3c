#include "lib/mover/copy/work.h"

#include <utility>

namespace truenas::mover {

bool Work::offer(FileBatch& batch) {
  {
    const std::lock_guard lock(mutex_);
    if (batches_.size() >= k_batches) return false;
    batches_.push_back(std::move(batch));
  }
  batch.clear();
  changed_.notify_one();
  return true;
}

void Work::add(FileBatch batch) {
  {
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
  }
  changed_.notify_one();
}

void Work::add_children(std::shared_ptr<DirectoryPair> directory) {
  {
    const std::lock_guard lock(mutex_);
    if (directory->children.empty()) return;
    directories_.push_back(std::move(directory));
  }
  changed_.notify_all();
}

void Work::hold() {
  const std::lock_guard lock(mutex_);
  ++under_way_;
}

std::optional<Work::Task> Work::take(unsigned index) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return stopped_ || idle() || (index < limit_ && !(batches_.empty() && directories_.empty()));
  });
  if (stopped_ || idle()) return std::nullopt;
  ++under_way_;
  if (!batches_.empty()) {
    FileBatch batch = std::move(batches_.front());
    batches_.pop_front();
    return Task(std::move(batch));
  }
  const std::shared_ptr<DirectoryPair> directory = directories_.back();
  auto [name, exists] = directory->children.take();
  if (directory->children.empty()) directories_.pop_back();
  return Task(ChildTask{directory, std::move(name), exists});
}

void Work::done() {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
    last = ended();
  }
  if (!last) return;
  changed_.notify_all();
  ended_.notify_all();
}

void Work::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  ended_.notify_all();
}

bool Work::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool Work::wait_finished(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, most, [&] { return ended(); });
}

void Work::set_limit(unsigned limit) {
  {
    const std::lock_guard lock(mutex_);
    limit_ = limit;
  }
  changed_.notify_all();
}

bool Work::plenty() const {
  const std::lock_guard lock(mutex_);
  return batches_.size() + directories_.size() > 1;
}

}  // namespace truenas::mover
