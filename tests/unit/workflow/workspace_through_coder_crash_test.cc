// A running home's move through Coder, killed at every write, also to Coder, and with every reply of Coder
// lost.

#include <doctest/doctest.h>

#include "tests/unit/workflow/coder_home_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

// A day's work, where the workspace runs.
void work(CoderHomeSite& site) {
  if (site.is_used() && !site.files().empty()) site.write_home("between", "two runs");
}

// So many looks are not what these are about.
const fakes::CoderdOptions k_quick{.pending = Milliseconds(0), .planning = Milliseconds(0)};

}  // namespace

TEST_CASE("killed before any write, also to Coder, and run again") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < 200);
    CoderHomeSite site(k_quick);
    ended = site.run(k).ok();
    if (!ended) work(site);
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_with_hints(second));
    site.check_moved_and_running();
    if (ended) MESSAGE("writes of a whole run: " << k);
  }
}

TEST_CASE("killed before every other write, and given up then") {
  bool ended = false;
  for (std::size_t k = 0; !ended; k += 2) {
    CAPTURE(k);
    REQUIRE(k < 200);
    CoderHomeSite site(k_quick);
    ended = site.run(k).ok();
    site.options.rollback = true;
    site.options.accepted = {k_newer_writes};
    const engine::Outcome back = site.run();
    REQUIRE_MESSAGE(back.ok(), text_with_hints(back));
    CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
    CHECK(site.files() == site.before);
    site.check_clean();
    site.check_runs_again();
  }
}

TEST_CASE("any reply of Coder lost, or any write to it refused") {
  for (const bool applied : {true, false}) {
    for (std::size_t k = 1; k <= 6; ++k) {
      CAPTURE(applied);
      CAPTURE(k);
      CoderHomeSite site(k_quick);
      site.coder.add_fault(applied ? fakes::drop_reply(fakes::write_number(k))
                                   : fakes::refuse(fakes::write_number(k)));
      const engine::Outcome outcome = site.run();
      REQUIRE_MESSAGE(outcome.ok(), text_with_hints(outcome));
      site.check_moved_and_running();
      CHECK(site.stops() == 1);
    }
  }
}

TEST_CASE("every reply of Coder lost, and killed then") {
  for (std::size_t k = 1; k < 120; k += 5) {
    CAPTURE(k);
    CoderHomeSite site(k_quick);
    for (std::size_t write = 1; write <= 4; ++write) {
      site.coder.add_fault(fakes::drop_reply(fakes::write_number(write)));
    }
    const bool ended = site.run(k).ok();
    const engine::Outcome second = site.run();
    REQUIRE_MESSAGE(second.ok(), text_with_hints(second));
    site.check_moved_and_running();
    if (ended) break;
  }
}
