#pragma once
// TopListing: what lies directly in a tree's root, and the root itself, as two short hashes: whether two
// mounts show the same tree. It looks at names and attributes, and at nothing that differs from mount to
// mount (inode and device numbers, times of access). No proof that two trees are the same below.

#include <string>
#include <string_view>
#include <vector>

#include "lib/mover/entry.h"
#include "lib/mover/report.h"

namespace truenas::mover {

class TopListing {
 public:
  void add(std::string_view name, const Attributes& attributes);
  // Facts "top" and "top_names". Nothing when nothing was added: the root could not be read.
  void write(Outcome& outcome) const;

 private:
  struct Line {
    std::string name;
    Attributes attributes;
  };
  std::vector<Line> lines_;
};

}  // namespace truenas::mover
