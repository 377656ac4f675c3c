// A lock that is held: renewed, lost for a while, lost for good, and asked before every write.
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "lib/base/text.h"
#include "lib/engine/lock.h"
#include "tests/unit/engine/lock_fixture.h"

namespace truenas::engine {
namespace {

TEST_CASE("a lock that cannot be renewed stops counting before others may take it, and may recover") {
  Stage s;
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  for (int i = 0; i < 3; ++i) s.api.faults.push_back({"PATCH", Kind::unavailable, false});
  s.clock.advance(Seconds(9));
  CHECK_FALSE((*lock)->renew().ok());
  CHECK((*lock)->still_held().ok());
  s.clock.advance(Seconds(1));
  CHECK_FALSE((*lock)->renew().ok());
  const Result<void> held = (*lock)->still_held();
  REQUIRE_FALSE(held.ok());
  CHECK(held.error().kind == Kind::unavailable);
  CHECK(contains(held.error().what, "scripted"));
  s.api.faults.clear();
  s.clock.advance(Seconds(60));
  REQUIRE((*lock)->renew().ok());  // still ours: nobody took it, the resourceVersion proves it
  CHECK((*lock)->still_held().ok());
}

TEST_CASE("a lock does not count after the machine was asleep, until it is renewed") {
  Stage s;
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  s.clock.suspend(Seconds(600));
  CHECK((*lock)->still_held().error().kind == Kind::unavailable);
  CHECK((*lock)->renew().ok());
  CHECK((*lock)->still_held().ok());
}

TEST_CASE("a lock that somebody else has taken is lost for good, and is left alone") {
  Stage s;
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  s.set("holderIdentity", "bob@desk:12:bb");
  CHECK((*lock)->renew().error().kind == Kind::locked);
  CHECK((*lock)->still_held().error().kind == Kind::locked);
  CHECK(contains((*lock)->still_held().error().what, "bob on desk"));
  const int patches = s.api.count("PATCH");
  CHECK_FALSE((*lock)->renew().ok());
  CHECK((*lock)->release().ok());
  CHECK(s.api.count("PATCH") == patches);
  CHECK(s.field("holderIdentity") == "bob@desk:12:bb");
}

TEST_CASE("a lock whose Lease was deleted, or made again, is lost") {
  Stage s;
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  s.api.erase(k_path);
  CHECK((*lock)->renew().error().kind == Kind::locked);
  CHECK(contains((*lock)->still_held().error().what, "was deleted"));
}

TEST_CASE("an edit of the Lease that leaves it ours does not lose the lock") {
  Stage s;
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  s.set("strategy", "x");
  CHECK((*lock)->renew().ok());
  s.api.faults.push_back({"PATCH", Kind::outcome_unknown, true});
  CHECK((*lock)->renew().ok());
  CHECK((*lock)->still_held().ok());
}

TEST_CASE("a permit asks the lock before each write") {
  Stage s;
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  kube::Writer writer(*s.session, (*lock)->permit());
  const json::Value object =
      json::Value::object({{"metadata", json::Value::object({{"name", "x"}, {"namespace", "coder"}})}});
  CHECK(writer.create(kube::k_config_map, "coder", object).ok());
  s.clock.advance(Seconds(10));
  CHECK(writer.create(kube::k_config_map, "coder", object).error().kind == Kind::unavailable);
  CHECK(s.api.count("POST") == 2);  // the Lease and the first object
}

TEST_CASE("the thread renews") {
  MemoryApi api;
  std::mutex mutex;
  std::condition_variable renewed;
  int patches = 0;
  api.before = [&](const http::Request& request) {
    if (request.method != "PATCH") return;
    const std::lock_guard guard(mutex);
    ++patches;
    renewed.notify_all();
  };
  const auto session = session_with(api, system_clock());
  LockOptions options;
  options.ns = "coder";
  options.name = "x";
  options.holder = this_holder();
  options.renew_every = Seconds(0);
  auto lock = Lock::acquire(*session, options);
  REQUIRE(lock.ok());
  {
    std::unique_lock guard(mutex);
    renewed.wait(guard, [&] { return patches >= 3; });
  }
  CHECK((*lock)->still_held().ok());
  CHECK((*lock)->release().ok());
}

}  // namespace
}  // namespace truenas::engine
