#pragma once
// Reading two open files side by side, or one. Bytes are compared as bytes, so no hash can hide a difference;
// the digest is what a manifest keeps.

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/mover/hashing.h"

namespace truenas::mover {

struct ContentComparison {
  int number = 0;          // errno of reading; 0: both were read to their ends, or to the first difference
  bool of_target = false;  // whose errno it is
  std::optional<std::uint64_t> differs_at;  // offset of the first byte that differs, or where one file ends
  Digest digest;                            // of both, if they are equal
  bool stopped = false;                     // the process was asked to stop
};

// `buffers` are this thread's, kept for the next file. Adds what was read of one side to `bytes`. What the
// kernel still keeps of the files is dropped first as far as it can be, so that the servers are asked.
// `sparse_size`: the size of two files that take less room than that; 0: not asked. Of what both sides call a
// hole then (NFS 4.2 says where holes are, other versions call everything data) only the source is read, and
// must be zeros: copy believed the source's answer, so a server that calls data a hole would have lost that
// data on the way, and both sides would call the place a hole. The source is therefore read in full, always.
ContentComparison compare_content(int source, int target, std::uint64_t sparse_size,
                                  std::vector<char>& buffers, std::atomic<std::uint64_t>& bytes);

struct ContentDigest {
  int number = 0;
  Digest digest;
  std::uint64_t size = 0;  // bytes that were read
  bool stopped = false;
};
ContentDigest digest_content(int file, std::vector<char>& buffer, std::atomic<std::uint64_t>& bytes);

}  // namespace truenas::mover
