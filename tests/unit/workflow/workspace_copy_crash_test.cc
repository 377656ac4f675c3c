// A home's move killed at every write, and with every reply lost: the same end state, and no byte lost.

#include <doctest/doctest.h>

#include "tests/fakes/faults.h"
#include "tests/unit/workflow/home_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("killed before any write, and run again") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < 200);
    HomeSite site;
    ended = site.run(k).ok();
    // A day's work between the two, where the home can be used.
    if (!ended && !site.files().empty()) site.write_home("between", "two runs");
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    site.check_moved();
    if (ended) MESSAGE("writes of a whole run: " << k);
  }
}

TEST_CASE("any reply lost, in the same run") {
  for (std::size_t k = 1; k < 200; ++k) {
    CAPTURE(k);
    HomeSite site;
    site.cluster.add_fault(fakes::drop_reply(fakes::write_number(k)));
    const engine::Outcome outcome = site.run();
    const std::size_t writes = site.cluster.writes();
    if (!outcome.ok()) {
      const engine::Outcome second = site.run();
      REQUIRE_MESSAGE(second.ok(), text_of(outcome) << "; " << text_of(second));
    }
    site.check_moved();
    if (k > writes) break;
  }
}

TEST_CASE("any reply lost, and killed then") {
  for (std::size_t k = 1; k < 200; ++k) {
    CAPTURE(k);
    HomeSite site;
    site.cluster.add_fault(fakes::drop_reply(fakes::write_number(k)));
    const bool ended = site.run(k).ok();
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    site.check_moved();
    if (ended) break;
  }
}

TEST_CASE("a way back killed before any write, and run again") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < 200);
    HomeSite site;
    REQUIRE(site.run().ok());
    site.options.rollback = true;
    site.options.accepted = {k_newer_writes};
    ended = site.run(k).ok();
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
    CHECK(site.files() == site.before);
    site.check_clean();
  }
}
