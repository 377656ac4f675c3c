// The checks CK1 to CK12: that nothing which would destroy a home goes unsaid.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "tests/unit/workflow/workspace_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("CK1: a claim that is being deleted is an alarm, and its volume is to be kept first") {
  WorkspaceSiteBuilder builder;
  builder.claim("a", "truenas-csi-nfs").live.terminating = true;
  builder.volume_of("a").reclaim_policy = "Delete";
  builder.pod("a", "p", "Running");
  auto review = builder.judge();
  CHECK(review.rows[0].verdict == WorkspaceVerdict::refused);
  CHECK(review.rows[0].why == "is being deleted");
  auto found = of_check(review, "CK1");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::alarm);
  CHECK(contains(found[0].consequence, "when the last Pod that mounts it ends, and its data with it"));
  CHECK(found[0].action ==
        "kubectl patch persistentvolume pv-a -p '{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Retain\"}}'");
  CHECK(review.findings.front().id == "CK1");
  builder.volume_of("a").reclaim_policy = "Retain";
  CHECK(contains(of_check(builder.judge(), "CK1").at(0).consequence,
                 "its data stays on persistentvolume pv-a only"));
}

TEST_CASE("CK1: a volume that is being deleted is an alarm too, also of a moved claim") {
  WorkspaceSiteBuilder builder;
  builder.claim("a", "truenas-csi-nfs");
  builder.volume_of("a").terminating = true;
  const auto review = builder.judge();
  CHECK(of_check(review, "CK1").size() == 1);
  CHECK(review.left() == 1);
  WorkspaceSiteBuilder old;
  old.claim("a");
  old.volume_of("a").terminating = true;
  CHECK(old.row().verdict == WorkspaceVerdict::refused);
}

TEST_CASE("CK2: a volume that goes with its claim is a warning until it is moved") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.claim("b", "truenas-csi-nfs");
  builder.volume_of("a").reclaim_policy = builder.volume_of("b").reclaim_policy = "Delete";
  const auto found = of_check(builder.judge(), "CK2");
  REQUIRE(found.size() == 1);
  CHECK(found[0].claim == "a");
  CHECK(found[0].severity == Severity::warning);
  CHECK(contains(found[0].action, "kubectl patch persistentvolume pv-a "));
}

TEST_CASE("CK4: a request that is not the capacity is said, one that is being changed is refused") {
  WorkspaceSiteBuilder builder;
  builder.claim("a").live.capacity = "20Gi";
  auto found = of_check(builder.judge(), "CK4");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::note);
  CHECK(contains(found[0].consequence, "must ask for 10Gi again"));
  builder.site.claims[0].live.request = "30Gi";
  CHECK(of_check(builder.judge(), "CK4").at(0).severity == Severity::warning);
  builder.site.claims[0].resizing = true;
  CHECK(builder.row().verdict == WorkspaceVerdict::refused);
  CHECK(builder.row().why == "its size is being changed");
  // 10240Mi are 10Gi.
  WorkspaceSiteBuilder same;
  same.claim("a").live.request = "10240Mi";
  CHECK(of_check(same.judge(), "CK4").empty());
}

TEST_CASE("CK5: modes that templates do not have, and a class that cannot grow") {
  WorkspaceSiteBuilder builder;
  builder.claim("a").live.access_modes = {"ReadWriteMany"};
  CHECK(of_check(builder.judge(), "CK5").at(0).claim == "a");
  builder.site.classes["truenas-csi-nfs"].expansion = false;
  const auto found = of_check(builder.judge(), "CK5");
  REQUIRE(found.size() == 2);
  CHECK(found[1].subject == "storageclass truenas-csi-nfs");
  builder.site.classes["truenas-nfs"].expansion = false;
  CHECK(of_check(builder.judge(), "CK5").size() == 1);
}

TEST_CASE("CK6: a moved claim that asks for more than its old volume had is an alarm") {
  WorkspaceSiteBuilder builder;
  builder.claim("a", "truenas-csi-nfs").live.request = "20Gi";
  SiteVolume old = builder.volume_of("a");
  old.name = "pv-old", old.driver = "truenas-nfs", old.storage_class = "truenas-nfs", old.phase = "Released";
  builder.site.volumes["pv-old"] = old;
  const auto review = builder.judge();
  REQUIRE(of_check(review, "CK6").size() == 1);
  CHECK(of_check(review, "CK6")[0].severity == Severity::alarm);
  CHECK(review.rows[0].verdict == WorkspaceVerdict::done);
  CHECK(review.left() == 1);
  builder.site.claims[0].live.request = "10Gi";
  CHECK(of_check(builder.judge(), "CK6").empty());
}

