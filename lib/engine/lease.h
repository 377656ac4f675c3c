#pragma once
// The Lease object as the lock uses it: reading one, writing one, and judging whether another run's Lease is
// still alive. Pure; lock.h does the talking. It must not compare another machine's time stamps with any
// clock: they are watched for change.

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::engine {

struct Lease {
  std::string holder;                    // spec.holderIdentity; "": released
  std::string acquire_time, renew_time;  // RFC 3339 as found; "" if absent
  std::int64_t duration_seconds = 0;     // spec.leaseDurationSeconds; 0 if absent
  std::int64_t transitions = 0;
  std::string uid, resource_version;
};

// Kind::format when a field has a type that it must not have.
Result<Lease> parse_lease(const json::Value& object);
// The Lease to create, labelled as the journal is. Times are this machine's.
json::Value new_lease(std::string_view ns, std::string_view name, const std::string& holder, Seconds duration,
                      std::chrono::microseconds now);
// Merge patches, each conditional on lease.resource_version: another run's Lease becomes ours; ours lives on;
// ours is given back.
json::Value take_patch(const Lease& lease, const std::string& holder, Seconds duration,
                       std::chrono::microseconds now);
json::Value renew_patch(const Lease& lease, std::chrono::microseconds now);
json::Value release_patch(const Lease& lease, std::chrono::microseconds now);

// "ann@build-7:4211:9f3c01d2", unique for each run.
std::string make_holder(std::string_view user, std::string_view host, long pid, std::string_view random);

// Watches another run's Lease for one of its durations by our own steady time.
class LeaseWatch {
 public:
  enum class Verdict {
    watch_on,   // too early to tell
    held,       // it was renewed: somebody is alive
    take_over,  // one whole duration without a renewal
    free,       // released, or held by nobody
  };
  LeaseWatch(Lease first, Milliseconds now, Seconds at_least);
  Verdict look(const Lease& lease, Milliseconds now) const;
  Milliseconds duration() const { return duration_; }

 private:
  Lease first_;
  Milliseconds began_;
  Milliseconds duration_;
};

// Kind::locked: "… is locked by another run: ann on build-7 (process 4211), since 12m, renewed 3s ago".
// The ages compare two machines' clocks: for people only.
Error locked_error(std::string_view what, const Lease& lease, std::chrono::microseconds now);

}  // namespace truenas::engine
