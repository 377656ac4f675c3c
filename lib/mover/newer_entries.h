#pragma once
// What of a tree has changed since a moment: counted, and the first of it named. Pure; private to the scan.

#include <cstdint>
#include <string>
#include <vector>

#include "lib/mover/entry.h"
#include "lib/mover/finding.h"

namespace truenas::mover {

class NewerEntries {
 public:
  void add(const std::string& path, const Attributes& attributes);
  void write(Outcome& outcome) const;

 private:
  std::uint64_t others_ = 0, bytes_ = 0, directories_ = 0;  // others: all but directories
  std::vector<std::string> named_;
};

}  // namespace truenas::mover
