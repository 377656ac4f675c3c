// A home moved on a fake cluster: what is done, what is refused, and what others may do meanwhile.

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/fakes/faults.h"
#include "tests/unit/workflow/home_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("a stopped home is copied, compared and exchanged under its name") {
  HomeSite site;
  const engine::Plan plan = site.plan();
  REQUIRE_FALSE(plan.blocked);
  CHECK(site.cluster.writes() == 0);
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_moved();
  CHECK(join(site.mover.modes, " ") == "scan probe scan final compare");
  const auto planned =
      std::count_if(outcome.acted.begin(), outcome.acted.end(),
                    [](const engine::ActedStep& acted) { return acted.step.verb != "nudge-claim"; });
  CHECK(static_cast<std::size_t>(planned) == plan.step_count());
  // The old volume: there, kept, with its bytes and what it was before.
  std::size_t old_volumes = 0;
  for (const json::Value* volume : site.cluster.store.list("", "persistentvolumes")) {
    if (kube::annotation_of(*volume, "truenas-migrate/kept-for") != site.options.full_name()) continue;
    if (volume->text_at("/spec/storageClassName") != "truenas-nfs") continue;
    ++old_volumes;
    CHECK(volume->text_at("/status/phase") == "Released");
    CHECK(volume->text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
    CHECK(kube::annotation_of(*volume, "truenas-migrate/original-reclaim-policy") == "Delete");
    CHECK(site.cluster.nas.find(volume->text_at("/spec/csi/volumeAttributes/share"))->files == site.before);
  }
  CHECK(old_volumes == 1);
  CHECK(site.plan().nothing_to_do());
}

TEST_CASE("a home in use is left alone, and told how to stop it") {
  HomeSite site;
  site.start_pod("user");
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "pod user (Running on node1)"));
  CHECK(contains(join(outcome.error->hints, "\n"), "coder stop"));
  CHECK(site.cluster.writes() == 0);
}

TEST_CASE("what the target cannot represent is refused, and nothing of ours stays") {
  HomeSite site;
  site.mover.scan_exit = 0;
  int scans = 0;
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode == "probe") site.mover.scan_exit = 4;
    scans += mode == "scan";
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(contains(outcome.error->what, "cannot be moved as it is"));
  CHECK(scans == 2);
  site.cluster.tick(5);
  CHECK(site.files() == site.before);
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  site.check_clean();
}

TEST_CASE("a quota that would refuse the new claim is found before anything is made") {
  HomeSite site;
  site.cluster.add_fault([&] {
    fakes::Fault fault = fakes::answer(
        [](const fakes::Seen& seen) {
          return seen.what.method == "POST" && contains(seen.what.target, "/persistentvolumeclaims") &&
                 contains(seen.what.target, "dryRun=All");
        },
        {403,
         {},
         R"({"kind":"Status","status":"Failure","code":403,"reason":"Forbidden","message":"exceeded quota: homes"})"});
    fault.times = -1;
    return fault;
  }());
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(contains(outcome.error->what, "exceeded quota"));
  CHECK(site.mover.modes.empty());
  site.check_clean();
}

TEST_CASE("without a proof that Coder cannot build nothing begins") {
  HomeSite site;
  site.cluster.erase(kube::k_role_binding, HomeSite::k_ns, "coder");
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "[no-build-freeze]"));
  CHECK(site.cluster.writes() == 0);
  SUBCASE("consent") {
    site.options.accepted = {k_no_build_freeze};
  }
  SUBCASE("Coder is down") {
    site.cluster.meddle(kube::k_deployment, "coder", "coder",
                        [](json::Value& deployment) { deployment.set_at("/spec/replicas", 0); });
    site.cluster.tick(3);
  }
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

TEST_CASE("rights that come from elsewhere end the run with Coder's Role as it was") {
  HomeSite site;
  site.cluster.api.account_may = {};
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(contains(outcome.error->what, "[no-build-freeze]"));
  CHECK(site.coder_may_delete());
  CHECK(site.files() == site.before);
}