TEST_CASE("CK7: a claim that two parties use is refused, also while neither runs") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.deployment("a", "coder-a", 0);
  builder.deployment("a", "coder-b", 0);
  CHECK(builder.row().verdict == WorkspaceVerdict::refused);
  CHECK(builder.row().why == "is used by deployment coder-a and deployment coder-b");
  CHECK(of_check(builder.judge(), "CK7").size() == 1);
}

TEST_CASE("CK7: a backup's Pod beside the workspace's own is a second party until it has ended") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.deployment("a", "coder-a", 1);
  builder.pod("a", "coder-a-5d9f8-x", "Running", "deployment coder-a");
  builder.pod("a", "backup-x", "Running", "job backup").agent = false;
  CHECK(builder.row().verdict == WorkspaceVerdict::refused);
  builder.site.uses.begin()->second.back().phase = "Succeeded";
  CHECK(builder.row().verdict == WorkspaceVerdict::running);
  CHECK(of_check(builder.judge(), "CK7").empty());
}

TEST_CASE("CK7: a second Pod of the same Deployment is said, its predecessor on the way out is not") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.pod("a", "coder-a-1", "Running", "deployment coder-a").terminating = true;
  builder.pod("a", "coder-a-2", "Running", "deployment coder-a");
  CHECK(of_check(builder.judge(), "CK7").empty());
  builder.pod("a", "coder-a-3", "Pending", "deployment coder-a");
  CHECK(contains(of_check(builder.judge(), "CK7").at(0).consequence, "2 Pods of deployment coder-a"));
}

TEST_CASE("CK8: a claim without labels is said to be known by its name only") {
  WorkspaceSiteBuilder builder;
  builder.claim("a").workspace.labelled = false;
  CHECK(of_check(builder.judge(), "CK8").at(0).severity == Severity::note);
  builder.site.claims[0].contradicts_itself = true;
  CHECK(of_check(builder.judge(), "CK8").at(0).severity == Severity::warning);
}

TEST_CASE("CK9 and the next build are said to be unchecked, never to be well") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  const auto review = builder.judge();
  std::vector<std::string> ids;
  for (const auto& check : review.unchecked) ids.push_back(check.id);
  CHECK(ids == std::vector<std::string>{"CK10", "CK9", "CC1"});
  CHECK(review.rows[0].fate.unknown == "no template was given");
  builder.site.claims.clear();
  CHECK(contains(builder.judge().notes.back(), "no claim of a workspace was found"));
}

TEST_CASE("CK10: what Coder's account may do is said; what could not be asked is unknown") {
  WorkspaceSiteBuilder builder;
  builder.claim("a");
  builder.site.no_delete_rights = "";
  builder.site.delete_rights = {{"coder", "coder", "ws", true, ""}};
  auto found = of_check(builder.judge(), "CK10");
  REQUIRE(found.size() == 1);
  CHECK(found[0].action ==
        "kubectl auth can-i delete persistentvolumeclaims -n ws --as=system:serviceaccount:coder:coder");
  builder.site.delete_rights = {{"coder", "coder", "ws", false, ""}};
  CHECK(of_check(builder.judge(), "CK10").empty());
  builder.site.delete_rights = {{"coder", "coder", "ws", std::nullopt, "forbidden"}};
  CHECK(of_check(builder.judge(), "CK10").empty());
  CHECK(contains(builder.judge().unchecked.at(0).why, "is not known: forbidden"));
}

TEST_CASE("CK11: a prebuild is skipped and said so") {
  WorkspaceSiteBuilder builder;
  builder.claim("a").workspace.owner = "prebuilds";
  const auto review = builder.judge();
  CHECK(review.rows[0].verdict == WorkspaceVerdict::skipped);
  CHECK(of_check(review, "CK11").size() == 1);
  CHECK(review.left() == 0);
}

TEST_CASE("CK12: a home that the usual pattern misses is said") {
  WorkspaceSiteBuilder builder;
  builder.claim("coder-x-home");
  builder.claim("coder-x-workspaces");
  builder.claim("erin-erin-home");
  const auto found = of_check(builder.judge(), "CK12");
  REQUIRE(found.size() == 2);
  CHECK(found[0].claim == "coder-x-workspaces");
}

TEST_CASE("alarms come first, whichever claim they are of") {
  WorkspaceSiteBuilder builder;
  for (int i = 0; i < 5; ++i) builder.claim(fmt::format("c{}", i));
  builder.site.claims[4].live.terminating = true;
  builder.volume_of("c0").reclaim_policy = "Delete";
  const auto review = builder.judge();
  CHECK(review.findings.front().claim == "c4");
  for (std::size_t i = 1; i < review.findings.size(); ++i) {
    CHECK(review.findings[i - 1].severity >= review.findings[i].severity);
  }
}
