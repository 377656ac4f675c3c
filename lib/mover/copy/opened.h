#pragma once
// Directories of the target that are more open, while they are filled, than they shall be: a run that is
// stopped must not leave them so. A run that is killed does; the next one finds them by their modes, which it
// compares for every directory.

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "lib/mover/copy/directory_pair.h"

namespace truenas::mover {

class OpenedDirectories {
 public:
  void add(const std::shared_ptr<DirectoryPair>& directory);
  // It gets its own mode now.
  void forget(const DirectoryPair& directory);
  // All of them, the deepest first; none is left.
  std::vector<std::shared_ptr<DirectoryPair>> take();

 private:
  std::mutex mutex_;
  std::map<const DirectoryPair*, std::shared_ptr<DirectoryPair>> directories_;
};

}  // namespace truenas::mover
