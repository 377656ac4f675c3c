#include "lib/base/quantity.h"

#include <doctest/doctest.h>

#include <limits>

using truenas::format_age;
using truenas::format_bytes;
using truenas::format_elapsed;
using truenas::Kind;
using truenas::parse_duration;
using truenas::parse_quantity;

TEST_CASE("quantities in bytes, rounded up: a volume must never be taken for smaller than it is") {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"0", 0},
      {"17", 17},
      {"10Gi", 10737418240},
      {"0.5Gi", 536870912},
      {"1500M", 1500000000},
      {"1e3", 1000},
      {"1E3", 1000},
      {"1E", 1000000000000000000},
      {"100m", 1},
      {"1500m", 2},
      {"1n", 1},
      {"1.0000001Ki", 1025},
      {"8Ei", -1},
      {"7Ei", 8070450532247928832},
      {"2k", 2000},
      {"1Ti", 1099511627776},
      {"1e-3", 1},
      {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
      {"1.", 1},
      {".5Ki", 512},
      {"0e999", 0},
  };
  for (const auto& [text, bytes] : cases) {
    CAPTURE(text);
    const auto value = parse_quantity(text);
    if (bytes < 0) {
      CHECK_FALSE(value.ok());
    } else {
      REQUIRE(value.ok());
      CHECK(value.value() == bytes);
    }
  }
}

TEST_CASE("what is no quantity, or too large, is an error and never a wrong number") {
  for (const char* text : {"",
                           " ",
                           "x",
                           "-1",
                           "-1Gi",
                           "1GiB",
                           "1 Gi",
                           "1gi",
                           "1..5",
                           "1.5.5",
                           "Gi",
                           ".",
                           "1e",
                           "1e+",
                           "1e1x",
                           "0x10",
                           "9223372036854775808",
                           "1e19",
                           "9Ei",
                           "99999999999999999999999999999999Ei",
                           "1e9999",
                           "\xff"}) {
    CAPTURE(text);
    const auto value = parse_quantity(text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == Kind::format);
  }
}

TEST_CASE("bytes for people") {
  CHECK(format_bytes(0) == "0");
  CHECK(format_bytes(1023) == "1023");
  CHECK(format_bytes(1024) == "1Ki");
  CHECK(format_bytes(1536) == "1.5Ki");
  CHECK(format_bytes(10737418240) == "10Gi");
  CHECK(format_bytes(std::numeric_limits<std::int64_t>::max()) == "8Ei");
}

TEST_CASE("ages as kubectl prints them") {
  constexpr long minute = 60, hour = 3600, day = 86400, year = 365 * day;
  const std::pair<long, const char*> cases[] = {
      {-2, "<invalid>"},
      {-1, "0s"},
      {0, "0s"},
      {119, "119s"},
      {120, "2m"},
      {5 * minute + 3, "5m3s"},
      {10 * minute - 1, "9m59s"},
      {10 * minute + 5, "10m"},
      {3 * hour - 1, "179m"},
      {3 * hour, "3h"},
      {5 * hour + 12 * minute, "5h12m"},
      {8 * hour + 59 * minute, "8h"},
      {48 * hour - 1, "47h"},
      {48 * hour, "2d"},
      {3 * day + 4 * hour, "3d4h"},
      {8 * day + 5 * hour, "8d"},
      {2 * year - 1, "729d"},
      {2 * year + 5 * day, "2y5d"},
      {2 * year, "2y"},
      {8 * year + day, "8y"},
  };
  for (const auto& [seconds, text] : cases) {
    CAPTURE(seconds);
    CHECK(format_age(std::chrono::seconds(seconds)) == text);
  }
}

TEST_CASE("elapsed times") {
  using std::chrono::milliseconds;
  CHECK(format_elapsed(milliseconds(449)) == "0.4s");
  CHECK(format_elapsed(milliseconds(12345)) == "12s");
  CHECK(format_elapsed(milliseconds(185000)) == "3m05s");
  CHECK(format_elapsed(milliseconds(3720000)) == "1h02m");
}

TEST_CASE("durations: integers are seconds, else Go's units") {
  const std::pair<const char*, long> cases[] = {
      {"0", 0},   {"30", 30000}, {"1h30m", 5400000}, {"2.5s", 2500},      {"300ms", 300},
      {"1us", 1}, {"1m", 60000}, {"0s", 0},          {"1h0m1s", 3601000}, {"1.s", 1000},
  };
  for (const auto& [text, milliseconds] : cases) {
    CAPTURE(text);
    const auto value = parse_duration(text);
    REQUIRE(value.ok());
    CHECK(value->count() == milliseconds);
  }
  for (const char* text : {"", "-1", "-1s", "s", "1x", "1.5", "1h30", " 1s", "1 s", ".s", "1..s",
                           "99999999999", "999999999999h", "1e3s", "\xff"}) {
    CAPTURE(text);
    const auto value = parse_duration(text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == Kind::usage);
  }
}
