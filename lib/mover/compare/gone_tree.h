#pragma once
// What lies in a directory of the source that the target has no more: only the source can tell what went with
// it. It looks at names and attributes, and reads no file.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/mover/compare.h"
#include "lib/mover/compare/difference.h"
#include "lib/mover/reading.h"

namespace truenas::mover {

struct GoneTree {
  std::uint64_t entries = 0;  // below the directory, without itself
  std::uint64_t bytes = 0;    // sizes of the files among them
  // Written to the source since both were equal, so that the target never had it; could not be looked at.
  std::uint64_t late = 0, unreadable = 0;
  std::vector<std::pair<std::string, Difference>> amiss;  // the first of both, by path
};

// `options.since` is set. What is left out of the copy is left out here.
GoneTree walk_gone_tree(TreeReader& source, const Directory& top, const CompareOptions& options);

// "1,204 entries, 35 MB".
std::string size_text(const GoneTree& tree);
// "1,204 entries".
std::string entries_text(std::uint64_t entries);

}  // namespace truenas::mover
