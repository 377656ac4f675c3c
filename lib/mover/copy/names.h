#pragma once
// The names in a directory as one value, so that it can be seen later whether one came or went though the
// directory's times say nothing: a clock's tick may be 10 ms long, and times can be set.

#include <cstdint>
#include <string_view>

#include "lib/mover/attempt.h"

namespace truenas::mover {

// Sums over the names' hashes: the order in which they are added does not matter.
class NameDigest {
 public:
  void add(std::string_view name);
  bool operator==(const NameDigest&) const = default;

 private:
  std::uint64_t count_ = 0, high_ = 0, low_ = 0;
};

// Reads all names of a directory again, from the server where it is one, without asking what they are. Acts
// as the thread does. Errors: open(2)'s and readdir(3)'s.
Attempt<NameDigest> digest_names(int directory);

}  // namespace truenas::mover
