// What would lose a user's data here: calling something moved, or safe, that is not.

#include "lib/workflow/verification.h"

#include <doctest/doctest.h>

using namespace truenas;
using workflow::ClaimVerdict;

namespace {

constexpr const char* k_old = "truenas-nfs";
constexpr const char* k_new = "csi.truenas.io";

struct SiteBuilder {
  workflow::Site site;
  SiteBuilder() {
    site.old_driver = k_old, site.new_driver = k_new;
    site.from_class_exists = site.to_class_exists = true;
  }
  // A claim bound to a volume of `driver`; driver "" leaves it unbound.
  SiteBuilder& claim(const std::string& name, const std::string& storage_class, const std::string& driver,
                     const std::string& policy = "Delete") {
    storage::Claim claim;
    claim.ns = "coder", claim.name = name, claim.storage_class = storage_class, claim.size = "1Gi";
    claim.phase = driver.empty() ? "Pending" : "Bound";
    if (!driver.empty()) {
      claim.volume = "pv-" + name;
      volume(claim.volume, driver, storage_class, policy, "Bound").claim_name = name;
    }
    site.claims.push_back(claim);
    return *this;
  }
  storage::Volume& volume(const std::string& name, const std::string& driver,
                          const std::string& storage_class, const std::string& policy,
                          const std::string& phase) {
    storage::Volume volume;
    volume.name = name, volume.driver = driver, volume.storage_class = storage_class;
    volume.reclaim_policy = policy, volume.phase = phase, volume.claim_ns = "coder";
    volume.dataset = "/mnt/SAS/" + name, volume.bytes = 1 << 30;
    volume.location = {storage::Dataset::Kind::known, "nas", {"SAS/" + name}};
    return site.volumes[name] = volume;
  }
  workflow::Verification judge() const {
    workflow::VerificationOptions options;
    options.namespaces = {"coder"};
    return workflow::judge(site, options);
  }
};

}  // namespace

TEST_CASE("a claim counts as moved only if its class and its volume's driver are the new ones") {
  SiteBuilder builder;
  builder.claim("moved", "truenas-csi-nfs", k_new)
      .claim("old", "truenas-nfs", k_old)
      .claim("old-volume-new-class", "truenas-csi-nfs", k_old)
      .claim("new-volume-old-class", "truenas-nfs", k_new)
      .claim("foreign-volume-new-class", "truenas-csi-nfs", "somebody.else")
      .claim("unbound", "truenas-csi-nfs", "")
      .claim("elsewhere", "longhorn", "driver.longhorn.io");
  const auto result = builder.judge();
  const std::vector<ClaimVerdict> expected = {ClaimVerdict::moved, ClaimVerdict::left, ClaimVerdict::left,
                                              ClaimVerdict::left,  ClaimVerdict::left, ClaimVerdict::left,
                                              ClaimVerdict::other};
  REQUIRE(result.claims.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(result.claims[i].claim.name);
    CHECK(result.claims[i].verdict == expected[i]);
    CHECK(result.claims[i].why.empty() == (expected[i] != ClaimVerdict::left));
  }
  CHECK(result.left() == 5);
}

TEST_CASE("a claim that is being deleted, or whose volume is unknown, is not moved") {
  SiteBuilder builder;
  builder.claim("going", "truenas-csi-nfs", k_new).claim("lost", "truenas-csi-nfs", k_new);
  builder.site.claims[0].terminating = true;
  builder.site.volumes.erase("pv-lost");
  const auto result = builder.judge();
  CHECK(result.claims[0].verdict == ClaimVerdict::left);
  CHECK(result.claims[0].why == "is being deleted");
  CHECK(result.claims[1].verdict == ClaimVerdict::left);
  CHECK(result.left() == 2);
}

TEST_CASE("a claim of another class on the old driver's volume is left, not somebody else's") {
  SiteBuilder builder;
  builder.claim("renamed", "nfs-old-name", k_old);
  CHECK(builder.judge().claims[0].verdict == ClaimVerdict::left);
}

