// An adoption killed at every write, and with every reply lost: the same end state, and the one dataset
// lives.

#include <doctest/doctest.h>

#include "tests/fakes/faults.h"
#include "tests/unit/workflow/adopted_home.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

constexpr std::size_t k_most_writes = 300;

// Whoever looks at any moment after a crash must find the bytes safe.
void check_safe(AdoptedHome& site) {
  site.cluster.tick(20);
  CHECK(site.cluster.destroyed_data().empty());
  CHECK(site.unsafe.empty());
}

}  // namespace

TEST_CASE("an adoption killed before any write, and run again") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < k_most_writes);
    AdoptedHome site;
    ended = site.run(k).ok();
    check_safe(site);
    // A day's work between the two, where the home can be used.
    const json::Value* claim = site.claim();
    const bool there = claim != nullptr && claim->text_at("/status/phase") == "Bound";
    const bool on_old = there && claim->text_at("/spec/volumeName") == site.old_name;
    if (!ended && on_old) site.write_home("between", "two runs");
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    site.check_on(true);
    if (ended) MESSAGE("writes of a whole adoption: " << k);
  }
}

TEST_CASE("an adoption with any reply lost, in the same run") {
  for (std::size_t k = 1; k < k_most_writes; ++k) {
    CAPTURE(k);
    AdoptedHome site;
    site.cluster.add_fault(fakes::drop_reply(fakes::write_number(k)));
    const engine::Outcome outcome = site.run();
    const std::size_t writes = site.cluster.writes();
    check_safe(site);
    if (!outcome.ok()) {
      const engine::Outcome second = site.run();
      REQUIRE_MESSAGE(second.ok(), text_of(outcome) << "; " << text_of(second));
    }
    site.check_on(true);
    if (k > writes) break;
  }
}

TEST_CASE("an adoption with any reply lost, and killed then") {
  for (std::size_t k = 1; k < k_most_writes; ++k) {
    CAPTURE(k);
    AdoptedHome site;
    site.cluster.add_fault(fakes::drop_reply(fakes::write_number(k)));
    const bool ended = site.run(k).ok();
    check_safe(site);
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    site.check_on(true);
    if (ended) break;
  }
}

TEST_CASE(
    "an adoption given up after any write: nothing waits for the home's name, nothing of the trial stays") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < k_most_writes);
    AdoptedHome site;
    ended = site.run(k).ok();
    site.options.rollback = true;
    const engine::Outcome back = site.run();
    REQUIRE_MESSAGE(back.ok(), text_of(back));
    check_safe(site);
    REQUIRE(site.claim() != nullptr);
    CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
    CHECK(site.claim()->text_at("/status/phase") == "Bound");
    CHECK(site.files() == site.before);
    CHECK(site.reserved_for_home().empty());
    CHECK(site.count("persistentvolumes", "truenas-migrate-probe-") == 0);
    site.check_clean();
  }
}

TEST_CASE("the way back of an adoption killed before any write, and run again") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < k_most_writes);
    AdoptedHome site;
    REQUIRE(site.run().ok());
    site.options.rollback = true;
    ended = site.run(k).ok();
    check_safe(site);
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    site.check_on(false);
  }
}
