// Changing a StorageClass on a fake cluster: what is kept, what is refused, and what happens when something
// goes wrong in the middle.

#include "lib/workflow/storage_class.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/workflow/class_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

std::string uid_of(const json::Value* object) {
  REQUIRE(object != nullptr);
  return object->text_at("/metadata/uid");
}

constexpr const char* k_other = "{protocol: nfs, pool: SAS, nfs.mapAllUser: root, nfs.mapAllGroup: wheel}";

}  // namespace

TEST_CASE("a class that is as wanted is left alone") {
  ClassSite site;
  const std::size_t before = site.cluster.writes();
  CHECK(site.run().ok());
  CHECK(site.cluster.writes() == before);
}

TEST_CASE("an absent class is created, and a rollback takes it away again") {
  ClassSite site;
  site.cluster.erase(kube::k_storage_class, "", site.options.name);
  CHECK(site.run().ok());
  REQUIRE(site.find() != nullptr);
  CHECK(site.find()->text_at("/parameters/nfs.mapAllUser").empty());
  CHECK(site.find()->at("/parameters/nfs.mapAllUser") != nullptr);
  CHECK(site.roll_back().ok());
  CHECK(site.find() == nullptr);
  // Asked twice is asked once.
  CHECK(site.roll_back().ok());
  CHECK(site.find() == nullptr);
  ClassSite fresh;
  REQUIRE(fresh.roll_back().error);
  CHECK(fresh.roll_back().error->kind == Kind::not_found);
}

TEST_CASE("mutable fields are changed in place, and put back") {
  ClassSite site;
  site.live(
      "{protocol: nfs, pool: SAS, compression: LZ4, nfs.mapAllUser: '', nfs.mapAllGroup: '', "
      "nfs.datasetPermissionsMode: '0777', nfs.datasetPermissionsUser: '0', nfs.datasetPermissionsGroup: "
      "'0'}",
      "{allowVolumeExpansion: null}");
  const std::string uid = uid_of(site.find());
  CHECK(site.run().ok());
  CHECK(site.find()->boolean_at("/allowVolumeExpansion"));
  CHECK(uid_of(site.find()) == uid);
}

TEST_CASE("immutable fields: deleted and made again with its marks; the old one comes back whole") {
  ClassSite site;
  site.live(k_other, "{mountOptions: [hard], metadata: {labels: {team: storage}, annotations: {note: x}}}");
  const json::Value before = *site.find();
  CHECK(site.run().ok());
  REQUIRE(site.find() != nullptr);
  CHECK(uid_of(site.find()) != before.text_at("/metadata/uid"));
  CHECK(site.find()->text_at("/parameters/nfs.datasetPermissionsMode") == "0777");
  CHECK(site.find()->text_at("/metadata/labels/team") == "storage");
  CHECK(site.find()->text_at("/metadata/annotations/note") == "x");
  CHECK(site.find()->text_at("/mountOptions/0") == "hard");
  CHECK(site.roll_back().ok());
  REQUIRE(site.find() != nullptr);
  CHECK(storage::without_server_fields(*site.find()) == storage::without_server_fields(before));
  CHECK(site.roll_back().ok());
  CHECK(storage::without_server_fields(*site.find()) == storage::without_server_fields(before));
  // And forth again, as often as wanted.
  CHECK(site.run().ok());
  CHECK(site.find()->text_at("/parameters/nfs.datasetPermissionsMode") == "0777");
}

TEST_CASE("a claim or a volume that names the class keeps it") {
  ClassSite site;
  site.live(k_other);
  const std::string uid = uid_of(site.find());
  site.add_claim("home");
  site.put(
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-9}, spec: {storageClassName: "
      "truenas-csi-nfs, "
      "claimRef: {namespace: coder, name: gone}}, status: {phase: Released}}");
  const std::size_t before = site.cluster.writes();
  const engine::Outcome outcome = site.run();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(outcome.error->what ==
        "storageclass truenas-csi-nfs cannot be replaced: 1 claim and 1 volume depend on it: "
        "persistentvolumeclaim "
        "coder/home, persistentvolume pv-9 (claim coder/gone, Released)");
  CHECK(contains(join(outcome.error->hints, "\n"), "--apply --as-name=truenas-csi-nfs-2"));
  CHECK(uid_of(site.find()) == uid);
  CHECK(site.cluster.writes() == before);
}

TEST_CASE("a claim made after the plan and before the deletion keeps the class") {
  ClassSite site;
  site.live(k_other);
  const std::string uid = uid_of(site.find());
  // The trial of the successor is the last thing before claims and volumes are listed once more.
  site.cluster.add_fault(
      fakes::after(fakes::request_to("POST", "storageclasses"), [&] { site.add_claim("late"); }));
  const engine::Outcome outcome = site.run();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "persistentvolumeclaim coder/late"));
  CHECK(uid_of(site.find()) == uid);
}