TEST_CASE("nothing counts as moved while the new driver is unknown") {
  SiteBuilder builder;
  builder.claim("a", "truenas-csi-nfs", k_new);
  builder.site.new_driver = "";
  builder.site.to_class_exists = false;
  const auto result = builder.judge();
  CHECK(result.claims[0].verdict == ClaimVerdict::left);
  REQUIRE(result.notes.size() == 1);
  CHECK(result.notes[0] == "storageclass truenas-csi-nfs does not exist");
}

TEST_CASE("a Role that a move left without its rights is something left; not being able to look is said") {
  SiteBuilder builder;
  builder.site.frozen_roles = {"role coder-workspaces/perms: its rights are taken"};
  CHECK(builder.judge().left() == 1);
  builder.site.frozen_roles.clear();
  builder.site.frozen_unknown = "roles are forbidden";
  const workflow::Verification verification = builder.judge();
  CHECK(verification.left() == 0);
  CHECK(verification.notes.back() ==
        "whether a move has left Coder without its rights is not known: roles are forbidden");
}

TEST_CASE("what is known about the new class is said, with its date") {
  SiteBuilder builder;
  const auto note = [&] { return builder.judge().notes.at(0); };
  CHECK(note() ==
        "storageclass truenas-csi-nfs was never probed: kubectl truenas-migrate storageclass --probe");
  builder.site.probe.unknown = "configmaps is forbidden";
  CHECK(note() ==
        "whether storageclass truenas-csi-nfs was ever probed is not known: configmaps is forbidden");
  builder.site.probe.unknown = "";
  builder.site.probe.newest.emplace();
  builder.site.probe.newest->time = "2026-11-22T13:28:34.123456Z";
  builder.site.probe.newest->verdict = "all_squash(root)";
  CHECK(note() == "storageclass truenas-csi-nfs: all_squash(root), probed 2026-11-22T13:28:34Z");
  CHECK(builder.judge().probe.newest->verdict == "all_squash(root)");
  CHECK(builder.judge().left() == 0);
}

TEST_CASE(
    "an old volume is kept only while it is Retain, also where another volume has adopted its dataset") {
  SiteBuilder builder;
  builder.volume("kept", k_old, "truenas-nfs", "Retain", "Released").kept = true;
  builder.volume("doomed", k_old, "truenas-nfs", "Delete", "Released").kept = true;
  builder.volume("shared", k_old, "truenas-nfs", "Retain", "Released").location.paths = {"SAS/pv-user"};
  builder.volume("not-ours", k_old, "truenas-nfs", "Retain", "Released");
  builder.volume("other-namespace", k_old, "truenas-nfs", "Delete", "Released").claim_ns = "elsewhere";
  builder.claim("user", "truenas-csi-nfs", k_new, "Retain");
  const auto result = builder.judge();
  CHECK(result.shared_datasets.empty());
  std::map<std::string, std::pair<bool, std::string>> seen;
  for (const auto& finding : result.old_volumes) seen[finding.volume.name] = {finding.alarm, finding.why};
  CHECK(seen.size() == 4);
  CHECK(seen["kept"] == std::pair<bool, std::string>{false, "kept"});
  CHECK(seen["doomed"].first);
  CHECK(seen["doomed"].second == "reclaim policy is Delete: its data will be deleted");
  CHECK(seen["shared"] ==
        std::pair<bool, std::string>{false, "Retain; its dataset is in use by volume pv-user"});
  CHECK(seen["not-ours"] == std::pair<bool, std::string>{false, "Retain, but not kept by this tool"});
  CHECK(result.left() == 1);
}

