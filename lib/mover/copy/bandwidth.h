#pragma once
// The --bandwidth-limit over all workers. Sleeps; asks interrupted() in between.

#include <chrono>
#include <cstdint>
#include <mutex>

namespace truenas::mover {

// When the next bytes may go, from what has gone so far: pure arithmetic over a clock that the caller gives.
class Allowance {
 public:
  // `rate` in bytes a second, not 0.
  explicit Allowance(std::uint64_t rate) : rate_(rate) {}
  // Books `bytes` at `now`; the time to wait before sending them. Unused time is not saved up beyond 1/4 s.
  std::chrono::microseconds book(std::uint64_t bytes, std::chrono::microseconds now);

 private:
  std::uint64_t rate_;
  std::chrono::microseconds free_at_{0};
};

class BandwidthLimit {
 public:
  // 0: no limit.
  explicit BandwidthLimit(std::uint64_t rate) : rate_(rate), allowance_(rate == 0 ? 1 : rate) {}
  // Waits until `bytes` more may be moved, or until the process is asked to stop.
  void take(std::uint64_t bytes);
  // The most to move at a time, so that waits stay short: a quarter of a second's worth, at least 64 KiB.
  std::uint64_t portion(std::uint64_t most) const;

 private:
  std::uint64_t rate_;
  std::mutex mutex_;
  Allowance allowance_;
};

}  // namespace truenas::mover
