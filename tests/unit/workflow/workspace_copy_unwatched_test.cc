// What happens to a home while nobody seems to look: sessions during a comparison, a server that does not
// answer, a dataset that is not mounted; and what somebody else has made of the old volume.

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/fakes/faults.h"
#include "tests/unit/workflow/home_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

auto how_many(const HomeSite& site, const char* mode) {
  return std::count(site.mover.modes.begin(), site.mover.modes.end(), mode);
}

}  // namespace

TEST_CASE("a home that was used and left again while it was read is copied and compared again") {
  HomeSite site;
  std::string during;
  SUBCASE("copied") {
    during = "final";
  }
  SUBCASE("compared") {
    during = "compare";
  }
  bool used = false, left = false;
  int seconds = 0;
  site.mover.still_moving = [&](const std::string& mode, int asked) {
    if (mode != during || how_many(site, during.c_str()) > 0) return false;
    seconds = asked;
    return asked < 25;
  };
  // Its user comes and goes between two requests.
  site.cluster.add_fault(fakes::before([&](const fakes::Seen&) { return seconds >= 3 && !used; },
                                       [&] {
                                         used = true;
                                         site.start_pod("user");
                                         site.write_home("new", "written in a session of ten seconds");
                                       }));
  site.cluster.add_fault(fakes::before([&](const fakes::Seen&) { return seconds >= 13 && !left; },
                                       [&] {
                                         left = true;
                                         site.stop_pod("user");
                                       }));
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  REQUIRE(left);
  CHECK(how_many(site, "final") == 2);
  CHECK(site.files().contains("new"));
  site.check_moved();
}

TEST_CASE("while the server does not say who uses the home, anybody may") {
  HomeSite site;
  bool silent = false;
  site.cluster.add_fault([&] {
    fakes::Fault fault = fakes::answer(
        [&](const fakes::Seen& seen) {
          return silent && seen.what.method == "GET" && contains(seen.what.target, "/deployments");
        },
        {500, {}, R"({"kind":"Status","status":"Failure","code":500,"message":"not now"})"});
    fault.times = -1;
    return fault;
  }());
  site.mover.still_moving = [&](const std::string& mode, int asked) {
    if (mode != "compare" || how_many(site, "compare") > 0) return false;
    if (asked == 2) silent = true;
    if (asked == 20) site.write_home("new", "written by a Pod that nobody saw");
    if (asked == 60) silent = false;
    return asked < 70;
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(how_many(site, "compare") == 2);
  CHECK(site.files().contains("new"));
  site.check_moved();
}

TEST_CASE("a home that is suddenly empty is not moved without consent") {
  HomeSite site;
  std::map<std::string, std::string> files;
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode != "scan" || how_many(site, "scan") < 2 || !files.empty()) return;
    // The NAS comes back without the dataset: the export serves the empty directory beneath.
    fakes::Dataset* home = site.cluster.storage.dataset_of(HomeSite::k_ns, site.options.claim);
    files = std::exchange(home->files, {});
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(contains(outcome.error->what, "[empty-home]"));
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  SUBCASE("it is mounted again") {
    site.cluster.storage.dataset_of(HomeSite::k_ns, site.options.claim)->files = files;
  }
  SUBCASE("it was its user") {
    site.options.accepted = {k_empty_home};
    site.before.clear();
  }
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

TEST_CASE("a way back that was given up at any write can still be gone") {
  bool killed = true;
  for (std::size_t writes = 1; killed; ++writes) {
    CAPTURE(writes);
    HomeSite site;
    REQUIRE(site.run().ok());
    site.options.rollback = true;
    site.options.accepted = {k_newer_writes};
    killed = !site.run(writes).ok();
    site.options.rollback = false;
    const engine::Outcome forward = site.run();
    REQUIRE_MESSAGE(forward.ok(), text_of(forward));
    CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-csi-nfs");
    CHECK(site.files() == site.before);
    site.options.rollback = true;
    const engine::Outcome back = site.run();
    REQUIRE_MESSAGE(back.ok(), text_of(back));
    CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
    CHECK(site.files() == site.before);
    CHECK(site.cluster.destroyed_data().empty());
  }
}

TEST_CASE("the way back never takes the old volume from somebody's claim") {
  HomeSite site;
  const std::string old = site.claim()->text_at("/spec/volumeName");
  REQUIRE(site.run().ok());
  site.cluster.put(yaml(fmt::format(
      "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: rescued, namespace: {}, uid: "
      "rescued-uid}}, spec: {{accessModes: [ReadWriteOnce], storageClassName: truenas-nfs, volumeName: "
      "{}, resources: {{requests: {{storage: 10Gi}}}}}}, status: {{phase: Bound}}}}",
      HomeSite::k_ns, old)));
  site.cluster.meddle(kube::k_volume, "", old, [](json::Value& volume) {
    volume.set_at("/spec/claimRef",
                  yaml(fmt::format("{{namespace: {}, name: rescued, uid: rescued-uid}}", HomeSite::k_ns)));
    volume.set_at("/status/phase", "Bound");
  });
  site.options.rollback = true;
  site.options.accepted = {k_newer_writes};
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "rescued"));
  const json::Value* volume = site.cluster.find(kube::k_volume, "", old);
  CHECK(volume->text_at("/spec/claimRef/name") == "rescued");
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-csi-nfs");
}