TEST_CASE("a volume that would destroy another one's dataset is an alarm, whichever of the two it is") {
  SiteBuilder builder;
  builder.claim("adopted", "truenas-csi-nfs", k_new, "Retain");
  storage::Volume& old = builder.volume("old", k_old, "truenas-nfs", "Delete", "Released");
  old.kept = true;
  old.location.paths = {"SAS/pv-adopted"};
  // The loaded gun: the old volume put back to Delete.
  auto result = builder.judge();
  REQUIRE(result.shared_datasets.size() == 1);
  CHECK(result.shared_datasets[0].volume.name == "old");
  CHECK(storage::describe(result.shared_datasets[0].other) ==
        "persistentvolume pv-adopted (Bound, coder/adopted) is on the same dataset");
  CHECK(result.alarms() == 1);
  CHECK(result.left() == 1);

  // The adopted one says Delete while the old one is kept.
  builder.site.volumes["old"].reclaim_policy = "Retain";
  builder.site.volumes["pv-adopted"].reclaim_policy = "Delete";
  result = builder.judge();
  REQUIRE(result.shared_datasets.size() == 1);
  CHECK(result.shared_datasets[0].volume.name == "pv-adopted");
  CHECK(result.left() == 1);

  // Neither: green.
  builder.site.volumes["pv-adopted"].reclaim_policy = "Retain";
  CHECK(builder.judge().left() == 0);

  // A name and an address may be one server; a dataset inside dies too.
  builder.site.volumes["old"].reclaim_policy = "Recycle";
  builder.site.volumes["old"].location.server = "10.0.0.5";
  CHECK(builder.judge().shared_datasets.size() == 1);
  builder.site.volumes["old"].location.paths = {"SAS"};
  CHECK(builder.judge().shared_datasets.size() == 1);
}

TEST_CASE("what is no alarm: two datasets, an unknown one, a volume nobody uses, and other namespaces") {
  SiteBuilder builder;
  builder.claim("a", "truenas-csi-nfs", k_new).claim("b", "truenas-csi-nfs", k_new);
  builder.volume("unknown", "driver.longhorn.io", "longhorn", "Delete", "Bound").location = {};
  builder.volume("idle", "", "", "Retain", "Available").location.paths = {"SAS/pv-a"};
  storage::Volume& probe = builder.volume("probe", k_new, "truenas-csi-nfs", "Retain", "Bound");
  probe.probe = true, probe.location.paths = {"SAS/pv-b"};
  storage::Volume& parent = builder.volume("backup", "", "", "Retain", "Bound");
  parent.location.paths = {"SAS"};
  for (const char* name : {"elsewhere-1", "elsewhere-2"}) {
    storage::Volume& other = builder.volume(name, k_new, "truenas-csi-nfs", "Delete", "Bound");
    other.claim_ns = "elsewhere", other.location.paths = {"SAS/elsewhere"};
  }
  const auto result = builder.judge();
  CHECK(result.shared_datasets.empty());
  CHECK(result.alarms() == 0);
  CHECK(result.left() == 0);
}

TEST_CASE("a database is moved only when its spec and every claim are on the new class") {
  cnpg::ClusterState cluster;
  cluster.ns = "coder", cluster.name = "db", cluster.instances = 1;
  cluster.storage.push_back({"/spec/storage", "truenas-csi-nfs", false});
  cnpg::InstanceClaim claim;
  claim.name = claim.instance = "db-1", claim.storage_class = "truenas-csi-nfs", claim.phase = "Bound";
  cluster.claims.push_back(claim);
  SiteBuilder builder;
  builder.site.clusters = {cluster};
  CHECK(builder.judge().clusters[0].moved);
  SUBCASE("an old claim") {
    builder.site.clusters[0].claims[0].storage_class = "truenas-nfs";
  }
  SUBCASE("an old setting") {
    builder.site.clusters[0].storage[0].storage_class = "truenas-nfs";
  }
  const auto result = builder.judge();
  const bool changed = builder.site.clusters[0].claims[0].storage_class == "truenas-nfs" ||
                       builder.site.clusters[0].storage[0].storage_class == "truenas-nfs";
  CHECK(result.clusters[0].moved != changed);
  // An empty cluster (no status yet) is never healthy: unknown is not well.
  CHECK_FALSE(result.clusters[0].healthy);
  CHECK(result.left() == 1);
}
