#pragma once
// compare: reads both trees again, through their mounts and without anything that the copier knew, and names
// every difference. It writes nothing in either tree.

#include <optional>
#include <set>
#include <string>

#include "lib/mover/compare/since.h"
#include "lib/mover/finding.h"
#include "lib/mover/ownership.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

struct CompareOptions {
  bool source_as_owner = false;  // that side's server squashes root: everything is read as its owner
  bool target_as_owner = false;
  OwnerMap owners;                  // --map-owner: what the target's owners are expected to be
  std::set<std::string> leave_out;  // paths relative to the root, with all below: not to be on the target
  // Whether the root directory's own owner, mode and times can be carried. If not, its differences are
  // findings of severity expected, of kind "root-directory", and no mismatch.
  bool root_carried = true;
  bool xattrs = true;
  // --since: the target is in use again; what was done to it since then is a note and no difference, and what
  // was done to the source is one.
  std::optional<Since> since;
  bool source_was_empty = false;  // … and the source was empty then
  bool accept_removed = false;    // … and much of the source may have been removed from the target
  unsigned workers = 8;
  std::string list_file;      // paths that differ, each ended by a NUL, in the order of the walk; "": none
  std::string manifest_file;  // of the target, written only if nothing differs; "": none
};

// Kinds of differences (findings of severity error): missing, extraneous, type, size, content, link-target,
// device, owner, mode, mtime, xattr, links (other names of the same file than in the source). A directory
// that is missing, extraneous or of another type is one difference, whatever is in it; with --since what of
// the source's directory was written since then is missing by its own name. Kind unreadable, and
// changed-while-compared (the trees must be quiet), say what could not be compared. Kind not-sparse is a
// note, as are changed-since, removed-since and added-since. With --since kind mostly-removed is a
// difference, unless that is accepted: a directory at the top that is gone with more than 20 entries below
// it, or more than 20 entries that are more than a tenth of the source's, or more than half of them. Facts
// newest_change_source and newest_change_target: the newest ctime of either side, for a later --since.
// Outcome::exit: 0 nothing differs, 3 something does, 1 something could not be compared (and nothing
// differs), 4 refused (the two are one directory), 143 interrupted.
Outcome compare(const Root& source, const Root& target, const CompareOptions& options, Reporter& reporter);

}  // namespace truenas::mover
