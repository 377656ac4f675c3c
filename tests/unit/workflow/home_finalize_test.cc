// A home's old volume is given up: only it, only when nobody can need it, killed at every write.

#include "lib/workflow/home_finalize.h"

#include <doctest/doctest.h>

#include "tests/fakes/faults.h"
#include "tests/unit/workflow/adopted_home.h"
#include "tests/unit/workflow/finalize_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("the object goes, the dataset stays") {
  FinalizeSite site;
  const std::size_t datasets = site.datasets();
  const engine::Outcome outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_given_up();
  CHECK(site.datasets() == datasets);
  CHECK(site.cluster.destroyed_data().empty());
  const engine::Outcome again = site.give_up();
  REQUIRE(again.ok());
  CHECK(again.acted.empty());

  site.options.rollback = true;
  site.options.accepted = {k_newer_writes};
  const engine::Outcome back = site.run();
  REQUIRE(back.error);
  CHECK(back.error->kind == Kind::refused);
  CHECK(contains(back.error->what, "was given up by --finalize"));
}

TEST_CASE("--delete-data: the old driver destroys the old dataset, and only that") {
  FinalizeSite site;
  site.finalize.delete_data = true;
  const engine::Outcome outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_given_up();
  REQUIRE(site.cluster.destroyed_data().size() == 1);
  CHECK(site.cluster.destroyed_data()[0].files.count("since") == 0);
  CHECK(site.cluster.destroyed_data()[0].files.count(".bash_history") == 1);
}

TEST_CASE("killed before any write, and every reply lost") {
  for (const bool data : {false, true}) {
    bool ended = false;
    for (std::size_t k = 0; !ended; ++k) {
      CAPTURE(k);
      REQUIRE(k < 50);
      FinalizeSite site;
      site.finalize.delete_data = data;
      const std::size_t datasets = site.datasets();
      ended = site.give_up(k).ok();
      const engine::Outcome second = site.give_up();
      REQUIRE_MESSAGE(second.ok(), text_of(second));
      site.check_given_up();
      CHECK(site.datasets() == (data ? datasets - 1 : datasets));
      if (ended) MESSAGE("writes of a whole run: " << k);
    }
    for (std::size_t k = 1; k < 50; ++k) {
      CAPTURE(k);
      FinalizeSite site;
      site.finalize.delete_data = data;
      const std::size_t before = site.cluster.writes();
      site.cluster.add_fault(fakes::drop_reply(fakes::write_number(before + k)));
      const engine::Outcome first = site.give_up();
      const std::size_t writes = site.cluster.writes() - before;
      if (!first.ok()) REQUIRE_MESSAGE(site.give_up().ok(), text_of(first));
      site.check_given_up();
      if (k > writes) break;
    }
  }
}

TEST_CASE("a dataset that another volume uses, or may use, is not destroyed") {
  FinalizeSite site;
  site.finalize.delete_data = true;
  json::Value other = *site.old();
  other.set_at("/metadata/name", "pv-by-hand");
  other.set_at("/metadata/uid", "by-hand");
  other.set_at("/spec/claimRef", nullptr);
  SUBCASE("the same") {}
  SUBCASE("one that says nothing of its dataset") {
    other.set_at("/spec/csi", json::Value::object({{"driver", "unknown"}, {"volumeHandle", "x"}}));
  }
  site.cluster.put(other);
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "pv-by-hand"));
  site.check_kept();
}

TEST_CASE("another volume of the dataset appears between the plan and the deletion") {
  FinalizeSite site;
  site.finalize.delete_data = true;
  json::Value other = *site.old();
  other.set_at("/metadata/name", "pv-by-hand");
  other.set_at("/metadata/uid", "by-hand");
  int lists = 0;
  site.cluster.on_request = [&](const fakes::Seen& seen, bool applied) {
    const bool list =
        contains(seen.what.target, "/persistentvolumes?") || seen.what.target.ends_with("/persistentvolumes");
    if (applied && list && ++lists == 1) site.cluster.put(other);
  };
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(lists > 1);
  site.check_kept();
}

