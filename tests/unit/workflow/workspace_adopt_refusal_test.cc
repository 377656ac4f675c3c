// What an adoption refuses, asks about, or finds out by looking at what the new driver really mounts.

#include <doctest/doctest.h>

#include "tests/fakes/faults.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/workflow/adopted_home.h"

using namespace truenas;
using namespace truenas::workflow;

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
    site.mover.while_moving = [&](const std::string&) {
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
  site.mover.while_moving = [&](const std::string&) {
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
    const engine::Outcome back = site.roll_back();
    REQUIRE_MESSAGE(back.ok(), text_of(back));
    site.check_on(false);
  }
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
