#pragma once
// A clock that moves only when a test says so.

#include "lib/base/clock.h"

namespace truenas::kube::test {

class ManualClock : public Clock {
 public:
  Milliseconds steady() const override { return steady_; }
  std::chrono::microseconds wall() const override { return wall_; }
  Result<void> sleep(Milliseconds duration) override {
    advance(duration);
    return {};
  }
  void advance(Milliseconds duration) {
    steady_ += duration;
    wall_ += duration;
  }
  void set_wall(std::chrono::microseconds wall) { wall_ = wall; }

 private:
  Milliseconds steady_{1000000};
  std::chrono::microseconds wall_{std::chrono::seconds(1800000000)};  // 2027-01-15T08:00:00Z
};

}  // namespace truenas::kube::test
