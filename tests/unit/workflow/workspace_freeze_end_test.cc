// Coder's rights when a run ends in any other way than well: given back, or not without a word.

#include <doctest/doctest.h>

#include "tests/unit/workflow/freeze_site.h"

using namespace truenas;
using namespace truenas::workflow;
TEST_CASE("an interrupted run gives the rights back where the claim is there") {
  HomeSite site;
  site.settles = true;
  site.interrupted = interrupt_when_frozen(site, false);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::interrupted);
  CHECK(site.coder_may_delete());
  CHECK(site.settled.empty());
  site.interrupted = [] { return false; };
  CHECK(site.run().ok());
  site.check_moved();
}

TEST_CASE("an interrupted run says what stays taken while the name is absent, and why") {
  HomeSite site;
  site.settles = true;
  site.interrupted = interrupt_when_frozen(site, true);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  REQUIRE(site.claim() == nullptr);
  CHECK_FALSE(site.coder_may_delete());
  REQUIRE(site.settled.size() == 1);
  CHECK_MESSAGE(contains(site.settled[0], "is absent, and nobody may build"), site.settled[0]);
  CHECK(contains(site.settled[0], "--accept=thaw"));
  CHECK(contains(site.settled[0], "kubectl patch role"));
  const auto left = left_freezes(site);
  REQUIRE(left.size() == 1);
  CHECK_MESSAGE(contains(left[0].why, "whose run has ended"), left[0].why);
  CHECK(contains(left[0].command, "kubectl patch role"));
  site.interrupted = [] { return false; };
  SUBCASE("the same command again ends it") {
    const engine::Outcome again = site.run();
    REQUIRE_MESSAGE(again.ok(), text_of(again));
    site.check_moved();
  }
  SUBCASE("--accept=thaw gives the rights back whatever is with the home, and does nothing else") {
    site.options.accepted = {k_thaw};
    // Nothing but the Role is needed.
    site.cluster.api.denied = {{"get", "", "persistentvolumes", "", ""}};
    const engine::Outcome thawed = site.run();
    REQUIRE_MESSAGE(thawed.ok(), text_of(thawed));
    CHECK(thawed.acted.size() == 1);
    CHECK(site.coder_may_delete());
    CHECK(site.claim() == nullptr);
    CHECK(kube::label_of(role_of(site), k_frozen_label).empty());
  }
  SUBCASE("rules that cannot be read any more are in the journal") {
    site.cluster.meddle(kube::k_role, HomeSite::k_ns, k_role_name, [](json::Value& role) {
      json::Value annotations = *role.at("/metadata/annotations");
      annotations.set(std::string(k_frozen_rules_annotation), "[{");
      role.set_at("/metadata/annotations", annotations);
    });
    site.options.accepted = {k_thaw};
    const engine::Outcome thawed = site.run();
    REQUIRE_MESSAGE(thawed.ok(), text_of(thawed));
    CHECK(site.coder_may_delete());
  }
}

TEST_CASE("a freeze whose run is alive is no alarm, one whose Lease was not renewed for long is") {
  HomeSite site;
  put_other(site);
  freeze_for_other(site);
  const auto renewed = [&](std::chrono::microseconds ago) {
    site.cluster.meddle(kube::k_lease, HomeSite::k_ns, engine::journal_name("workspace", k_other),
                        [&](json::Value& lease) {
                          lease.set_at("/spec/renewTime", format_micro_time(site.clock.wall() - ago));
                        });
  };
  renewed(std::chrono::seconds(10));
  CHECK(left_freezes(site).empty());
  renewed(std::chrono::hours(1));
  CHECK(left_freezes(site).size() == 1);
  thaw_everything(site);
  CHECK(left_freezes(site).empty());
}

TEST_CASE("a lost connection at the end is said, not kept quiet") {
  HomeSite site;
  site.settles = true;
  auto down = std::make_shared<bool>(false);
  site.interrupted = [&site, down] {
    if (is_frozen_for(site, HomeSite::k_home)) *down = true;
    return *down;
  };
  fakes::Fault fault = fakes::answer([down](const fakes::Seen&) { return *down; }, {403, {}, ""});
  fault.times = -1;
  site.cluster.add_fault(fault);
  CHECK_FALSE(site.run().ok());
  REQUIRE_FALSE(site.settled.empty());
  CHECK_MESSAGE(contains(site.settled[0], "cannot be seen"), site.settled[0]);
}