TEST_CASE("an old volume that is somebody's, or attached, is left alone") {
  FinalizeSite site;
  SUBCASE("bound to another claim") {
    site.cluster.meddle(kube::k_volume, "", site.old_volume,
                        [](json::Value& volume) { volume.set_at("/status/phase", "Bound"); });
  }
  SUBCASE("attached") {
    site.cluster.put(
        yaml("{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: a}, spec: "
             "{attacher: x, nodeName: node1, source: {persistentVolumeName: " +
             site.old_volume + "}}}"));
  }
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, site.old_volume));
  REQUIRE(site.old() != nullptr);
  CHECK(site.policy() == "Retain");
}

TEST_CASE("one dataset under two volumes: nothing is given up, whatever is asked for") {
  FinalizeSite site;
  const std::string share = site.old()->text_at("/spec/csi/volumeAttributes/share");
  const std::string server = site.old()->text_at("/spec/csi/volumeAttributes/server");
  REQUIRE(!share.empty());
  site.cluster.meddle(kube::k_volume, "", site.claim()->text_at("/spec/volumeName"),
                      [&](json::Value& volume) {
                        volume.set_at("/spec/csi/volumeAttributes/nfsPath", share);
                        volume.set_at("/spec/csi/volumeAttributes/nfsServer", server);
                        volume.set_at("/spec/csi/volumeHandle", share.substr(5));
                      });
  SUBCASE("plain") {
    const engine::Outcome outcome = site.give_up();
    REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
    CHECK(contains(outcome.done->summary, "one dataset"));
  }
  SUBCASE("--delete-data") {
    site.finalize.delete_data = true;
    const engine::Outcome outcome = site.give_up();
    REQUIRE(outcome.error);
    CHECK(outcome.error->kind == Kind::refused);
  }
  SUBCASE("accepted, but the old object is there") {
    site.finalize.accepted = {k_adopted_delete};
    const engine::Outcome outcome = site.give_up();
    REQUIRE(outcome.error);
    CHECK(contains(outcome.error->what, "must be gone first"));
  }
  REQUIRE(site.old() != nullptr);
  CHECK(site.old()->text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
  CHECK(site.policy() == "Retain");
  CHECK(site.cluster.destroyed_data().empty());
}

TEST_CASE("no build since the move: refused, unless it is agreed to") {
  FinalizeSite site;
  site.finalize.accepted.clear();
  REQUIRE(site.give_up().error);
  site.check_kept();
  std::string time;
  site.last_build = [&time]() -> Result<std::string> { return time; };
  engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(contains(outcome.error->what, "[no-build-since]"));
  site.check_kept();
  time = "1999-01-01T00:00:00Z";
  CHECK(site.give_up().error);
  site.check_kept();
  SUBCASE("a build") {
    time = "2999-01-01T00:00:00Z";
  }
  SUBCASE("consent") {
    site.finalize.accepted = {k_no_build_since};
  }
  outcome = site.give_up();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  site.check_given_up();
}

TEST_CASE("a home that was not moved, or taken back") {
  FinalizeSite site;
  SUBCASE("taken back: the new volume is the one that is given up") {
    site.options.rollback = true;
    site.options.accepted = {k_newer_writes};
    REQUIRE(site.run().ok());
    site.cluster.tick(3);
    engine::Outcome outcome = site.give_up();
    REQUIRE(outcome.error);
    CHECK(contains(outcome.error->what, "[left-out]"));
    site.finalize.accepted.insert(k_left_out);
    outcome = site.give_up();
    REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
    site.cluster.tick(3);
    CHECK(site.old() != nullptr);
    CHECK(site.claim()->text_at("/spec/volumeName") == site.old_volume);
    CHECK(site.policy() == "Delete");
  }
  SUBCASE("its claim is gone") {
    site.cluster.erase(kube::k_claim, HomeSite::k_ns, site.options.claim);
    const engine::Outcome outcome = site.give_up();
    REQUIRE(outcome.error);
    CHECK(outcome.error->kind == Kind::refused);
    CHECK(site.old() != nullptr);
  }
}

TEST_CASE("what was left out of the copy is not given up unasked") {
  FinalizeSite site({".cache", "tmp"});
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(contains(outcome.error->what, ".cache, tmp"));
  site.check_kept();
  site.finalize.accepted.insert(k_left_out);
  CHECK(site.give_up().ok());
  site.check_given_up();
}

TEST_CASE("only the volumes that the plan has shown, and that are marked as this home's") {
  FinalizeSite site;
  SUBCASE("another run of the journal since") {
    site.finalize.agreed = AgreedVolumes{7, "a", "b"};
  }
  SUBCASE("no mark") {
    site.cluster.meddle(kube::k_volume, "", site.old_volume, [](json::Value& volume) {
      volume.set_at("/metadata/annotations/" + json::pointer_token("truenas-migrate/kept-for"),
                    "other/claim");
    });
  }
  SUBCASE("no record of the exchange") {
    site.cluster.meddle(
        kube::k_volume, "", site.claim()->text_at("/spec/volumeName"), [](json::Value& volume) {
          volume.set_at("/metadata/annotations/" + json::pointer_token("truenas-migrate/cutover"), "");
        });
  }
  SUBCASE("its next build destroys it") {
    site.finalize.endangered = "its next build destroys it";
  }
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  site.check_kept();
}

TEST_CASE("snapshots go with the data: not unasked, and not where they cannot be seen") {
  FinalizeSite site;
  site.finalize.delete_data = true;
  const std::string handle = site.old()->text_at("/spec/csi/volumeHandle");
  const std::string driver = site.old()->text_at("/spec/csi/driver");
  fakes::Fault listing =
      fakes::answer(fakes::request_to("GET", "volumesnapshotcontents"), fakes::internal_error());
  SUBCASE("one") {
    listing.reply.status = 200;
    listing.reply.body = json::write(
        json::Value::object({{"kind", "VolumeSnapshotContentList"},
                             {"apiVersion", "snapshot.storage.k8s.io/v1"},
                             {"metadata", json::Value::object({{"resourceVersion", "1"}})},
                             {"items", yaml("[{metadata: {name: content}, spec: {driver: " + driver +
                                            ", source: {volumeHandle: " + handle +
                                            "}, volumeSnapshotRef: {namespace: ws, name: before}}}]")}}));
  }
  SUBCASE("nobody knows") {}
  listing.times = -1;
  site.cluster.add_fault(listing);
  const engine::Outcome outcome = site.give_up();
  REQUIRE(outcome.error);
  CHECK(contains(outcome.error->what, "[snapshots]"));
  site.check_kept();
  site.finalize.accepted.insert(k_snapshots);
  CHECK(site.give_up().ok());
  site.check_given_up();
}

TEST_CASE("an adopted home whose old object is gone: its data gets no policy that deletes it, unasked") {
  AdoptedHome site;
  const engine::Outcome moved = site.run();
  REQUIRE_MESSAGE(moved.ok(), text_of(moved));
  site.cluster.tick(15);
  FinalizeOptions finalize;
  finalize.ns = site.options.ns, finalize.claim = site.options.claim;
  finalize.accepted = {k_no_build_since};  // one dataset: nothing is compared
  SUBCASE("the old object is there") {}
  SUBCASE("it is gone") {
    site.cluster.erase(kube::k_volume, "", site.old_name);
  }
  SUBCASE("taken back, and the adopted object is gone") {
    site.options.rollback = true;
    REQUIRE(site.run().ok());
    site.cluster.tick(15);
    site.cluster.erase(kube::k_volume, "", storage::adopted_name_of_uid(site.old_uid));
  }
  const engine::Outcome outcome = finalize_home(site, finalize);
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(contains(outcome.done->summary, "one dataset"));
  CHECK(site.volume().text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
  CHECK(site.files() == site.before);
  CHECK(site.cluster.destroyed_data().empty());
}
