#pragma once
// How many workers the throughput asks for: climbs from 8 as long as more workers bring more, and goes back
// where they do not. Pure arithmetic; threads are the pool's.

#include <cstdint>

namespace truenas::mover {

class Workforce {
 public:
  static constexpr unsigned k_start = 8;
  static constexpr unsigned k_most = 32;

  // `cap`: the most that the user allows; 0: k_most.
  explicit Workforce(unsigned cap);
  unsigned size() const { return size_; }
  unsigned cap() const { return cap_; }
  // Told once a window what was done in it (files plus bytes in units of 256 KiB) and whether the workers had
  // enough to do; the size from now on. A window without enough to do teaches nothing.
  unsigned observe(double work_per_second, bool busy);

 private:
  unsigned cap_;
  unsigned size_;
  unsigned before_ = 0;     // the size that a trial started from; 0: no trial
  double rate_before_ = 0;  // what that size did
  unsigned rest_ = 0;       // windows until the next trial
  unsigned failed_trials_ = 0;
};

}  // namespace truenas::mover
