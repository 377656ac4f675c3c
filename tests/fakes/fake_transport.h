#pragma once
// The network between a Session and a FakeCluster, and the clock that both live by. Errors have the kinds and
// words of lib/http/curl_transport.

#include <memory>

#include "lib/base/clock.h"
#include "lib/http/transport.h"
#include "lib/kube/session.h"
#include "lib/kube/writer.h"
#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

// Time that passes only when somebody sleeps; the cluster lives on meanwhile, a tick a second.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(FakeCluster& cluster) : cluster_(cluster) {}
  Milliseconds steady() const override;
  std::chrono::microseconds wall() const override;
  Result<void> sleep(Milliseconds duration) override;
  // When set, asked at each sleep: an error ends it (an interrupt).
  std::function<Result<void>()> on_sleep;

 private:
  FakeCluster& cluster_;
  mutable std::mutex mutex_;
  Milliseconds rest_{0};  // below a second, not yet lived by the cluster
};

class FakeTransport final : public http::Transport {
 public:
  // With a clock a watch waits, in that clock's time, for events; without one it returns what there is.
  explicit FakeTransport(FakeCluster& cluster, FakeClock* clock = nullptr)
      : cluster_(cluster), clock_(clock) {}
  Result<http::Response> send(const http::Request& request, const http::BodySink& sink = {}) override;
  Result<http::Upgrade> upgrade(const http::Request& request,
                                const std::vector<std::string>& protocols) override;

 private:
  Result<http::Response> exchange(const http::Request& request);

  FakeCluster& cluster_;
  FakeClock* clock_;
};

// A Session over a FakeTransport: no credentials, no rate limit.
std::unique_ptr<kube::Session> make_session(FakeCluster& cluster, FakeClock& clock);
// A Permit that is always granted.
kube::Permit any_permit();
// One that is granted for so many writes; then its process is as good as killed.
kube::Permit permit_for(std::size_t writes);

}  // namespace truenas::fakes
