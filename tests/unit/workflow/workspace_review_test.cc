// What would lose a user's home here: calling one ready that something writes to, one done that is not, one
// nobody's that is somebody's, or not saying that one is about to be destroyed.

#include "lib/base/text.h"
#include "tests/unit/workflow/workspace_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("a claim that nothing uses is ready, one on the new class and driver is done") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.claim("b", "truenas-csi-nfs");
  const auto review = builder.judge();
  CHECK(review.rows[0].verdict == WorkspaceVerdict::ready);
  CHECK(review.rows[1].verdict == WorkspaceVerdict::done);
  CHECK(review.left() == 1);
  CHECK(review.count(Severity::alarm) == 0);
  CHECK(review.count(Severity::warning) == 0);
}

TEST_CASE("a Pod of any phase but an ended one keeps a claim from being ready") {
  for (const std::string phase : {"Pending", "Running", "Unknown", "", "Strange"}) {
    CAPTURE(phase);
    WorkspaceSiteBuilder builder;
    builder.claim("a");
    builder.pod("a", "p", phase);
    CHECK(builder.row().verdict == WorkspaceVerdict::running);
    CHECK(builder.row().running);
    CHECK(of_check(builder.judge(), "CK3").size() == 1);
  }
  for (const std::string phase : {"Succeeded", "Failed"}) {
    CAPTURE(phase);
    WorkspaceSiteBuilder builder;
    builder.claim("a");
    builder.pod("a", "p", phase);
    CHECK(builder.row().verdict == WorkspaceVerdict::ready);
    builder.site.uses.begin()->second.front().terminating = true;
    CHECK(builder.row().verdict == WorkspaceVerdict::running);
  }
}

TEST_CASE("a Deployment without replicas is no proof that nothing runs") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.deployment("a", "coder-a", 0);
  CHECK(builder.row().verdict == WorkspaceVerdict::ready);
  builder.pod("a", "coder-a-5d9f8-x", "Running", "deployment coder-a");
  CHECK(builder.row().verdict == WorkspaceVerdict::running);
  CHECK(contains(builder.row().why, "pod coder-a-5d9f8-x (Running on node1)"));
}

TEST_CASE("a Deployment that wants a replica runs, also while it has no Pod") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.deployment("a", "coder-a", 1);
  CHECK(builder.row().verdict == WorkspaceVerdict::running);
  CHECK(builder.row().why == "deployment coder-a (1 replica)");
  const auto found = of_check(builder.judge(), "CK3");
  REQUIRE(found.size() == 1);
  CHECK(found[0].action == "coder stop alice/a");
}

TEST_CASE("a volume that is still attached is not ready, whatever the Pods say") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.site.attachments["pv-a"].push_back({"node7", true});
  CHECK(builder.row().verdict == WorkspaceVerdict::running);
  CHECK(builder.row().why == "its volume is still attached to node node7");
  CHECK(contains(of_check(builder.judge(), "CK3").at(0).consequence, "node7"));
}

TEST_CASE("class and driver must agree before anything counts as done or ready") {
  WorkspaceSiteBuilder builder;
  builder.claim("a", "truenas-csi-nfs");
  builder.volume_of("a").driver = "truenas-nfs";
  CHECK(builder.row().verdict == WorkspaceVerdict::refused);
  builder.volume_of("a").driver = "";
  CHECK(builder.row().verdict == WorkspaceVerdict::refused);
  WorkspaceSiteBuilder old;
  old.claim("a");
  old.volume_of("a").driver = "csi.truenas.io";
  CHECK(old.row().verdict == WorkspaceVerdict::refused);
  // A class of another name on the old driver is left, not somebody else's.
  WorkspaceSiteBuilder renamed;
  renamed.claim("a", "nfs-old-name");
  renamed.volume_of("a").driver = "truenas-nfs";
  CHECK(renamed.row().verdict == WorkspaceVerdict::ready);
}

TEST_CASE("nothing is done while the new driver is unknown, nor ready without the new class") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.claim("b", "truenas-csi-nfs");
  builder.site.classes.erase("truenas-csi-nfs");
  builder.site.new_driver = "";
  const auto review = builder.judge();
  CHECK(review.rows[0].verdict == WorkspaceVerdict::refused);
  CHECK(review.rows[0].why == "storageclass truenas-csi-nfs does not exist");
  CHECK(review.rows[1].verdict == WorkspaceVerdict::refused);
}

TEST_CASE("what is not bound, or bound to what is not its own, is refused") {
  WorkspaceSiteBuilder builder;
  SiteClaim& claim = builder.claim("a");
  SUBCASE("pending") {
    claim.phase = "Pending";
  }
  SUBCASE("lost") {
    claim.phase = "Lost";
  }
  SUBCASE("without volume") {
    builder.site.volumes.clear();
  }
  SUBCASE("another claim's volume") {
    builder.volume_of("a").claim_name = "b";
  }
  SUBCASE("the volume of an earlier claim of that name") {
    builder.volume_of("a").claim_uid = "older";
  }
  SUBCASE("a block volume") {
    claim.live.volume_mode = "Block";
  }
  CHECK(builder.row().verdict == WorkspaceVerdict::refused);
  CHECK(builder.row().why != "");
  CHECK(builder.judge().left() == 1);
}

TEST_CASE("another class on another driver is not this migration's") {
  WorkspaceSiteBuilder builder;
  builder.claim("a", "longhorn");
  builder.volume_of("a").driver = "driver.longhorn.io";
  CHECK(builder.row().verdict == WorkspaceVerdict::skipped);
  CHECK(builder.row().why == "is of class longhorn");
  CHECK(builder.judge().left() == 0);
}
