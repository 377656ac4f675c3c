// Before an old volume is given up both are compared once more: what nobody did keeps it, wherever the check
// is killed, and nothing of the check is left.

#include <doctest/doctest.h>

#include "tests/fakes/faults.h"
#include "tests/unit/workflow/finalize_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

struct CheckSite : FinalizeSite {
  explicit CheckSite(std::vector<std::string> leave_out = {}) : FinalizeSite(std::move(leave_out)) {
    finalize.no_check = false;
    if (!options.leave_out.empty()) finalize.accepted.insert(k_left_out);
  }
  std::size_t trials() const { return count("persistentvolumes", "truenas-migrate-probe-"); }
  void check_nothing_left() {
    cluster.tick(3);
    CHECK(trials() == 0);
    CHECK(count("persistentvolumeclaims", "truenas-migrate-") == 0);
    CHECK(count("pods", "truenas-migrate-") == 0);
  }
};

}  // namespace

TEST_CASE("what its user did since is no reason to keep the old volume; it is counted and named") {
  CheckSite site;
  const engine::Outcome outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_given_up();
  site.check_nothing_left();
  CHECK(contains(outcome.done->summary,
                 "1 changed, 0 removed, 0 added since the move by its user: changed since"));
  REQUIRE(!site.mover.calls.empty());
  CHECK(site.mover.calls.back() ==
        "compare --owners=chown --since=2000.000000002 --source-since=1000.000000001 --expect-target-mount "
        "--expect-source-mount /source /target");
  const engine::Outcome again = site.give_up();
  REQUIRE(again.ok());
  CHECK(again.acted.empty());
}

TEST_CASE("both are told what was told at the move") {
  CheckSite site({".cache"});
  REQUIRE(site.give_up().ok());
  CHECK(contains(site.mover.calls.back(), "--leave-out=.cache"));
}

TEST_CASE("loss, damage, or no answer: the old volume stays") {
  CheckSite site;
  Kind kind = Kind::mismatch;
  SUBCASE("different, and nobody did it") {
    site.mover.since_exit = 3;
  }
  SUBCASE("it could not be compared") {
    site.mover.since_exit = 1;
    kind = Kind::stopped;
  }
  SUBCASE("the same, with its data") {
    site.mover.since_exit = 3;
    site.finalize.delete_data = true;
  }
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == kind);
  CHECK(contains(outcome.error->what, site.old_volume));
  site.check_kept();
  site.check_nothing_left();
  CHECK(site.old()->text_at("/status/phase") == "Released");
  site.mover.since_exit = 0;
  REQUIRE(site.give_up().ok());
  site.check_given_up();
}

TEST_CASE("much that was removed since: only if that is accepted by name") {
  CheckSite site;
  site.mover.mostly_removed = 2;
  engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::mismatch);
  CHECK(contains(outcome.error->what, "[removed-since]"));
  const std::string hints = join(outcome.error->hints, " ");
  CHECK(contains(hints, "kubectl truenas-migrate workspaces " + site.options.claim + " -n " +
                            site.options.ns + " --finalize --accept=no-build-since --accept=removed-since"));
  site.check_kept();
  site.check_nothing_left();
  site.finalize.accepted.insert(k_removed_since);
  SUBCASE("and something is different, too") {
    site.mover.since_exit = 3;
    outcome = site.give_up();
    REQUIRE(outcome.error);
    CHECK_FALSE(contains(outcome.error->what, "[removed-since]"));
    CHECK(contains(join(outcome.error->hints, " "), "--no-check"));
    return site.check_kept();
  }
  outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(contains(site.mover.calls.back(), "--accept-removed"));
  site.check_given_up();
}

TEST_CASE("a journal that does not say when they were equal") {
  CheckSite site;
  for (const json::Value* object : site.cluster.store.list("", "configmaps")) {
    json::Value map = *object;
    json::Value data = json::Value::object();
    bool any = false;
    for (const auto& [key, value] : map.find("data")->members()) {
      if (contains(key, ".equal-"))
        any = true;
      else
        data.set(key, value);
    }
    map.set("data", data);
    if (any) site.cluster.put(map);
  }
  engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(join(outcome.error->hints, " "), "--no-check"));
  site.check_kept();
  site.finalize.no_check = true;
  outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_given_up();
}

