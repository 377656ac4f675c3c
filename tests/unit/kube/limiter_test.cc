// The rate of requests, and who need not keep it.

#include "lib/kube/limiter.h"

#include <doctest/doctest.h>

#include "lib/base/interrupt.h"

using namespace truenas;

namespace {

class CountingClock final : public Clock {
 public:
  Milliseconds steady() const override { return now; }
  std::chrono::microseconds wall() const override { return now; }
  Result<void> sleep(Milliseconds duration) override {
    if (interrupted()) return make_error(Kind::interrupted, "interrupted");
    now += duration;
    slept += duration;
    return {};
  }
  Milliseconds now{0}, slept{0};
};

}  // namespace

TEST_CASE("beyond the burst requests queue") {
  CountingClock clock;
  kube::Limiter limiter(10, 5, clock);
  for (int i = 0; i < 5; ++i) REQUIRE(limiter.wait().ok());
  CHECK(clock.slept == Milliseconds(0));
  for (int i = 0; i < 5; ++i) REQUIRE(limiter.wait().ok());
  CHECK(clock.slept == Milliseconds(500));
}

TEST_CASE("what cleans up after a request to stop does not queue, however long the queue is") {
  CountingClock clock;
  kube::Limiter limiter(10, 5, clock);
  for (int i = 0; i < 50; ++i) REQUIRE(limiter.wait().ok());
  request_interrupt(2);
  const Result<void> first = limiter.wait();
  const Result<void> second = limiter.wait();
  clear_interrupt();
  CHECK(first.ok());
  CHECK(second.ok());
}
