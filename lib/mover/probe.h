#pragma once
// Finds out what a directory's server does with owners, by trying: in a directory of its own, which it
// removes whatever happens (also when asked to stop), together with what earlier probes that were killed left
// behind. It touches nothing else, and writes where it copies from only if it is told that it may.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/mover/finding.h"
#include "lib/mover/probe_copy.h"
#include "lib/mover/probe_verdict.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

struct ProbeOptions {
  std::vector<Owner> others;        // whom to act as beside root; a stranger is always added
  const Root* copy_from = nullptr;  // whether copy_file_range(2) works from there to here
  bool copy_from_writable = false;  // a file to copy may be made there
};

struct ProbeReport {
  ProbeObservation seen;
  ProbeVerdict verdict;
  Mount mount;
  std::uint64_t bytes_total = 0, bytes_free = 0;    // free: for others than root
  std::uint64_t inodes_total = 0, inodes_free = 0;  // 0 and 0 where the file system has no fixed number
  CopyTrial copying;
  std::uint64_t left_overs_removed = 0;
};

// Kind::interrupted when asked to stop (all is cleaned up then), Kind::refused when the process may not act
// as others, else the error of the first system call without which nothing can be said. What could not be
// cleaned up, or was no left-over of ours, is a finding.
Result<ProbeReport> probe(const Root& root, const ProbeOptions& options, Reporter& reporter);

// As facts and counts of the mode's result.
Outcome outcome_of(const ProbeReport& report);

// The names that probes use in the probed directory: ".volume-mover-probe-" and 16 hex digits.
bool is_probe_name(std::string_view name);

}  // namespace truenas::mover