TEST_CASE("a home that is used after the comparison is copied and compared again") {
  HomeSite site;
  bool used = false;
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode != "compare" || used) return;
    used = true;
    site.start_pod("user");
    site.write_home("new", "written while it was compared");
  };
  const engine::Outcome first = site.run();
  REQUIRE_FALSE(first.ok());
  CHECK(contains(first.error->what, "is left alone"));
  CHECK(site.coder_may_delete());
  site.stop_pod("user");
  const engine::Outcome second = site.run();
  REQUIRE_MESSAGE(second.ok(), text_of(second));
  CHECK(site.files().contains("new"));
  site.check_moved();
}

TEST_CASE("a Pod that starts at any write: its bytes are never left behind") {
  for (std::size_t k = 1; k < 60; ++k) {
    CAPTURE(k);
    HomeSite site;
    bool wrote = false;
    site.cluster.add_fault(fakes::before(fakes::write_number(k), [&] {
      if (site.files().empty()) return;
      site.start_pod("user");
      site.write_home("late", "written at the last moment");
      wrote = true;
    }));
    const engine::Outcome first = site.run();
    site.stop_pod("user");
    if (!first.ok()) {
      // Whoever creates a claim of the name now must not get what is stale.
      if (wrote) CHECK(site.reserved_for_home().empty());
      const engine::Outcome second = site.run();
      REQUIRE_MESSAGE(second.ok(), text_of(second));
    }
    CHECK(site.files().contains("late") == wrote);
    site.check_moved();
    if (!wrote && k > 45) break;
  }
}

TEST_CASE("policies set back to Delete are seen at every look") {
  HomeSite site;
  site.mover.while_moving = [&](const std::string&) {
    for (const fakes::Key& key : site.cluster.store.keys("", "persistentvolumes")) {
      site.cluster.store.update(
          key, [](json::Value& volume) { volume.set_at("/spec/persistentVolumeReclaimPolicy", "Delete"); });
    }
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_moved();
}

TEST_CASE("a claim that somebody creates in the gap gets the home, and is compared") {
  HomeSite site;
  const std::string path = fmt::format("/namespaces/{}/persistentvolumeclaims", HomeSite::k_ns);
  json::Value strange = *site.claim();
  strange.remove("status");
  for (const char* field : {"/metadata/uid", "/metadata/resourceVersion", "/spec/volumeName"})
    strange.remove_at(field);
  strange.set_at("/spec/storageClassName", "truenas-csi-nfs");
  strange.set_at("/status/phase", "Pending");
  SUBCASE("the same claim") {}
  SUBCASE("a smaller one") {
    strange.set_at("/spec/resources/requests/storage", "5Gi");
  }
  const bool same = strange.text_at("/spec/resources/requests/storage") == "10Gi";
  site.cluster.add_fault(fakes::before(
      [&](const fakes::Seen& seen) {
        return seen.what.method == "POST" && contains(seen.what.target, path) &&
               !contains(seen.what.target, "dryRun") && site.claim() == nullptr;
      },
      [&] { site.cluster.put(strange); }));
  const engine::Outcome outcome = site.run();
  CHECK_MESSAGE(outcome.ok() == same, text_of(outcome));
  CHECK(site.files() == site.before);
  CHECK(site.coder_may_delete());
  if (!same) CHECK_MESSAGE(contains(text_of(outcome), "spec.resources is"), text_of(outcome));
}

TEST_CASE("a moved home goes back and forth") {
  HomeSite site;
  REQUIRE(site.run().ok());
  const auto at_the_move = site.before;
  site.write_home("after", "the move");
  site.options.rollback = true;
  const engine::Outcome asked = site.run();
  REQUIRE_FALSE(asked.ok());
  CHECK(contains(asked.error->what, "[newer-writes]"));
  site.options.accepted = {k_newer_writes};
  const engine::Outcome back = site.run();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  CHECK(site.files() == at_the_move);
  site.check_clean();
  site.options.rollback = false;
  site.write_home("more", "work");
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

TEST_CASE("owners that become others, and what is left out, are told to every pass alike") {
  HomeSite site;
  site.options.owner_map = {"0:0=1000:1000"};
  site.options.leave_out = {".cache"};
  REQUIRE(site.run().ok());
  int told = 0;
  for (const std::string& call : site.mover.calls) {
    const bool carries =
        call.starts_with("copy") || call.starts_with("compare") || contains(call, "--owners=");
    CAPTURE(call);
    if (!carries) continue;
    ++told;
    CHECK(contains(call, "--map-owner=0:0=1000:1000 --leave-out=.cache"));
  }
  CHECK(told >= 3);
}
