#pragma once
// Locks on byte ranges (fcntl) for clients of all mounts of a share: held below by open file descriptions of
// the server's own, one for each owner and file, so that they conflict across mounts and end with their
// owner. It knows no requests.

#include <fuse_lowlevel.h>

#include <map>
#include <mutex>
#include <utility>

#include "tests/cluster/share/inodes.h"

namespace truenas::share {

class Locks {
 public:
  // The descriptor that holds an owner's locks on a file, opened where there is none yet. Null, with errno
  // set, where it cannot be. The calling thread must be the server itself.
  Held of(fuse_ino_t node, std::uint64_t owner, int object);
  // A client has closed the file: its owner's locks on it end, as POSIX has it.
  void end(fuse_ino_t node, std::uint64_t owner);

 private:
  std::mutex mutex_;
  std::map<std::pair<fuse_ino_t, std::uint64_t>, Held> held_;
};

}  // namespace truenas::share
