// A home adopted on a fake cluster: what is done, what is refused, what others may do meanwhile. Its bytes
// are there once: whatever happens, the one dataset must live, and both volume objects on it must be Retain.

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/storage/cutover_record.h"
#include "tests/fakes/faults.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/workflow/adopted_home.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

std::string text_of(const engine::Outcome& outcome) {
  return outcome.ok() ? "done: " + outcome.done->summary
                      : std::string(kind_name(outcome.error->kind)) + ": " + outcome.error->what;
}

engine::Outcome rolled_back(AdoptedHome& site) {
  site.options.rollback = true;
  engine::Outcome outcome = site.run();
  site.options.rollback = false;
  return outcome;
}

}  // namespace

TEST_CASE("a stopped home is adopted: the same dataset under its name, nothing copied") {
  AdoptedHome site;
  const engine::Plan plan = site.plan();
  REQUIRE_FALSE(plan.blocked);
  CHECK(site.cluster.writes() == 0);
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_on(true);
  CHECK(join(site.modes, " ") == "scan scan scan");  // by the old driver, by the trial, by the claim
  const auto planned = std::count_if(
      outcome.acted.begin(), outcome.acted.end(),
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
  const engine::Outcome back = rolled_back(site);
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  site.check_on(false);
  CHECK(site.files().contains("after"));
  CHECK(site.adopted()->text_at("/status/phase") == "Released");
  site.write_home("more", "work");
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_on(true);
  const engine::Outcome back_again = rolled_back(site);
  REQUIRE_MESSAGE(back_again.ok(), text_of(back_again));
  site.check_on(false);
}

TEST_CASE("a home in use is left alone") {
  AdoptedHome site;
  site.start_pod("user");
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(join(outcome.error->hints, "\n"), "coder stop"));
  CHECK(site.cluster.writes() == 0);
}

TEST_CASE("what speaks against it is refused, or needs consent by name") {
  AdoptedHome site;
  json::Value other = *site.old_volume();
  for (const char* field : {"/metadata/uid", "/metadata/resourceVersion", "/spec/claimRef", "/status"})
    other.remove_at(field);
  other.set_at("/metadata/name", "another");
  SUBCASE("another volume is on the dataset") {
    site.cluster.put(other);
    CHECK(contains(site.run().error->what, "[adopt-shared-dataset] persistentvolume another"));
    CHECK(site.cluster.writes() == 0);
    site.options.accepted.insert("adopt-shared-dataset");
    const engine::Outcome accepted = site.run();
    CHECK_MESSAGE(accepted.ok(), text_of(accepted));
  }
  SUBCASE("snapshots cannot be looked at") {
    fakes::Fault fault =
        fakes::answer(fakes::request_to("GET", "/volumesnapshotcontents"),
                      fakes::failure(403, "Forbidden", "volumesnapshotcontents is forbidden", "", "", ""));
    fault.times = -1;
    site.cluster.add_fault(fault);
    const engine::Outcome refused = site.run();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error->kind == Kind::refused);
    CHECK(contains(refused.error->what, "[adopt-snapshots] whether the old volume has snapshots"));
    CHECK(contains(join(refused.error->hints, "\n"), "--accept=adopt-snapshots"));
    CHECK(site.cluster.writes() == 0);
    site.options.accepted.insert("adopt-snapshots");
    CHECK(site.run().ok());
  }
  SUBCASE("its dataset cannot be told") {
    site.cluster.meddle(kube::k_volume, "", site.old_name, [](json::Value& volume) {
      volume.set_at("/spec/csi/volumeAttributes/share", "/export/x");
    });
    const engine::Outcome refused = site.run();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error->kind == Kind::refused);
    CHECK(contains(refused.error->what, "[adopt-handle]"));
    CHECK(join(refused.error->hints, "\n") == "or copy it: --strategy=copy");
    CHECK(site.cluster.writes() == 0);
  }
}

