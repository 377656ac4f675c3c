#pragma once
// A Lease on a small API server in memory, and the two runs that want it.

#include <memory>
#include <string>

#include "lib/engine/lock.h"
#include "tests/unit/engine/fake_clock.h"
#include "tests/unit/engine/memory_api.h"

namespace truenas::engine {

inline const std::string k_path =
    "/apis/coordination.k8s.io/v1/namespaces/coder/leases/truenas-migrate-postgres-pg";

struct Stage {
  MemoryApi api;
  FakeClock clock;
  std::unique_ptr<kube::Session> session = session_with(api, clock);
  int watched = 0;

  LockOptions options(const std::string& holder = "ann@build-7:4211:aa") {
    LockOptions made;
    made.ns = "coder";
    made.name = "truenas-migrate-postgres-pg";
    made.what = "cluster coder/pg";
    made.holder = holder;
    made.clock = &clock;
    made.renew_in_thread = false;
    made.on_watch = [this](const Lease&, Milliseconds) { ++watched; };
    return made;
  }
  Result<std::unique_ptr<Lock>> acquire(const std::string& holder = "ann@build-7:4211:aa") {
    return Lock::acquire(*session, options(holder));
  }
  std::string field(const std::string& name) { return api.find(k_path)->text_at("/spec/" + name); }
  void set(const std::string& name, const json::Value& value) {
    json::Value changed = *api.find(k_path);
    changed.set_at("/spec/" + name, value);
    api.put(k_path, changed);
  }
  // Another run's Lease, last renewed now.
  void others(const std::string& holder = "bob@desk:12:bb") {
    api.put(k_path, new_lease("coder", "truenas-migrate-postgres-pg", holder, Seconds(15), clock.wall()));
  }
};

}  // namespace truenas::engine
