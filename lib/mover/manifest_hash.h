#pragma once
// What a manifest's hashes cover, field by field: the one place that decides when two directories are taken
// for the same. Pure. A change here needs a new version of the manifest (manifest_file.h).

#include <optional>
#include <string>
#include <string_view>

#include "lib/mover/entry.h"
#include "lib/mover/hashing.h"
#include "lib/mover/xattr.h"

namespace truenas::mover {

// One entry of a directory as its hash sees it. Of a subdirectory only name and type count here: the rest is
// in the subdirectory's own line.
struct ManifestEntry {
  std::string_view name;
  Attributes attributes;  // the owner mapped; of these type, owner, mode (not of symlinks), mtime, size (of
                          // regular files) and rdev (of devices) count
  Digest content;         // of a regular file
  std::string link_text;  // of a symlink
  Digest xattrs;
  std::string link_of;  // the first path, in the manifest's order, of the file that this is another name of
};

Digest digest_of(const ExtendedAttributes& xattrs);

class DirectoryHash {
 public:
  // The directory's own owner, mode, mtime and extended attributes; nothing for the root, whose own are kept
  // apart because a server may not let them be carried.
  explicit DirectoryHash(const std::optional<Attributes>& own, Digest xattrs);
  // In ascending order of names.
  void add(const ManifestEntry& entry);
  std::uint64_t entries() const { return entries_; }
  Digest digest() const { return hasher_.digest(); }

 private:
  void add_attributes(const Attributes& attributes);
  Hasher hasher_;
  std::uint64_t entries_ = 0;
};

}  // namespace truenas::mover