TEST_CASE("a home that only one Pod may mount, and does") {
  CheckSite site;
  site.cluster.meddle(kube::k_claim, HomeSite::k_ns, site.options.claim, [](json::Value& claim) {
    claim.set_at("/spec/accessModes", json::Value::array({"ReadWriteOncePod"}));
  });
  site.start_pod("workspace");
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "ReadWriteOncePod"));
  CHECK(contains(join(outcome.error->hints, " "), "--no-check"));
  site.check_kept();
}

TEST_CASE("a home in use is compared beside its user's Pod") {
  CheckSite site;
  site.start_pod("workspace");
  const engine::Outcome outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_given_up();
}

TEST_CASE("the comparison killed before any write: nothing is deleted before it is done") {
  bool ended = false;
  for (std::size_t k = 0; !ended; ++k) {
    CAPTURE(k);
    REQUIRE(k < 80);
    CheckSite site;
    bool compared = false;
    site.mover.while_moving = [&](const std::string& mode) {
      compared = compared || mode == "compare";
      CHECK(site.old() != nullptr);
    };
    ended = site.give_up(k).ok();
    if (!compared) CHECK(site.old() != nullptr);
    const engine::Outcome second = site.give_up();
    REQUIRE_MESSAGE(second.ok(), text_of(second));
    site.check_given_up();
    site.check_nothing_left();
  }
}

TEST_CASE("any reply of the comparison's lost") {
  for (std::size_t k = 1; k < 80; ++k) {
    CAPTURE(k);
    CheckSite site;
    site.finalize.delete_data = k % 2 == 0;
    const std::size_t before = site.cluster.writes();
    site.cluster.add_fault(fakes::drop_reply(fakes::write_number(before + k)));
    const engine::Outcome first = site.give_up();
    const std::size_t writes = site.cluster.writes() - before;
    if (!first.ok()) REQUIRE_MESSAGE(site.give_up().ok(), text_of(first));
    site.check_given_up();
    site.check_nothing_left();
    if (k > writes) break;
  }
}

TEST_CASE("killed in the middle, then taken back: nothing of the check is in the way") {
  CheckSite site;
  std::size_t killed_at = 0;
  for (std::size_t k = 1; killed_at == 0 && k < 40; ++k) {
    CheckSite other;
    other.give_up(k);
    if (other.trials() != 0 && other.old() != nullptr) killed_at = k;
  }
  REQUIRE(killed_at != 0);
  site.give_up(killed_at);
  REQUIRE(site.trials() == 1);
  site.check_kept();
  site.options.rollback = true;
  site.options.accepted = {k_newer_writes};
  const engine::Outcome back = site.run();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  site.cluster.tick(3);
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_volume);
  CHECK(site.cluster.destroyed_data().empty());
  site.check_nothing_left();
}

TEST_CASE("killed in the middle, and nothing is to be done: what the check has left goes all the same") {
  CheckSite site;
  for (std::size_t k = 1; site.trials() == 0; ++k) {
    REQUIRE(k < 40);
    site.give_up(k);
    REQUIRE(site.old() != nullptr);
  }
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_nothing_left();
  site.check_kept();
}

TEST_CASE("a home taken back needs no comparison, but consent; what it leaves behind is named") {
  CheckSite site;
  site.options.rollback = true;
  site.options.accepted = {k_newer_writes};
  const engine::Outcome back = site.run();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  CHECK(contains(back.done->summary, "1 file of 2Ki written since the move: changed since: on volume "));
  site.cluster.tick(3);
  site.finalize.accepted.insert(k_left_out);
  const std::size_t before = site.mover.calls.size();
  const engine::Outcome outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(site.mover.calls.size() == before);
}

TEST_CASE("a way back whose newer files cannot be counted goes on, and says so") {
  CheckSite site;
  site.options.rollback = true;
  site.options.accepted = {k_newer_writes};
  site.mover.scan_exit = 1;
  const engine::Outcome back = site.run();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  CHECK(contains(back.done->summary, "could not be counted"));
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_volume);
}
