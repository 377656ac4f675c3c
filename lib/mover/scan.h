#pragma once
// scan: what a tree consists of, before anything stops, and what of it a target cannot represent. It reads
// names and attributes, never content, and changes nothing. Memory: the names on the way from the root to
// where it is, one number a group of hard links, and totals.

#include <optional>
#include <set>
#include <string>

#include "lib/mover/finding.h"
#include "lib/mover/ownership.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

struct ScanOptions {
  bool as_owner = false;               // the tree's server squashes root
  std::optional<OwnerWay> target_way;  // nothing: what a target can represent is not asked
  std::optional<Owner> single_owner;   // of OwnerWay::single_owner
  OwnerMap owners;                     // --map-owner
  std::set<std::string> leave_out;     // paths relative to the root, with all below
  bool xattrs = true;                  // look for extended attributes: a RPC a file on NFS
  bool top = false;                    // only what lies directly in the root
  std::optional<Timestamp> since;      // count and name what has changed (ctime) since
  unsigned workers = 8;
};

// Findings of severity error (kinds "owner-refused", "cannot-be-copied", named as the copier names them) say
// what the target cannot represent, "cannot-be-compared" what nobody could read there to compare it;
// "unreadable" what could not be looked at. Outcome::exit: 0, 1 when
// something was unreadable, 4 when something cannot be represented, 143 interrupted.
// Facts "top" and "top_names": hashes over what lies directly in the root, in which nothing is that another
// mount of the same tree would show differently. The second one is without sizes and times, so that it stays
// while somebody works there. With `since`: counts "changed_since" and "changed_since_bytes" of all but
// directories, "directories_since", and facts "since.1" … with the first paths.
Outcome scan(const Root& root, const ScanOptions& options, Reporter& reporter);

}  // namespace truenas::mover
