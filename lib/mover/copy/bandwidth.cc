#include "lib/mover/copy/bandwidth.h"

#include <algorithm>
#include <thread>

#include "lib/base/interrupt.h"

namespace truenas::mover {
namespace {

using std::chrono::microseconds;
constexpr microseconds k_saved{250'000};
constexpr microseconds k_slice{100'000};

microseconds steady_now() {
  return std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

microseconds Allowance::book(std::uint64_t bytes, microseconds now) {
  free_at_ = std::max(free_at_, now - k_saved);
  const microseconds start = free_at_;
  const double seconds = static_cast<double>(bytes) / static_cast<double>(rate_);
  free_at_ += microseconds(static_cast<microseconds::rep>(seconds * 1e6));
  return std::max(start - now, microseconds{0});
}

void BandwidthLimit::take(std::uint64_t bytes) {
  if (rate_ == 0 || bytes == 0) return;
  microseconds wait{0};
  {
    const std::lock_guard lock(mutex_);
    wait = allowance_.book(bytes, steady_now());
  }
  while (wait > microseconds{0} && !interrupted()) {
    const microseconds slice = std::min(wait, k_slice);
    std::this_thread::sleep_for(slice);
    wait -= slice;
  }
}

std::uint64_t BandwidthLimit::portion(std::uint64_t most) const {
  if (rate_ == 0) return most;
  return std::min(most, std::max(rate_ / 4, std::uint64_t{64} * 1024));
}

}  // namespace truenas::mover
