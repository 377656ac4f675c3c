#include "lib/kube/limiter.h"

#include <algorithm>
#include <cmath>

#include "lib/base/interrupt.h"

namespace truenas::kube {

Limiter::Limiter(double qps, int burst, Clock& clock)
    : qps_(qps), burst_(std::max(1, burst)), clock_(clock), tokens_(burst_), filled_at_(clock.steady()) {}

// Takes a token even where there is none yet: the debt is the place in the queue.
Milliseconds Limiter::take() {
  const std::lock_guard lock(mutex_);
  const Milliseconds now = clock_.steady();
  tokens_ = std::min(burst_, tokens_ + qps_ * static_cast<double>((now - filled_at_).count()) / 1000);
  filled_at_ = now;
  tokens_ -= 1;
  if (tokens_ >= 0) return Milliseconds(0);
  return Milliseconds(static_cast<std::int64_t>(std::ceil(-tokens_ / qps_ * 1000)));
}

Result<void> Limiter::wait() {
  if (qps_ <= 0) return {};
  const Milliseconds queue = take();
  // What begins after a request to stop cleans up: it does not queue, and could not, for nobody sleeps then.
  if (queue.count() <= 0 || interrupted()) return {};
  return clock_.sleep(queue);
}

}  // namespace truenas::kube
