// Two runs at once would write one volume from two sides: every rule of the lock is tried here.
#include "lib/engine/lock.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/engine/lock_fixture.h"

namespace truenas::engine {
namespace {

TEST_CASE("a lock is made, renewed and given back, and its Lease is never deleted") {
  Stage s;
  {
    auto lock = s.acquire();
    REQUIRE(lock.ok());
    CHECK(s.field("holderIdentity") == "ann@build-7:4211:aa");
    CHECK(s.api.find(k_path)->integer_at("/spec/leaseDurationSeconds") == 15);
    const std::string first = s.field("renewTime");
    s.clock.advance(Seconds(5));
    REQUIRE((*lock)->renew().ok());
    CHECK(s.field("renewTime") != first);
    CHECK(s.field("acquireTime") == first);
    CHECK((*lock)->still_held().ok());
    REQUIRE((*lock)->release().ok());
    CHECK((*lock)->still_held().error().kind == Kind::locked);
  }
  REQUIRE(s.api.find(k_path) != nullptr);
  CHECK(s.field("holderIdentity").empty());
  CHECK(s.api.count("DELETE") == 0);
}

TEST_CASE("the destructor gives the lock back") {
  Stage s;
  { REQUIRE(s.acquire().ok()); }
  CHECK(s.field("holderIdentity").empty());
}

TEST_CASE("a released Lease is taken at once") {
  Stage s;
  { REQUIRE(s.acquire("bob@desk:12:bb").ok()); }
  const Milliseconds before = s.clock.steady();
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  CHECK(s.clock.steady() == before);
  CHECK(s.watched == 0);
  CHECK(s.field("holderIdentity") == "ann@build-7:4211:aa");
  CHECK(s.api.find(k_path)->integer_at("/spec/leaseTransitions") == 1);
}

TEST_CASE("a live run's Lease is not taken: holder, host and age are named") {
  Stage s;
  s.others();
  s.clock.advance(Seconds(150));
  int looks = 0;
  s.api.before = [&](const http::Request& request) {
    if (request.method == "GET" && ++looks == 4) s.set("renewTime", format_micro_time(s.clock.wall()));
  };
  const auto lock = s.acquire();
  REQUIRE_FALSE(lock.ok());
  CHECK(lock.error().kind == Kind::locked);
  CHECK(contains(lock.error().what, "cluster coder/pg is locked by another run"));
  CHECK(contains(lock.error().what, "bob on desk (process 12)"));
  CHECK(contains(lock.error().what, "since 2m3"));
  CHECK(s.watched == 1);
  CHECK(s.api.count("PATCH") == 0);
  CHECK(s.field("holderIdentity") == "bob@desk:12:bb");
}

TEST_CASE("a dead run's Lease is taken over only after one whole duration of our own clock") {
  for (const char* stamp : {"1999-01-01T00:00:00.000000Z", "2199-01-01T00:00:00.000000Z", ""}) {
    Stage s;
    s.others();
    s.set("renewTime", stamp);  // whatever the other machine's clock says
    const Milliseconds before = s.clock.steady();
    auto lock = s.acquire();
    REQUIRE(lock.ok());
    CHECK(s.clock.steady() - before >= Seconds(15));
    CHECK(s.clock.steady() - before < Seconds(18));
    CHECK(s.field("holderIdentity") == "ann@build-7:4211:aa");
    CHECK(s.watched == 1);
  }
}

TEST_CASE("a Lease is watched for the duration that it names, within reason") {
  Stage s;
  s.others();
  s.set("leaseDurationSeconds", 40);
  Milliseconds before = s.clock.steady();
  REQUIRE(s.acquire().ok());
  CHECK(s.clock.steady() - before >= Seconds(40));
  Stage absurd;
  absurd.others();
  absurd.set("leaseDurationSeconds", 1000000000);
  before = absurd.clock.steady();
  REQUIRE(absurd.acquire().ok());
  CHECK(absurd.clock.steady() - before < Seconds(65));
}

TEST_CASE("a run that comes to life at the last moment keeps its Lease") {
  Stage s;
  s.others();
  s.api.before = [&](const http::Request& request) {
    if (request.method == "PATCH") s.set("renewTime", format_micro_time(s.clock.wall()));
  };
  const auto lock = s.acquire();
  REQUIRE_FALSE(lock.ok());
  CHECK(s.field("holderIdentity") == "bob@desk:12:bb");
}

TEST_CASE("a Lease that is released while it is watched is taken") {
  Stage s;
  s.others();
  int looks = 0;
  s.api.before = [&](const http::Request& request) {
    if (request.method == "GET" && ++looks == 4) s.set("holderIdentity", "");
  };
  const Milliseconds before = s.clock.steady();
  auto lock = s.acquire();
  REQUIRE(lock.ok());
  CHECK(s.clock.steady() - before < Seconds(10));
}

TEST_CASE("a lost reply while acquiring is looked at") {
  for (const bool worked : {true, false}) {
    Stage s;
    s.api.faults.push_back({"POST", Kind::outcome_unknown, worked});
    auto lock = s.acquire();
    REQUIRE(lock.ok());
    CHECK((*lock)->still_held().ok());
    CHECK(s.watched == 0);
    CHECK((*lock)->renew().ok());
  }
}

TEST_CASE("two runs that start at once: one gets it") {
  Stage s;
  bool first = true;
  s.api.before = [&](const http::Request& request) {
    if (request.method == "POST" && first) {
      first = false;
      s.others();
    } else if (request.method == "GET" && s.api.find(k_path) != nullptr) {
      s.set("renewTime", format_micro_time(s.clock.wall()));
    }
  };
  CHECK(s.acquire().error().kind == Kind::locked);
}

TEST_CASE("holders name user, host and process, and no two are alike") {
  const std::string holder = this_holder();
  CHECK(split(holder, ':').size() == 3);
  CHECK(contains(holder, "@"));
  CHECK(holder != this_holder());
  Lease foreign;
  foreign.holder = "some\x1b controller";
  const Error error = locked_error("cluster a/b", foreign, std::chrono::seconds(0));
  CHECK(contains(error.what, "controller"));
  CHECK(error.what.find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace truenas::engine
