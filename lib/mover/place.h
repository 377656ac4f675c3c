#pragma once
// Place: one directory of a tree, reachable by descriptors however deep it lies. A tree of a million levels
// needs neither a long path nor many open files: the few used last stay open, others are opened again from
// the nearest open one above, name by name, and must then be the directory they were. It must not keep the
// names of files.

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "lib/mover/attempt.h"
#include "lib/mover/descriptor.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// An open directory, kept open as long as somebody holds it.
using OpenDirectory = std::shared_ptr<const Descriptor>;

class Place {
 public:
  // The root of a tree; `root` stays open for ever. `owner` as below.
  Place(OpenDirectory root, FileKey key, std::optional<Owner> owner = {})
      : key_(key), owner_(owner), open_(std::move(root)) {}
  // `name` in `parent`. `key`: what it was when first seen. `owner`: whom to act as when opening it and
  // looking into it (nothing: the thread itself).
  Place(std::shared_ptr<Place> parent, std::string name, FileKey key, std::optional<Owner> owner = {});
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  const std::shared_ptr<Place>& parent() const { return parent_; }
  const std::string& name() const { return name_; }
  FileKey key() const { return key_; }
  std::size_t depth() const { return depth_; }  // 0 for the root
  // Relative to the root, "." for the root itself; may be longer than PATH_MAX.
  std::string path() const;
  // The path of `name` in this directory.
  std::string path_of(std::string_view name) const;

 private:
  friend class OpenPlaces;
  std::shared_ptr<Place> parent_;
  std::string name_;
  FileKey key_;
  std::optional<Owner> owner_;
  std::size_t depth_ = 0;
  OpenDirectory open_;  // guarded by OpenPlaces::mutex_, but for the root's
  std::list<std::weak_ptr<Place>>::iterator recent_;
  bool listed_ = false;
};

// Keeps the directories used last open. One for each tree, shared by all threads.
class OpenPlaces {
 public:
  // `capacity`: how many descriptors may stay open though nobody holds them.
  explicit OpenPlaces(std::size_t capacity = 256) : capacity_(capacity) {}

  // Opens `place`, through the places above it where they are closed. ESTALE: another directory has its name
  // now. As for the rest openat(2)'s.
  Attempt<OpenDirectory> open(const std::shared_ptr<Place>& place);
  // Puts in a directory that the caller has just opened (or made) himself.
  OpenDirectory put(const std::shared_ptr<Place>& place, Descriptor descriptor);
  // Nobody will ask for it again soon, but for the one above soon. If that is closed it is opened by "..": it
  // counts only if it is the directory that it was. On the way up a deep tree this is one open a level.
  void leave(const std::shared_ptr<Place>& place);

 private:
  void open_above(const std::shared_ptr<Place>& place, const OpenDirectory& open);
  OpenDirectory find(const std::shared_ptr<Place>& place);
  std::size_t capacity_;
  std::mutex mutex_;
  std::list<std::weak_ptr<Place>> recent_;  // the one used last in front
};

}  // namespace truenas::mover
