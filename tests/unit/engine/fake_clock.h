#pragma once
// A clock that only sleeping moves.

#include "lib/base/clock.h"

namespace truenas::engine {

class FakeClock final : public Clock {
 public:
  Milliseconds steady() const override { return now_; }
  std::chrono::microseconds wall() const override {
    return std::chrono::seconds(1763820000) + std::chrono::microseconds(now_ + suspended_);
  }
  Result<void> sleep(Milliseconds duration) override {
    if (interrupt_at_ && now_ + duration >= *interrupt_at_) {
      return make_error(Kind::interrupted, "interrupted");
    }
    now_ += duration;
    return {};
  }
  void advance(Milliseconds duration) { now_ += duration; }
  // As a laptop that was closed: only the wall clock has gone on.
  void suspend(Milliseconds duration) { suspended_ += duration; }
  // A sleep that would pass this moment is interrupted instead.
  void interrupt_at(Milliseconds moment) { interrupt_at_ = moment; }

 private:
  Milliseconds now_{1000};
  Milliseconds suspended_{0};
  std::optional<Milliseconds> interrupt_at_;
};

}  // namespace truenas::engine
