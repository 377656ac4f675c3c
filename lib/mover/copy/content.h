#pragma once
// Moving the bytes of one open file into another that is empty: only the ranges that hold data, by the server
// where it can (copy_file_range), else through a buffer. It must not be given a file that holds anything.
// What the source calls a hole is believed here, and not read: compare, which reads the source in full, is
// what proves it. Nobody may do without compare where a source's answers are not to be trusted.

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/mover/copy/bandwidth.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// What the two file systems were found to be able to do together; shared by all workers.
struct ContentWays {
  std::atomic<bool> range_copy{true};  // copy_file_range between them
  std::atomic<bool> seek_data{true};   // SEEK_DATA and SEEK_HOLE on the source
};

struct ContentOutcome {
  int number = 0;              // errno; 0: all bytes are written (not yet: on the server)
  bool reading = false;        // the errno is the source's
  bool shrank = false;         // the source ended before `size`
  bool stopped = false;        // the process was asked to stop
  std::uint64_t written = 0;   // bytes of data ranges
  std::uint64_t by_range = 0;  // of these by copy_file_range
};

class ContentMover {
 public:
  // `reader`: who may read the source. A server that squashes root lets nobody else ask where its holes are,
  // while everything else is done as who acts when move() is called.
  ContentMover(ContentWays& ways, BandwidthLimit& bandwidth, std::optional<Owner> reader)
      : ways_(ways), bandwidth_(bandwidth), reader_(reader) {}

  // Copies `source.size` bytes. `buffer` is this thread's, grown as needed and kept for the next file.
  ContentOutcome move(int from, int to, const Attributes& source, std::vector<char>& buffer);

 private:
  struct Range {
    std::uint64_t at = 0;
    std::uint64_t end = 0;
    bool known = false;  // that it is data; else it may hold anything
  };
  // The next range with data at or behind `at`; empty (at == end == size) when there is none.
  Range next_data(int from, std::uint64_t at, std::uint64_t size);
  // `thin`: the source has fewer blocks than bytes.
  void move_range(int from, int to, Range range, bool thin, std::vector<char>& buffer,
                  ContentOutcome& outcome);
  // Whether all of it was done that way; moves range.at on.
  bool move_by_server(int from, int to, Range& range, ContentOutcome& outcome);
  void move_by_buffer(int from, int to, Range range, bool skip_zeros, std::vector<char>& buffer,
                      ContentOutcome& outcome);

  ContentWays& ways_;
  BandwidthLimit& bandwidth_;
  std::optional<Owner> reader_;
};

}  // namespace truenas::mover
