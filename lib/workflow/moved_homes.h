#pragma once
// Which homes this tool has moved and not finalized, by their journals: for --all. It reads, and decides
// nothing about them.

#include <string>
#include <vector>

#include "lib/kube/reader.h"

namespace truenas::workflow {

struct MovedHome {
  std::string ns, claim;
  bool there = false;  // a claim of the name is there
  bool open = false;   // a run for it has begun and not ended
  bool back = false;   // it was taken back to the volume of before
};

// `namespaces` empty: all. Errors: a journal of another cluster or a newer version, and what reading gives.
Result<std::vector<MovedHome>> find_moved_homes(const kube::Reader& reader, const std::string& cluster_uid,
                                                const std::vector<std::string>& namespaces);

}  // namespace truenas::workflow