TEST_CASE(
    "somebody changes the class between the note and the deletion: the newer one is written down first") {
  ClassSite site;
  site.live(k_other);
  site.cluster.add_fault(fakes::after(fakes::request_to("POST", "storageclasses"),
                                      [&] { site.live(k_other, "{metadata: {labels: {late: 'yes'}}}"); }));
  CHECK(site.run().ok());
  CHECK(site.find()->text_at("/metadata/labels/late") == "yes");
  CHECK(site.roll_back().ok());
  CHECK(site.find()->text_at("/metadata/labels/late") == "yes");
  CHECK(site.find()->text_at("/parameters/nfs.mapAllUser") == "root");
}

TEST_CASE("a successor that the server would not take is found before anything is deleted") {
  ClassSite site;
  site.live(k_other);
  const std::string uid = uid_of(site.find());
  site.cluster.add_fault(fakes::answer(
      fakes::request_to("POST", "storageclasses"),
      fakes::failure(403, "Forbidden", "admission webhook denied the request: no class without owner", "", "",
                     "")));
  const engine::Outcome outcome = site.run();
  REQUIRE(outcome.error);
  CHECK(contains(outcome.error->what, "is not deleted: the server would not take the one to follow"));
  CHECK(contains(outcome.error->what, "no class without owner"));
  CHECK(uid_of(site.find()) == uid);
}

TEST_CASE("another field manager's fields are not taken") {
  ClassSite site;
  site.cluster.meddle(kube::k_storage_class, "", site.options.name,
                      [](json::Value& object) { object.set("allowVolumeExpansion", false); });
  site.cluster.add_fault(fakes::answer(
      fakes::request_to("PATCH", "storageclasses"),
      fakes::failure(409, "Conflict",
                     "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using storage.k8s.io/v1: "
                     ".allowVolumeExpansion",
                     "", "", "")));
  const engine::Outcome outcome = site.run();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "kubectl-edit"));
  CHECK_FALSE(site.find()->boolean_at("/allowVolumeExpansion"));
}

TEST_CASE("an owner keeps the class; Helm's only until it is accepted") {
  ClassSite site;
  site.live(k_other,
            "{metadata: {labels: {objectset.rio.cattle.io/hash: abc, fleet.cattle.io/bundle-id: storage}}}");
  engine::Outcome outcome = site.run();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "belongs to Fleet (storage)"));

  ClassSite helm;
  helm.live(k_other, "{metadata: {annotations: {meta.helm.sh/release-name: csi}}}");
  outcome = helm.run();
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(join(outcome.error->hints, "\n"), "--accept=helm-owner"));
  helm.options.accepted = {"helm-owner"};
  CHECK(helm.run().ok());
  CHECK(helm.find()->text_at("/metadata/annotations/meta.helm.sh~1release-name") == "csi");
}

TEST_CASE("another one of the name appears right before ours is made") {
  ClassSite site;
  site.live(k_other);
  const json::Value theirs = *site.find();
  site.cluster.add_fault(fakes::before(fakes::request_to("PATCH", "storageclasses"), [&] {
    json::Value object = storage::without_server_fields(theirs);
    object.set_at("/parameters/pool", "THEIRS");
    site.cluster.put(object);
  }));
  CHECK(site.run().ok());
  CHECK(site.find()->text_at("/parameters/nfs.datasetPermissionsMode") == "0777");
  CHECK(site.roll_back().ok());
  CHECK(site.find()->text_at("/parameters/pool") == "THEIRS");
}

TEST_CASE("whichever reply is lost, and whichever write fails once, it ends right") {
  for (std::size_t k = 1; k <= 12; ++k) {
    for (const bool lost : {true, false}) {
      CAPTURE(k);
      CAPTURE(lost);
      ClassSite site;
      site.live(k_other, "{metadata: {labels: {team: storage}}}");
      const json::Value before = *site.find();
      site.cluster.add_fault(lost ? fakes::drop_reply(fakes::write_number(k))
                                  : fakes::answer(fakes::write_number(k), fakes::internal_error()));
      const engine::Outcome outcome = site.run();
      CHECK(outcome.ok());
      REQUIRE(site.find() != nullptr);
      CHECK(site.find()->text_at("/parameters/nfs.datasetPermissionsMode") == "0777");
      CHECK(site.find()->text_at("/metadata/labels/team") == "storage");
      CHECK(site.roll_back().ok());
      CHECK(storage::without_server_fields(*site.find()) == storage::without_server_fields(before));
    }
  }
}
