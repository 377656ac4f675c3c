#pragma once
// A site with workspaces as plain values, for the tests of the judgement.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "lib/workflow/workspace_review.h"

namespace truenas::workflow {

struct WorkspaceSiteBuilder {
  WorkspaceSite site;
  WorkspaceOptions options;

  WorkspaceSiteBuilder() {
    site.old_driver = "truenas-nfs", site.new_driver = "csi.truenas.io";
    site.classes["truenas-nfs"] = {"truenas-nfs", "truenas-nfs", true, false};
    site.classes["truenas-csi-nfs"] = {"truenas-csi-nfs", "csi.truenas.io", true, true};
    site.no_delete_rights = "not asked";
  }

  // A claim bound to a volume of the driver that its class has.
  SiteClaim& claim(const std::string& name, const std::string& storage_class = "truenas-nfs") {
    SiteClaim claim;
    claim.live.ns = "ws", claim.live.name = name, claim.live.storage_class = storage_class;
    claim.live.request = claim.live.capacity = "10Gi";
    claim.live.volume_name = "pv-" + name, claim.live.volume_mode = "Filesystem";
    claim.live.access_modes = {"ReadWriteOnce"};
    claim.uid = "uid-" + name, claim.phase = "Bound";
    claim.workspace.owner = "alice", claim.workspace.name = name, claim.workspace.labelled = true;
    claim.found_by = coder::FoundBy::label;
    SiteVolume volume;
    volume.name = claim.live.volume_name, volume.storage_class = storage_class;
    volume.driver = storage_class == "truenas-csi-nfs" ? "csi.truenas.io" : "truenas-nfs";
    volume.reclaim_policy = "Retain", volume.phase = "Bound", volume.bytes = 10ll << 30;
    volume.claim_ns = "ws", volume.claim_name = name, volume.claim_uid = claim.uid;
    site.volumes[volume.name] = volume;
    site.claims.push_back(claim);
    return site.claims.back();
  }
  SiteVolume& volume_of(const std::string& name) { return site.volumes.at("pv-" + name); }

  ClaimUse& pod(const std::string& claim, const std::string& name, const std::string& phase,
                const std::string& root = "") {
    ClaimUse use;
    use.kind = ClaimUse::Kind::pod, use.name = name, use.phase = phase, use.node = "node1", use.agent = true;
    use.root = root.empty() ? "pod " + name : root;
    auto& uses = site.uses[{"ws", claim}];
    uses.push_back(use);
    return uses.back();
  }
  ClaimUse& deployment(const std::string& claim, const std::string& name, std::int64_t replicas) {
    ClaimUse use;
    use.kind = ClaimUse::Kind::deployment, use.name = name, use.replicas = replicas, use.agent = true;
    use.root = "deployment " + name;
    auto& uses = site.uses[{"ws", claim}];
    uses.push_back(use);
    return uses.back();
  }

  WorkspaceReview judge() const { return judge_workspaces(site, options); }
  WorkspaceRow row() const {
    const WorkspaceReview review = judge();
    REQUIRE(review.rows.size() == 1);
    return review.rows.front();
  }
};

// The findings of one check.
inline std::vector<WorkspaceFinding> of_check(const WorkspaceReview& review, const std::string& id) {
  std::vector<WorkspaceFinding> found;
  std::copy_if(review.findings.begin(), review.findings.end(), std::back_inserter(found),
               [&](const WorkspaceFinding& finding) { return finding.id == id; });
  return found;
}

}  // namespace truenas::workflow
