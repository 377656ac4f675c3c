#include <doctest/doctest.h>

#include "lib/base/clock.h"
#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/json/value.h"
#include "tests/fuzz/fuzz.h"

using namespace truenas;
using namespace truenas::fuzz;

TEST_CASE("YAML: what is read is written, and reads the same again") {
  std::size_t accepted = 0;
  run({"apiVersion: v1\nkind: Config\nclusters:\n- name: a\n  cluster: {server: 'https://x', insecure: "
       "yes}\nusers: []\n",
       "a: &x {b: [1, 'two', \"three\\n\"]}\nc: *x\nd: |\n  line 1\n\n  line 2\ne: >-\n  folded\n  text\n",
       "- 012\n- 0x1f\n- 1e3\n- ~\n- .5\n- 2026-11-22\n- ? k\n  : v\n# comment\n"},
      {": ",  "- ",   "? ", "\n",   "\n  ",  "&a ",         "*a", "!!str ", "|\n",          ">-\n",
       "'",   "\"",   "{",  "}",    "[",     "]",           "#",  " #",     "---\n",        "...\n",
       "\t",  "<<: ", "~",  "null", "\\x41", "%YAML 1.2\n", "@",  "\xff",   "\xe2\x80\xa8", "- - ",
       "{a: "},
      6000, [&](const std::string& input, Generator&) {
        const auto value = json::parse_yaml(input, "fuzz");
        if (!value.ok()) return;
        ++accepted;
        const auto again = json::parse_yaml(json::write_yaml(value.value()), "fuzz");
        CAPTURE(input);
        REQUIRE(again.ok());
        REQUIRE(again.value() == value.value());
      });
  CHECK(accepted > 100);
}

TEST_CASE("quantities and durations are never negative") {
  std::size_t accepted = 0;
  run({"10Gi", "0.5Ti", "1500m", "1e3", "9223372036854775807", "100Ei", "1h30m2.5s", "300ms", "45"},
      {"Gi", "Mi", "m", "e", "E", "-", "+", ".", "0", "9", "h", "s", "ms", "ns", " ", "1e", "99999999"},
      40000, [&](const std::string& input, Generator&) {
        const auto bytes = parse_quantity(input);
        if (bytes.ok()) REQUIRE(bytes.value() >= 0);
        const auto duration = parse_duration(input);
        if (duration.ok()) REQUIRE(duration->count() >= 0);
        accepted += bytes.ok() || duration.ok() ? 1 : 0;
      });
  CHECK(accepted > 100);
}

TEST_CASE("times and base64 come back as they were") {
  std::size_t accepted = 0;
  run({"2026-11-22T13:28:34Z", "1999-02-28T23:59:59.123456+02:00", "Zm9vYmFy", "Zm9vYg=="},
      {"Z", "T", "-", ":", "+", "00", "31", "29", "99", "=", "\n", ".", "\xff"}, 20000,
      [&](const std::string& input, Generator&) {
        const auto time = parse_time(input);
        if (time.ok() && time->count() >= 0)
          REQUIRE(parse_time(format_micro_time(time.value())).value() == time.value());
        const auto bytes = base64_decode(input);
        if (bytes) REQUIRE(base64_decode(base64_encode(*bytes)) == bytes);
        accepted += time.ok() || bytes ? 1 : 0;
      });
  CHECK(accepted > 100);
}
