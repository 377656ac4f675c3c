#pragma once
// copy: makes the target tree what the source tree is. Content is only ever written into a file that this run
// has made: never through a link, never into a file that was there. It decides nothing about whether a
// migration may go on; it says what it did and what it could not.

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "lib/base/result.h"
#include "lib/mover/finding.h"
#include "lib/mover/ownership.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

struct CopyOptions {
  OwnerWay way = OwnerWay::chown;     // from a probe's verdict (way_for)
  std::optional<Owner> single_owner;  // of OwnerWay::single_owner: whom everything belongs to
  OwnerMap owners;                    // --map-owner
  bool source_as_owner = false;       // the source squashes root: read each file as its owner
  bool remove_extraneous = false;     // --delete
  bool accept_empty_source = false;   // let an empty source empty a target
  bool accept_unrelated = false;      // let a source replace a target that has no name in common with it
  bool final_pass = false;            // what changes while it is copied is an error, not a warning
  bool ctime_counts = true;           // a change time not older than the target's makes a file suspect
  bool xattrs = true;                 // extended attributes and POSIX ACLs
  unsigned workers = 0;               // the most at a time; 0: as many as throughput asks for, up to 32
  std::uint64_t bandwidth = 0;        // bytes a second over all workers; 0: no limit
  std::set<std::string> leave_out;    // paths relative to the root, with all below
  std::set<std::string> again;        // paths whose content is copied whatever size and times say
  MountExpectation source_mount;
  MountExpectation target_mount;
};

// Runs to the end, to the first condition that no other file can escape (no space, quota, read-only), or
// until the process is asked to stop (interrupt.h). Outcome::exit: 0 done; 1 something could not be copied,
// each named by a finding; 4 refused before anything was changed; 143 interrupted.
Outcome copy(const std::string& source, const std::string& target, const CopyOptions& options,
             Reporter& reporter);

}  // namespace truenas::mover
