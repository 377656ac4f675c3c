// A home adopted on a fake cluster: what is done, what is refused, what others may do meanwhile. Its bytes
// are there once: whatever happens, the one dataset must live, and both volume objects on it must be Retain.

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/storage/cutover_record.h"
#include "tests/fakes/faults.h"
#include "tests/unit/workflow/adopted_home.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("a stopped home is adopted: the same dataset under its name, nothing copied") {
  AdoptedHome site;
  const engine::Plan plan = site.plan();
  REQUIRE_FALSE(plan.blocked);
  CHECK(site.cluster.writes() == 0);
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_on(true);
  CHECK(join(site.mover.modes, " ") == "scan scan scan");  // by the old driver, by the trial, by the claim
  const auto planned =
      std::count_if(outcome.acted.begin(), outcome.acted.end(),
                    [](const engine::ActedStep& acted) { return acted.step.verb != "nudge-claim"; });
  CHECK(static_cast<std::size_t>(planned) == plan.step_count());
  CHECK(site.clashes.empty());
  CHECK(site.old_volume()->text_at("/status/phase") == "Released");
  CHECK(kube::annotation_of(*site.old_volume(), "truenas-migrate/original-reclaim-policy") == "Delete");
  const auto record = storage::read_cutover(*site.adopted());
  REQUIRE(record.ok());
  REQUIRE(*record);
  CHECK((*record)->what == "adopt");
  CHECK((*record)->from_volume == site.old_name);
  CHECK(site.plan().nothing_to_do());
}

namespace {

// A Coder whose workspace is one Pod.
class OnePod final : public WorkspaceControl {
 public:
  explicit OnePod(AdoptedHome& site) : site_(site) {}
  Result<CoderState> look() override {
    CoderState state;
    state.workspace_id = "w", state.version_id = "v", state.build_id = std::to_string(builds);
    state.started = state.agents_connected = runs;
    state.stopped = !runs;
    return state;
  }
  Result<void> build(const std::string& transition, const std::string&, const kube::Permit&) override {
    ++builds;
    runs = transition == "start";
    if (runs) site_.start_pod("work");
    if (!runs) site_.stop_pod("work");
    return {};
  }
  Result<void> set_autostart(const std::string&, const kube::Permit&) override { return {}; }

  bool runs = true;
  int builds = 1;

 private:
  AdoptedHome& site_;
};

}  // namespace

TEST_CASE(
    "a home in use is adopted through Coder: what is known of its Pods is not asked once they are gone") {
  AdoptedHome site;
  site.start_pod("work");
  OnePod coder(site);
  site.control = &coder;
  // What drivers say of fsGroup is not to be seen: then only the Pods tell that they have none.
  fakes::Fault unseen = fakes::answer(fakes::request_to("GET", "/csidrivers/"), {403, {}, ""});
  unseen.times = -1;
  site.cluster.add_fault(unseen);
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(coder.runs);
  CHECK(coder.builds == 3);
  // One look by the old driver and one trial: the second is not asked for without end.
  CHECK(join(site.mover.modes, " ") == "scan scan");
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-csi-nfs");
  CHECK(site.files() == site.before);
}

TEST_CASE("the old volume is read back as Retain before another one is made for its dataset") {
  AdoptedHome site;
  std::string seen = "never created";
  site.cluster.add_fault(fakes::before(
      [&](const fakes::Seen& seen_now) {
        return seen_now.what.method == "POST" && contains(seen_now.what.target, "/persistentvolumes") &&
               contains(seen_now.what.body, "adopted-volume");
      },
      [&] { seen = site.policy(site.old_volume()); }));
  REQUIRE(site.run().ok());
  CHECK(seen == "Retain");
}

TEST_CASE("an adopted home goes back and is adopted again; what was written is there on both sides") {
  AdoptedHome site;
  REQUIRE(site.run().ok());
  site.write_home("after", "the adoption");
  const engine::Outcome back = site.roll_back();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  site.check_on(false);
  CHECK(site.files().contains("after"));
  CHECK(site.adopted()->text_at("/status/phase") == "Released");
  site.write_home("more", "work");
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_on(true);
  const engine::Outcome back_again = site.roll_back();
  REQUIRE_MESSAGE(back_again.ok(), text_of(back_again));
  site.check_on(false);
}

TEST_CASE("a Pod that starts right after the swap proves it by running") {
  AdoptedHome site;
  bool started = false;
  site.cluster.on_request = [&](const fakes::Seen& seen, bool applied) {
    const bool made = applied && seen.what.method == "POST" &&
                      contains(seen.what.target, "/persistentvolumeclaims") &&
                      !contains(seen.what.target, "dryRun") && contains(seen.what.body, site.options.claim) &&
                      !contains(seen.what.body, "probe");
    if (!made || started) return;
    started = true;
    site.start_pod("user");
    site.cluster.nas.find(site.share)->files["late"] = "written at once";
    site.before = site.cluster.nas.find(site.share)->files;
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(started);
  CHECK(join(site.mover.modes, " ") == "scan scan");
  site.stop_pod("user");
  site.check_on(true);
}

TEST_CASE("a home that is used after its trial is tried again before it is exchanged") {
  AdoptedHome site;
  int scans = 0;
  site.mover.while_moving = [&](const std::string&) {
    if (++scans != 2) return;
    site.start_pod("user");
    site.write_home("new", "written during the trial");
  };
  const engine::Outcome first = site.run();
  REQUIRE_FALSE(first.ok());
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
  CHECK(site.coder_may_delete());
  site.stop_pod("user");
  site.mover.while_moving = {};
  const engine::Outcome second = site.run();
  REQUIRE_MESSAGE(second.ok(), text_of(second));
  CHECK(site.files().contains("new"));
  site.check_on(true);
}

TEST_CASE("policies set back to Delete are Retain again at the next look") {
  AdoptedHome site;
  site.mover.while_moving = [&](const std::string&) {
    for (const fakes::Key& key : site.cluster.store.keys("", "persistentvolumes")) {
      const json::Value* volume = site.cluster.store.find(key);
      if (volume->text_at("/status/phase") == "Released") continue;  // that would be the end
      site.cluster.store.update(
          key, [](json::Value& copy) { copy.set_at("/spec/persistentVolumeReclaimPolicy", "Delete"); });
    }
  };
  const engine::Outcome outcome = site.run();
  site.unsafe.clear();  // by somebody else
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_on(true);
}

TEST_CASE("a move that was begun one way is not gone on with the other way") {
  AdoptedHome site;
  REQUIRE_FALSE(site.run(14).ok());
  site.options.carry = Carry::copy;
  const engine::Outcome other = site.run();
  REQUIRE_FALSE(other.ok());
  CHECK(contains(other.error->what, "was begun with --strategy=adopt"));
  // It can be given up: nothing waits for the home's name, nothing of the trial stays.
  const engine::Outcome back = site.roll_back();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  CHECK(site.reserved_for_home().empty());
  CHECK(site.count("persistentvolumes", "truenas-migrate-probe-") == 0);
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
  const engine::Outcome copied = site.run();
  REQUIRE_MESSAGE(copied.ok(), text_of(copied));
  site.check_moved();
}
