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

struct MovedHomes {
  std::vector<MovedHome> homes;  // each once
  // Journals that cannot be read as one of this cluster (of another one, of a newer version, damaged), each
  // by its name and why: what they are about is not known.
  std::vector<Error> unread;
};

// `namespaces` empty: all. Errors: what reading gives.
Result<MovedHomes> find_moved_homes(const kube::Reader& reader, const std::string& cluster_uid,
                                    const std::vector<std::string>& namespaces);

}  // namespace truenas::workflow
