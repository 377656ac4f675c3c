#pragma once
// Hashes one tree, directory by directory in the order of a walk. What is done with the lines is the
// caller's.

#include <functional>
#include <set>
#include <string>

#include "lib/mover/manifest.h"
#include "lib/mover/manifest_file.h"

namespace truenas::mover {

struct TreeHashOptions {
  bool as_owner = false;
  OwnerMap owners;
  std::set<std::string> leave_out;
  bool xattrs = true;
  unsigned workers = 8;
  std::string phase;  // of progress
};

struct TreeHashSink {
  // The root's own attributes, before any line.
  std::function<void(const Attributes& own, Digest xattrs)> root;
  std::function<void(const ManifestLine& line)> line;
};

struct TreeHashTotals {
  std::uint64_t bytes = 0, unreadable = 0;
};

// Calls the sink from one thread at a time. What cannot be read is a finding (kind unreadable or
// changed-while-compared) and counted; its directory's line is missing then.
TreeHashTotals hash_tree(const Root& root, const TreeHashOptions& options, const TreeHashSink& sink,
                         Reporter& reporter);

}  // namespace truenas::mover
