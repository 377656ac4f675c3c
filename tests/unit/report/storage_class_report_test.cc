// A class's review, as people and scripts read it.

#include "lib/report/storage_class_report.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/storage/class_wanted.h"
#include "lib/workflow/storage_class/decide.h"
#include "tests/unit/yaml.h"

using namespace truenas;

namespace {

workflow::ClassOptions options() {
  workflow::ClassOptions options;
  options.name = "truenas-csi-nfs";
  options.other_name = "truenas-csi-nfs-2";
  options.old_class = "truenas-nfs";
  options.wanted = storage::runbook_class(options.name);
  return options;
}

// The runbook's class changed by the patch, with one claim and one Released volume of it, and one old volume.
workflow::StorageClassWorld world_with(std::string_view patch) {
  workflow::StorageClassWorld world;
  auto live = storage::read_storage_class(json::apply_merge_patch(options().wanted, yaml(patch)), "test");
  REQUIRE(live.ok());
  world.live = std::move(live).value();
  storage::Claim claim;
  claim.ns = "coder", claim.name = "home", claim.volume = "pv-1", claim.size = "10Gi", claim.phase = "Bound";
  world.users.claims = {claim};
  storage::Volume bound, released, old;
  bound.name = "pv-1", bound.claim_ns = "coder", bound.claim_name = "home", bound.reclaim_policy = "Delete";
  released.name = "pv-2", released.claim_ns = "attic", released.claim_name = "gone",
  released.phase = "Released";
  released.reclaim_policy = "Retain", released.bytes = 3ll << 30;
  world.users.volumes = {bound, released};
  old.name = "pv-0", old.claim_ns = "coder", old.claim_name = "old", old.reclaim_policy = "Delete",
  old.phase = "Bound";
  old.bytes = 1ll << 30;
  world.users.old_volumes = {old};
  return world;
}

workflow::ClassSurroundings surroundings() {
  workflow::ClassSurroundings around;
  around.driver.name = "csi.truenas.io";
  around.driver.installed = true;
  around.driver.fs_group_policy = "File";
  around.driver.controllers = {{"truenas-csi", "truenas-csi-controller", 1, 1}};
  around.driver.nodes = {"a", "b"};
  around.driver.knows_nodes = true;
  around.old_class_exists = true;
  return around;
}

}  // namespace

TEST_CASE("a review as tables, golden") {
  const auto review = workflow::review(world_with("{parameters: {nfs.mapAllGroup: null, nfs.mapAllUser: "
                                                  "null}, mountOptions: [hard], metadata: {annotations: "
                                                  "{meta.helm.sh/release-name: csi}}}"),
                                       surroundings(), options());
  REQUIRE(review.ok());
  CHECK(
      report::render_class_review(*review, false, true) ==
      "STORAGECLASS      PROVISIONER      RECLAIM   BINDING     EXPANSION   DEFAULT   CLAIMS   VOLUMES   "
      "OWNER\n"
      "truenas-csi-nfs   csi.truenas.io   Delete    Immediate   true        no        1        2         "
      "Helm csi\n"
      "\n"
      "FIELD                        LIVE       WANTED   TO CHANGE           WHAT IT MEANS\n"
      "parameters.nfs.mapAllGroup   (absent)   \"\"       delete and create   new volumes get shares with "
      "all_squash to "
      "root:wheel; as wanted they would get shares with root_squash from the fork build, all_squash to "
      "root:wheel from "
      "an upstream one\n"
      "parameters.nfs.mapAllUser    (absent)   \"\"       delete and create   new volumes get shares with "
      "all_squash to "
      "root:wheel; as wanted they would get shares with root_squash from the fork build, all_squash to "
      "root:wheel from "
      "an upstream one\n"
      "\n"
      "DRIVER           INSTALLED   CONTROLLER                               NODES    FSGROUP POLICY   "
      "ATTACH\n"
      "csi.truenas.io   yes         truenas-csi/truenas-csi-controller 1/1   2/2      File             yes\n"
      "\n"
      "NAMESPACE   DEPENDS ON IT   VOLUME   SIZE     RECLAIM   PHASE\n"
      "attic       volume pv-2     pv-2     3Gi      Retain    Released\n"
      "coder       claim home      pv-1     10Gi     Delete    Bound\n"
      "\n"
      "NAMESPACE   VOLUME OF truenas-nfs   CLAIM    SIZE     RECLAIM   PHASE\n"
      "coder       pv-0                    old      1Gi      Delete    Bound\n"
      "\n"
      "- new volumes are shares with all_squash to root:wheel\n"
      "- without nfs.mapAllUser and nfs.mapAllGroup every user is mapped to root:wheel (all_squash)\n"
      "- nfs.datasetPermissions* are known to the fork build only; an upstream one ignores them silently and "
      "leaves the "
      "root directory at 0755 of root\n"
      "- fsGroupPolicy File: a Pod's fsGroup is applied at every mount: on a share with root_squash such a "
      "Pod fails to "
      "start as soon as a directory is private to its owner\n"
      "- 1 of 1 volume of class truenas-nfs would be destroyed with their claims (reclaim policy Delete)\n"
      "- stays as it is, as the wanted class does not speak of it: mountOptions, annotation "
      "meta.helm.sh/release-name\n");
  CHECK(report::class_review_summary(*review) ==
        "storageclass truenas-csi-nfs differs from the wanted one in 2 fields, 2 of them immutable");
}

