#pragma once
// Clock: the only source of time and the only way to sleep, so that tests need neither. It must not be used
// to decide whether another machine's timestamp is old: clocks differ (compare such stamps for change, over
// our own steady time).

#include <chrono>
#include <string>

#include "lib/base/result.h"

namespace truenas {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Time since an arbitrary start; never goes backwards. For deadlines and durations.
  virtual Milliseconds steady() const = 0;
  // Wall-clock time since 1970-01-01T00:00:00Z. For stamps written into objects and reports.
  virtual std::chrono::microseconds wall() const = 0;
  // Sleeps; returns Kind::interrupted early when the process has been asked to stop (interrupt.h).
  virtual Result<void> sleep(Milliseconds duration) = 0;
};

// The machine's clock.
Clock& system_clock();

// RFC 3339 with microseconds and Z, as metav1.MicroTime ("2026-11-22T13:28:34.000000Z").
std::string format_micro_time(std::chrono::microseconds wall);
// RFC 3339 in whole seconds, as metav1.Time.
std::string format_time(std::chrono::microseconds wall);
// Reads either form, with Z or a numeric offset.
Result<std::chrono::microseconds> parse_time(std::string_view text);

}  // namespace truenas