TEST_CASE("a new driver that mounts another path, another NAS or other files is found out before the swap") {
  AdoptedHome site;
  std::string why;
  SUBCASE("another path") {
    site.mounted_path = "/mnt/SAS/pvc-other";
    why = "the new driver mounts /mnt/SAS/pvc-other";
  }
  SUBCASE("another NAS") {
    site.server = "10.0.0.2";
    why = "[adopt-server]";
  }
  SUBCASE("it does not say") {
    site.attaches = false;
    why = "[adopt-server]";
  }
  SUBCASE("other files") {
    int scans = 0;
    site.while_moving = [&](const std::string&) {
      // As if the trial showed another tree.
      if (++scans == 1) site.cluster.nas.find(site.share)->files["replica"] = "of yesterday";
      if (scans == 2) site.cluster.nas.find(site.share)->files.erase("replica");
    };
    why = "what the new driver mounts is not what the old one shows";
  }
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK_MESSAGE(contains(outcome.error->what, why), text_of(outcome));
  site.cluster.tick(15);
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
  CHECK(site.adopted() == nullptr);
  CHECK(site.files() == site.before);
  site.check_clean();
  if (why != "[adopt-server]") return;
  site.options.accepted.insert(k_adopt_server);
  const engine::Outcome accepted = site.run();
  REQUIRE_MESSAGE(accepted.ok(), text_of(accepted));
  site.check_on(true);
}

TEST_CASE("files that are not the same through the claim are a mismatch, unless the user has worked there") {
  AdoptedHome site;
  int scans = 0;
  site.while_moving = [&](const std::string&) {
    if (++scans == 2) site.cluster.nas.find(site.share)->files["new"] = "appeared by itself";
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::mismatch);
  CHECK(contains(outcome.error->what, "[adopt-files]"));
  CHECK(site.claim()->text_at("/spec/volumeName") == storage::adopted_name_of_uid(site.old_uid));
  site.before = site.files();
  SUBCASE("consent") {
    site.options.accepted.insert(k_adopt_files);
    REQUIRE(site.run().ok());
    site.check_on(true);
  }
  SUBCASE("the way back") {
    const engine::Outcome back = rolled_back(site);
    REQUIRE_MESSAGE(back.ok(), text_of(back));
    site.check_on(false);
  }
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
  CHECK(join(site.modes, " ") == "scan scan");
  site.stop_pod("user");
  site.check_on(true);
}

TEST_CASE("a home that is used after its trial is tried again before it is exchanged") {
  AdoptedHome site;
  int scans = 0;
  site.while_moving = [&](const std::string&) {
    if (++scans != 2) return;
    site.start_pod("user");
    site.write_home("new", "written during the trial");
  };
  const engine::Outcome first = site.run();
  REQUIRE_FALSE(first.ok());
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
  CHECK(site.coder_may_delete());
  site.stop_pod("user");
  site.while_moving = {};
  const engine::Outcome second = site.run();
  REQUIRE_MESSAGE(second.ok(), text_of(second));
  CHECK(site.files().contains("new"));
  site.check_on(true);
}

TEST_CASE("a volume that a webhook has changed is not used") {
  AdoptedHome site;
  site.cluster.add_fault(fakes::after(
      [](const fakes::Seen& seen) {
        return seen.what.method == "POST" && contains(seen.what.body, "adopted-volume");
      },
      [&] {
        site.cluster.meddle(
            kube::k_volume, "", storage::adopted_name_of_uid(site.old_uid),
            [](json::Value& volume) { volume.set_at("/spec/csi/volumeHandle", "SAS/other"); });
      }));
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(contains(outcome.error->what, "cannot be used"));
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
  CHECK(site.files() == site.before);
  CHECK(site.coder_may_delete());
}

TEST_CASE("policies set back to Delete are Retain again at the next look") {
  AdoptedHome site;
  site.while_moving = [&](const std::string&) {
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
  const engine::Outcome back = rolled_back(site);
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  CHECK(site.reserved_for_home().empty());
  CHECK(site.count("persistentvolumes", "truenas-migrate-probe-") == 0);
  CHECK(site.claim()->text_at("/spec/volumeName") == site.old_name);
  const engine::Outcome copied = site.run();
  REQUIRE_MESSAGE(copied.ok(), text_of(copied));
  site.check_moved();
}
