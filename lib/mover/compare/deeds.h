#pragma once
// What was done to the target since both sides were equal: counted, and the first of it named. It believes
// its user a lot, but not that he has removed most of a volume: a dataset that was emptied, or is not
// mounted, gets new files of a skeleton and looks as if he had.

#include <cstdint>
#include <string>
#include <vector>

#include "lib/mover/compare.h"
#include "lib/mover/compare/gone_tree.h"
#include "lib/mover/compare/since.h"

namespace truenas::mover {

class Deeds {
 public:
  Deeds(const CompareOptions& options, Reporter& reporter) : options_(options), reporter_(reporter) {}

  // `below`: what went with it; null: nothing. False: not believed, and reported as an error.
  bool note(const std::string& path, Deed deed, const GoneTree* below);
  // At the end, with the number of entries that are on both sides, the root's own too. False: as above.
  bool believe(std::uint64_t entries);
  std::uint64_t count() const { return deeds_[0] + deeds_[1] + deeds_[2]; }
  void write(Outcome& outcome) const;

 private:
  std::uint64_t count(Deed deed) const { return deeds_[static_cast<std::size_t>(deed)]; }
  bool refuse(const std::string& path, const char* kind, const std::string& text);
  bool is_mostly_removed(std::uint64_t entries) const;

  const CompareOptions& options_;
  Reporter& reporter_;
  std::uint64_t deeds_[3] = {};     // by Deed, paths
  std::vector<std::string> named_;  // the first of them
  std::uint64_t gone_ = 0;          // entries of the source, also below directories
  std::uint64_t mostly_removed_ = 0;
};

}  // namespace truenas::mover
