// What is shown of many moves at once.

#include "plugin/fleet_board.h"

#include <doctest/doctest.h>

using namespace truenas;
using plugin::fit_footer;
using plugin::FleetCount;
using plugin::total_line;

TEST_CASE("the total says what is left as soon as one has ended") {
  CHECK(total_line({.all = 40, .under_way = 4, .elapsed = Milliseconds(5000)}) ==
        "0 of 40 done, 4 under way; 5.0s");
  CHECK(total_line({.all = 40, .done = 9, .failed = 1, .under_way = 4, .elapsed = Milliseconds(60000)}) ==
        "9 of 40 done, 1 failed, 4 under way; 1m00s, about 3m00s left");
  CHECK(total_line({.all = 40, .done = 39, .failed = 1, .elapsed = Milliseconds(60000)}) ==
        "39 of 40 done, 1 failed; 1m00s");
}

TEST_CASE("the lines fit the terminal, and the total is always among them") {
  CHECK(fit_footer("", 80, 24) == "");
  CHECK(fit_footer("a\nb\ntotal\n", 80, 3) == "a\nb\ntotal\n");
  CHECK(fit_footer("a\nb\nc\ntotal\n", 80, 3) == "a\n… and 2 more\ntotal\n");
  CHECK(fit_footer("a\nb\nc\ntotal\n", 80, 1) == "… and 3 more\ntotal\n");
  CHECK(fit_footer("abcdef\nüüüü\n", 3, 24) == "abc\nüüü\n");
}

TEST_CASE("what --progress may be") {
  CHECK(*plugin::parse_progress_style("auto") == plugin::ProgressStyle::automatic);
  CHECK(*plugin::parse_progress_style("plain") == plugin::ProgressStyle::plain);
  CHECK(*plugin::parse_progress_style("none") == plugin::ProgressStyle::none);
  CHECK(plugin::parse_progress_style("fancy").error().what ==
        "--progress is auto, plain or none, not \"fancy\"");
}
