#pragma once
// Client-side request rate (Y5): a token bucket. Thread-safe. It must not know what is asked for.

#include <mutex>

#include "lib/base/clock.h"

namespace truenas::kube {

class Limiter {
 public:
  // `qps` <= 0: no limit.
  Limiter(double qps, int burst, Clock& clock);
  // Takes one token, sleeping until there is one. Kind::interrupted when the process is asked to stop
  // meanwhile; whatever begins after that cleans up, and does not queue.
  Result<void> wait();

 private:
  Milliseconds take();

  const double qps_;
  const double burst_;
  Clock& clock_;
  std::mutex mutex_;
  double tokens_;
  Milliseconds filled_at_;
};

}  // namespace truenas::kube
