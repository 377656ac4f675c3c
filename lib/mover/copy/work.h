#pragma once
// What is left to do, handed out to workers: batches of files first, then the sub-directories of the
// directory entered last. So the queue stays short however large the tree is, and a directory's files tend to
// stay with one worker (a server is asked once for its access rights).

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/mover/copy/directory_pair.h"

namespace truenas::mover {

using FileBatch = std::vector<FileItem>;

struct ChildTask {
  std::shared_ptr<DirectoryPair> parent;
  std::string name;
  bool exists = false;  // on the target, as a directory to be kept
};

class Work {
 public:
  using Task = std::variant<FileBatch, ChildTask>;

  // Takes the batch, or leaves it to the caller (false) because enough waits already.
  bool offer(FileBatch& batch);
  // Takes it whatever waits: entries that another worker held back.
  void add(FileBatch batch);
  // The directory's pending names may be handed out from now on.
  void add_children(std::shared_ptr<DirectoryPair> directory);

  // As if a task had been taken: more is about to be offered. done() ends it.
  void hold();
  // Blocks until there is a task for worker `index`, or nothing will come any more, or stop() was called. A
  // task that was taken counts as under way until done() is called. Workers from `limit` on wait.
  std::optional<Task> take(unsigned index);
  void done();

  void stop();
  bool stopped() const;
  // Waits until all is done, or stopped and no task is under way, or the time is over; whether it has ended.
  bool wait_finished(std::chrono::milliseconds most);
  void set_limit(unsigned limit);
  // Whether a worker more would find something to do.
  bool plenty() const;

 private:
  bool ended() const { return stopped_ ? under_way_ == 0 : idle(); }
  bool idle() const { return under_way_ == 0 && batches_.empty() && directories_.empty(); }

  static constexpr std::size_t k_batches = 64;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable ended_;
  std::deque<FileBatch> batches_;
  std::vector<std::shared_ptr<DirectoryPair>> directories_;
  unsigned under_way_ = 0;
  unsigned limit_ = 1;
  bool stopped_ = false;
};

}  // namespace truenas::mover
