#pragma once
// Reading a tree through its mount: which directory is opened as whom, what is in it, and its files' bytes.
// Where the server squashes root, everything is read as its owner. It never writes and follows no link.

#include <memory>
#include <optional>
#include <string>

#include "lib/mover/directory.h"
#include "lib/mover/place.h"
#include "lib/mover/tree.h"
#include "lib/mover/xattr.h"

namespace truenas::mover {

// As Root::open; a directory that root may not open (its server squashes root and it is private) is opened as
// its owner.
Result<Root> open_root(const std::string& path, const MountExpectation& expectation);

// A directory that is going to be read.
struct Directory {
  std::shared_ptr<Place> place;
  Owner owner;
  std::string path() const { return place->path(); }
};

struct OpenedDirectory {
  OpenDirectory handle;
  Attributes attributes;  // as they are now
  Listing listing;
};

class TreeReader {
 public:
  // `as_owner`: the server squashes root.
  TreeReader(const Root& root, bool as_owner);

  Directory top() const { return Directory{top_, owner_}; }
  Directory below(const Directory& parent, std::string_view name, const Attributes& attributes) const;

  // ESTALE: another directory has its place now. Else openat(2)'s and getdents(2)'s.
  Attempt<OpenedDirectory> read(const Directory& directory);
  // Of the directory that it lies in, from the server; ENOENT for the root.
  Attempt<Attributes> look_above(const Directory& directory);
  // Of the listing's entry `index`. ENOENT: it has gone since.
  Attempt<Attributes> attributes(const OpenedDirectory& opened, std::size_t index) const;
  // Of `name`, from the server (one RPC over NFS). For what is not opened: opening a file asks the server
  // too.
  Attempt<Attributes> look_again(int directory, Owner directory_owner, const char* name) const;
  // The file is not opened, only looked at: for symlinks and special files.
  Attempt<std::string> read_link(int directory, Owner directory_owner, const char* name) const;
  Attempt<ExtendedAttributes> xattrs_by_name(int directory, Owner directory_owner, const char* name,
                                             Owner owner) const;
  // All names, also of what is never carried; none where the file system has none.
  Attempt<std::map<std::string, XattrRole>> xattr_names(int directory, Owner directory_owner,
                                                        const char* name, Owner owner) const;
  // Of a file that was opened as its owner: a server that squashes root asks again who wants its attributes.
  Attempt<ExtendedAttributes> xattrs(int descriptor, Owner owner) const;
  // For reading, without waiting for a FIFO's writer; neither a link nor anything but a file or directory
  // (ELOOP, EINVAL).
  Attempt<Descriptor> open_file(int directory, Owner directory_owner, const char* name, Owner owner) const;

  // As whom a file of that owner is read; nothing: as the thread itself.
  std::optional<Owner> whom(Owner owner) const;

 private:
  // What `call` gives the first owner, or, if that one may not, the second.
  template <class T, class Call>
  Attempt<T> as_either(Owner first, Owner second, const Call& call) const;

  const bool as_owner_;
  const Owner owner_;  // of the root
  std::shared_ptr<Place> top_;
  mutable OpenPlaces places_{64};
};

}  // namespace truenas::mover