TEST_CASE("an absent side has no member in the document, an empty one has") {
  const auto review = workflow::review(world_with("{parameters: {nfs.mapAllUser: null, nfs.hosts: ''}}"),
                                       surroundings(), options());
  REQUIRE(review.ok());
  const json::Value document = report::class_review_document(*review);
  CHECK_FALSE(document.boolean_at("/same", true));
  REQUIRE(document.items_at("/differences").size() == 2);
  CHECK(document.text_at("/differences/0/field") == "parameters.nfs.hosts");
  CHECK(document.at("/differences/0/live") != nullptr);
  CHECK(document.at("/differences/0/wanted") == nullptr);
  CHECK(document.at("/differences/1/live") == nullptr);
  CHECK(document.at("/differences/1/wanted") != nullptr);
  CHECK(document.text_at("/claims/0/name") == "home");
  CHECK(document.integer_at("/driver/controllers/0/readyReplicas") == 1);
  CHECK(document.text_at("/manifest/kind") == "StorageClass");
  // As YAML it can be read back, and says the same.
  auto again = json::parse_yaml(json::write_yaml(document), "test");
  REQUIRE(again.ok());
  CHECK(*again == document);
}

TEST_CASE("what stands out is noted: defaults, a driver that is not there, what may not be read") {
  workflow::ClassSurroundings around = surroundings();
  around.default_classes = {"a", "b"};
  around.driver.installed = false;
  around.driver.nodes_without = {"b"};
  around.driver.controllers[0].ready = 0;
  around.driver.unknown = {"statefulsets: forbidden"};
  around.old_class_exists = false;
  const auto review = workflow::review(world_with("{}"), around, options());
  REQUIRE(review.ok());
  const std::string notes = join(review->notes, "\n");
  for (const char* note :
       {"2 storage classes are marked as default: a, b", "driver csi.truenas.io is not installed",
        "is not registered on b", "truenas-csi/truenas-csi-controller has no ready Pod",
        "unknown: statefulsets", "storageclass truenas-nfs does not exist (any more)"}) {
    CAPTURE(note);
    CHECK(contains(notes, note));
  }
  CHECK(review->same());
}

TEST_CASE("the plan says what each change means and what stays") {
  const workflow::StorageClassWorld world = world_with("{parameters: {pool: OLD}, mountOptions: [hard]}");
  const auto review = workflow::review(world, surroundings(), options());
  REQUIRE(review.ok());
  engine::Plan plan;
  report::describe_class_plan(plan, *review, options());
  CHECK(plan.title == "change storageclass truenas-csi-nfs");
  CHECK(plan.notes[0] ==
        "parameters.pool: \"OLD\" becomes \"SAS\": new volumes get datasets in pool OLD; as wanted they "
        "would get datasets "
        "in pool SAS");
  CHECK(plan.notes[1] == "kept: mountOptions");
}

TEST_CASE("the journal's runs are shown with what is next") {
  workflow::StorageClassWorld world = world_with("{}");
  world.users = {};
  world.runs = {{1, workflow::ClassRun::Way::replace, 0, world.live->object, true, false},
                {2, workflow::ClassRun::Way::restore, 1, json::Value(), false, false}};
  CHECK(report::render_class_status(world, options(), workflow::decide_class(world, options())) ==
        "RUN      WHAT                     OF UID   STATE\n"
        "1        replace                  <none>   complete\n"
        "2        restore (undoes run 1)   <none>   unfinished\n"
        "\n"
        "next: write down that the unfinished run the other way changed nothing\n");
}
