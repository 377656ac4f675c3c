#include "lib/mover/copy/tick.h"

#include <ctime>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"

namespace truenas::mover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_tick{20};  // twice the longest of any system's
constexpr std::int64_t k_young_seconds = 5;
constexpr int k_looks = 8;  // at a file that changes all the time: reading it will show that

Timestamp present() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return Timestamp{now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)};
}

}  // namespace

bool is_young(Timestamp ctime, Timestamp now) {
  ctime.seconds += k_young_seconds;
  return ctime > now;
}

Attempt<Attributes> read_settled(int descriptor, const Sighting& before) {
  Attempt<Attributes> now = read_attributes(descriptor);
  if (!now || !is_young(now->ctime, present())) return now;
  Clock::time_point since = now->ctime == before.ctime ? before.at : Clock::now();
  for (int look = 0; look < k_looks && !interrupted(); ++look) {
    const auto left = since + k_tick - Clock::now();
    if (left <= Clock::duration::zero()) return now;
    std::this_thread::sleep_for(left);
    Attempt<Attributes> then = read_attributes(descriptor, Freshness::of_server);
    if (!then.ok() || then->ctime == now->ctime) return then;
    now = then;
    since = Clock::now();
  }
  return now;
}

}  // namespace truenas::mover
