#include "tests/cluster/share/locks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/cluster/share/share.h"

namespace truenas::share {

Held Locks::of(fuse_ino_t node, std::uint64_t owner, int object) {
  const std::lock_guard lock(mutex_);
  Held& held = held_[{node, owner}];
  if (!held) {
    // Any lock may be set through it, whatever the client has opened the file for: that its kernel checks.
    const int descriptor = ::open(ProcPath(object), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
      held_.erase({node, owner});
      return nullptr;
    }
    held = std::make_shared<const Descriptor>(descriptor);
  }
  return held;
}

void Locks::end(fuse_ino_t node, std::uint64_t owner) {
  const std::lock_guard lock(mutex_);
  held_.erase({node, owner});
}

namespace {

const Identity k_server{0, 0, {}};

Held descriptor_for(fuse_req_t request, fuse_ino_t node, const fuse_file_info* info) {
  assume(k_server);
  Share& share = share_of(request);
  const Held object = share.inodes.find(node);
  return object ? share.locks.of(node, info->lock_owner, object->number()) : nullptr;
}

// Answers with what `attempt` gets. Whoever may wait for the lock waits in a thread of its own, so that the
// one who is to release it is still served; a signal to the sender ends it.
void lock_or_wait(fuse_req_t request, bool may_wait, std::function<int()> attempt) {
  if (attempt() == 0) {
    fuse_reply_err(request, 0);
    return;
  }
  if (!may_wait || (errno != EAGAIN && errno != EACCES)) return reply_errno(request);
  std::thread([request, attempt = std::move(attempt)] {
    constexpr auto k_pause = std::chrono::milliseconds(5);
    while (true) {
      std::this_thread::sleep_for(k_pause);
      if (fuse_req_interrupted(request) != 0) {
        fuse_reply_err(request, EINTR);
        return;
      }
      if (attempt() == 0 || (errno != EAGAIN && errno != EACCES)) {
        reply_result(request, errno == 0 ? 0 : -1);
        return;
      }
    }
  }).detach();
}

void get_lock(fuse_req_t request, fuse_ino_t node, fuse_file_info* info, struct flock* lock) {
  const Held held = descriptor_for(request, node, info);
  if (!held) return reply_errno(request);
  lock->l_pid = 0;
  if (fcntl(held->number(), F_OFD_GETLK, lock) != 0) return reply_errno(request);
  if (lock->l_pid < 0) lock->l_pid = 0;
  fuse_reply_lock(request, lock);
}

void set_lock(fuse_req_t request, fuse_ino_t node, fuse_file_info* info, struct flock* lock, int may_wait) {
  const Held held = descriptor_for(request, node, info);
  if (!held) return reply_errno(request);
  struct flock wanted = *lock;
  wanted.l_pid = 0;
  lock_or_wait(request, may_wait != 0, [held, wanted] {
    struct flock range = wanted;
    errno = 0;
    return fcntl(held->number(), F_OFD_SETLK, &range);
  });
}

void lock_whole(fuse_req_t request, fuse_ino_t, fuse_file_info* info, int operation) {
  const int descriptor = open_file(info).descriptor;
  lock_or_wait(request, (operation & LOCK_NB) == 0, [descriptor, operation] {
    errno = 0;
    return flock(descriptor, operation | LOCK_NB);
  });
}

void flush(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  share_of(request).locks.end(node, info->lock_owner);
  fuse_reply_err(request, 0);
}

}  // namespace

void set_lock_operations(fuse_lowlevel_ops& operations) {
  operations.getlk = get_lock;
  operations.setlk = set_lock;
  operations.flock = lock_whole;
  operations.flush = flush;
}

}  // namespace truenas::share
