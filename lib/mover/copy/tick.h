#pragma once
// The tick of a file system's clock: of two changes within one, the second leaves no trace in a file's times.
// What was read between them would pass for what is there now, in every later run.

#include <chrono>

#include "lib/mover/attempt.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// When a file was seen with which ctime.
struct Sighting {
  Timestamp ctime;
  std::chrono::steady_clock::time_point at;
};

// Whether a change at `ctime` is so recent that another may follow within its tick. `now`: this machine's
// clock; a server's may be some seconds off.
bool is_young(Timestamp ctime, Timestamp now);

// What an open file is, such that whatever changes it from now on changes its ctime, too: waits until the
// tick of its last change is over, if that may not be so. `before`: an earlier look, which may have done the
// waiting. Acts as the thread does. Errors: fstat(2)'s.
Attempt<Attributes> read_settled(int descriptor, const Sighting& before);

}  // namespace truenas::mover
