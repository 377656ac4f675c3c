#pragma once
// One directory on both sides while it is being copied: shared by the workers that fill it, settled by
// whoever finishes last below it. It keeps no files, and of its sub-directories only the names not begun yet.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/mover/copy/decision.h"
#include "lib/mover/copy/names.h"
#include "lib/mover/entry.h"
#include "lib/mover/place.h"

namespace truenas::mover {

// Sub-directories to come: names packed one behind another, because a directory may have a million.
class PendingNames {
 public:
  // `exists`: the target has a directory of that name, to be kept.
  void add(std::string_view name, bool exists) {
    packed_ += exists ? '+' : '-';
    packed_ += name;
    packed_ += '\0';
  }
  bool empty() const { return at_ == packed_.size(); }
  std::pair<std::string, bool> take() {
    const bool exists = packed_[at_] == '+';
    std::string name(packed_.c_str() + at_ + 1);
    at_ += name.size() + 2;
    if (empty()) {
      packed_ = {};
      at_ = 0;
    }
    return {std::move(name), exists};
  }

 private:
  std::string packed_;
  std::size_t at_ = 0;
};

struct DirectoryPair : std::enable_shared_from_this<DirectoryPair> {
  std::shared_ptr<DirectoryPair> parent;
  std::shared_ptr<Place> source;
  std::shared_ptr<Place> target;
  Attributes wanted;       // the source's, its owner mapped
  Owner source_owner;      // as it is on the source
  Attributes found;        // the target's as it was when this run came, or has just been made
  Owner owner;             // the target's now
  bool created = false;    // by this run
  bool xattrs = false;     // to be compared when settling
  bool exclusive = false;  // names in it may be one to the target (folding.h): none may meet another's file
  std::chrono::steady_clock::time_point listed;  // when its names and their attributes were known
  NameDigest names;                              // of the source, in the final pass
  PendingNames children;                         // guarded by Work's mutex

  std::mutex mutex;                     // held to change the next three
  std::atomic<bool> prepared = false;   // default ACL looked for
  bool default_acl = false;             // what is made here inherits an ACL
  std::atomic<std::uint16_t> mode = 0;  // the target's mode now
  std::atomic<bool> touched = false;    // names were made or removed here: its mtime has to be set again
  // 1 for the directory itself, 1 for each entry and sub-directory not done yet.
  std::atomic<std::uint64_t> pending = 1;

  DirectoryPair() = default;
  DirectoryPair(const DirectoryPair&) = delete;
  DirectoryPair& operator=(const DirectoryPair&) = delete;
  // In a loop: by recursion a very deep tree would use up a worker's stack.
  ~DirectoryPair() {
    std::shared_ptr<DirectoryPair> above = std::move(parent);
    while (above && above.use_count() == 1) {
      std::shared_ptr<DirectoryPair> next = std::move(above->parent);
      above = std::move(next);
    }
  }
  std::string path_of(std::string_view name) const { return source->path_of(name); }
};

// One entry that is not a directory and needs something done.
struct FileItem {
  std::shared_ptr<DirectoryPair> directory;
  std::string name;
  Attributes source;   // owner mapped
  Owner source_owner;  // as it is on the source
  std::optional<Attributes> target;
  Decision decision;

  std::string path() const { return directory->path_of(name); }
};

}  // namespace truenas::mover
