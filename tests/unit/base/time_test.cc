#include <doctest/doctest.h>

#include "lib/base/clock.h"
#include "lib/base/interrupt.h"

using namespace truenas;
using std::chrono::microseconds;

TEST_CASE("times as Kubernetes writes and reads them") {
  const microseconds moment(1795354114123456);
  CHECK(format_time(moment) == "2026-11-22T13:28:34Z");
  CHECK(format_micro_time(moment) == "2026-11-22T13:28:34.123456Z");
  CHECK(parse_time("2026-11-22T13:28:34Z").value() == microseconds(1795354114000000));
  CHECK(parse_time("2026-11-22T13:28:34.123456Z").value() == moment);
  CHECK(parse_time("2026-11-22T13:28:34.123456789Z").value() == moment);
  CHECK(parse_time("2026-11-22T13:28:34.1Z").value() == microseconds(1795354114100000));
  CHECK(parse_time("2026-11-22T15:28:34+02:00").value() == microseconds(1795354114000000));
  CHECK(parse_time("2026-11-22T07:58:34-05:30").value() == microseconds(1795354114000000));
  CHECK(parse_time("1970-01-01T00:00:00Z").value() == microseconds(0));
}

TEST_CASE("what is no time is an error: a wrong time would make a fresh lock look old") {
  for (const char* text :
       {"", "now", "2026-11-22", "2026-11-22T13:28Z", "2026-11-22T13:28:34", "2026-11-22T13:28:34.Z",
        "2026-11-22T13:28:34ZZ", "2026-11-22T13:28:34+0200", "2026-11-22T13:28:34+2:00x",
        "2026-13-22T13:28:34Z", "2026-11-32T13:28:34Z", "2026-11-22T24:28:34Z", "2026-11-22T13:60:34Z",
        "2026-11-22T13:28:61Z", "2026-02-30T13:28:34Z", " 2026-11-22T13:28:34Z", "2026-1-2T3:4:5Z",
        "-026-11-22T13:28:34Z", "2026-+1-22T13:28:34Z"}) {
    CAPTURE(text);
    const auto value = parse_time(text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == Kind::format);
  }
}

TEST_CASE("a request to stop ends a sleep") {
  clear_interrupt();
  CHECK_FALSE(interrupted());
  CHECK(system_clock().sleep(Milliseconds(0)).ok());
  request_interrupt(15);
  request_interrupt(2);
  CHECK(interrupted());
  CHECK(interrupt_signal() == 15);
  const auto slept = system_clock().sleep(Milliseconds(3600000));
  REQUIRE_FALSE(slept.ok());
  CHECK(slept.error().kind == Kind::interrupted);
  clear_interrupt();
  CHECK_FALSE(interrupted());
}

TEST_CASE("the steady clock does not go backwards") {
  const Milliseconds before = system_clock().steady();
  CHECK(system_clock().steady() >= before);
}
