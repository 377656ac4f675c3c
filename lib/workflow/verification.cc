#include "lib/workflow/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/cnpg/cluster_reader.h"
#include "lib/workflow/build_freeze.h"
#include "lib/workflow/verification_volumes.h"

namespace truenas::workflow {
namespace {

Result<void> read_classes(const kube::Reader& reader, const VerificationOptions& options, Site& site) {
  TM_TRY_ASSIGN(const auto from, reader.find(kube::k_storage_class, "", options.from_class));
  TM_TRY_ASSIGN(const auto to, reader.find(kube::k_storage_class, "", options.to_class));
  site.from_class_exists = from.has_value();
  site.to_class_exists = to.has_value();
  if (from) site.old_driver = from->text_at("/provisioner");
  if (!to) return {};
  site.new_driver = to->text_at("/provisioner");
  site.probe = read_recorded_probe(reader, options.class_journal_ns, options.to_class,
                                   kube::identity_of(*to).uid, system_clock());
  return {};
}

std::string note_on_class(const Site& site, const std::string& name) {
  if (!site.to_class_exists) return fmt::format("storageclass {} does not exist", name);
  if (!site.probe.unknown.empty()) {
    return fmt::format("whether storageclass {} was ever probed is not known: {}", name, site.probe.unknown);
  }
  if (site.probe.newest) return fmt::format("storageclass {}: {}", name, site.probe.newest->text());
  return fmt::format("storageclass {} was never probed: kubectl truenas-migrate storageclass --probe{}", name,
                     name == "truenas-csi-nfs" ? "" : " --class=" + name);
}

// One entry a namespace, or one "" for all of them.
std::vector<std::string> scopes(const VerificationOptions& options) {
  return options.namespaces.empty() ? std::vector<std::string>{""} : options.namespaces;
}

Result<void> read_claims(const kube::Reader& reader, const std::string& ns,
                         std::vector<storage::Claim>& claims) {
  const std::size_t before = claims.size();
  kube::ListOptions list;
  list.wanted = storage::claim_fields();
  kube::ItemSink sink;
  sink.item = [&](const json::Value& item) -> Result<void> {
    claims.push_back(storage::read_claim(item));
    return {};
  };
  sink.restart = [&] { claims.resize(before); };
  TM_TRY(reader.list(kube::k_claim, ns, list, sink));
  return {};
}

Result<void> read_volumes(const kube::Reader& reader, std::map<std::string, storage::Volume>& volumes) {
  kube::ListOptions list;
  list.wanted = storage::volume_fields();
  kube::ItemSink sink;
  sink.item = [&](const json::Value& item) -> Result<void> {
    storage::Volume volume = storage::read_volume(item);
    volumes[volume.name] = std::move(volume);
    return {};
  };
  sink.restart = [&] { volumes.clear(); };
  TM_TRY(reader.list(kube::k_volume, "", list, sink));
  return {};
}

Result<void> read_clusters(const kube::Reader& reader, const std::string& ns,
                           std::vector<cnpg::ClusterState>& clusters) {
  const auto listed = reader.list(kube::k_cluster, ns);
  if (!listed.ok()) {
    // 404 on a collection: the resource type is not served, so there can be no Cluster.
    if (listed.error().kind == Kind::not_found) return {};
    return listed.error();
  }
  for (const json::Value& item : *listed) {
    const kube::Identity identity = kube::identity_of(item);
    TM_TRY_ASSIGN(cnpg::ClusterState state, cnpg::read_cluster(reader, identity.ns, identity.name));
    clusters.push_back(std::move(state));
  }
  return {};
}

// The driver of the volumes that carry this class, for when the class itself is gone already.
std::string driver_by_volumes(const std::map<std::string, storage::Volume>& volumes,
                              const std::string& storage_class) {
  for (const auto& [name, volume] : volumes) {
    if (volume.storage_class == storage_class && !volume.driver.empty()) return volume.driver;
  }
  return "";
}

ClaimFinding judge_claim(const storage::Claim& claim, const Site& site, const VerificationOptions& options) {
  ClaimFinding finding;
  finding.claim = claim;
  const auto volume = site.volumes.find(claim.volume);
  if (volume != site.volumes.end()) {
    finding.driver = volume->second.driver;
    finding.reclaim_policy = volume->second.reclaim_policy;
  }
  const bool old_volume = !finding.driver.empty() && finding.driver == site.old_driver;
  const bool new_volume = !finding.driver.empty() && finding.driver == site.new_driver;
  if (claim.storage_class == options.to_class && new_volume && claim.phase == "Bound" && !claim.terminating) {
    finding.verdict = ClaimVerdict::moved;
    return finding;
  }
  if (claim.storage_class != options.to_class && claim.storage_class != options.from_class && !old_volume) {
    finding.verdict = ClaimVerdict::other;
    return finding;
  }
  finding.verdict = ClaimVerdict::left;
  if (claim.terminating) {
    finding.why = "is being deleted";
  } else if (claim.storage_class == options.from_class) {
    finding.why = "is on the old class";
  } else if (claim.phase != "Bound" || finding.driver.empty()) {
    finding.why = fmt::format("is {}", claim.phase.empty() ? "not bound" : claim.phase);
  } else {
    finding.why = fmt::format("its volume was made by driver {}", finding.driver);
  }
  return finding;
}

ClusterFinding judge_cluster(const cnpg::ClusterState& cluster, const VerificationOptions& options) {
  ClusterFinding finding;
  finding.ns = cluster.ns, finding.name = cluster.name;
  finding.instances = cluster.instances, finding.ready = cluster.ready_instances;
  finding.phase = cluster.phase, finding.primary = cluster.current_primary;
  finding.problems = cnpg::unhealthy_because(cluster);
  finding.healthy = finding.problems.empty();
  finding.moved = true;
  for (const cnpg::StorageSetting& setting : cluster.storage) {
    finding.classes.push_back(setting.storage_class);
    if (setting.storage_class != options.to_class) {
      finding.moved = false;
      finding.problems.push_back(fmt::format("{} asks for class {}", setting.pointer, setting.storage_class));
    }
  }
  for (const cnpg::InstanceClaim& claim : cluster.claims) {
    if (claim.storage_class == options.to_class) continue;
    finding.moved = false;
    finding.problems.push_back(fmt::format("claim {} is on class {}", claim.name, claim.storage_class));
  }
  return finding;
}

}  // namespace

std::size_t Verification::alarms() const {
  std::set<std::string> volumes;
  for (const OldVolumeFinding& finding : old_volumes) {
    if (finding.alarm) volumes.insert(finding.volume.name);
  }
  for (const SharedDatasetFinding& finding : shared_datasets) volumes.insert(finding.volume.name);
  return volumes.size() + frozen_roles.size();
}

std::size_t Verification::left() const {
  const auto claim_left = std::count_if(
      claims.begin(), claims.end(), [](const ClaimFinding& f) { return f.verdict == ClaimVerdict::left; });
  const auto cluster_left = std::count_if(clusters.begin(), clusters.end(),
                                          [](const ClusterFinding& f) { return !f.moved || !f.healthy; });
  return static_cast<std::size_t>(claim_left + cluster_left) + alarms();
}

Result<Site> observe_site(const kube::Reader& reader, const VerificationOptions& options) {
  Site site;
  TM_TRY(read_classes(reader, options, site));
  for (const std::string& ns : scopes(options)) TM_TRY(read_claims(reader, ns, site.claims));
  TM_TRY(read_volumes(reader, site.volumes));
  for (const std::string& ns : scopes(options)) TM_TRY(read_clusters(reader, ns, site.clusters));
  for (const std::string& ns : scopes(options)) {
    auto frozen = find_left_freezes(reader, ns, system_clock());
    if (!frozen.ok() && frozen.error().kind != Kind::auth) return std::move(frozen).take_error();
    if (!frozen.ok()) {
      site.frozen_unknown = frozen.error().what;
      continue;
    }
    for (const LeftFreeze& left : *frozen) {
      site.frozen_roles.push_back(
          fmt::format("role {}/{}: {}; run the same command again for these claims, or: {}", left.ns,
                      left.name, left.why, left.command));
    }
  }
  if (site.old_driver.empty()) site.old_driver = driver_by_volumes(site.volumes, options.from_class);
  if (site.new_driver.empty()) site.new_driver = driver_by_volumes(site.volumes, options.to_class);
  return site;
}

Verification judge(const Site& site, const VerificationOptions& options) {
  Verification result;
  result.from_class = options.from_class, result.to_class = options.to_class;
  result.old_driver = site.old_driver, result.new_driver = site.new_driver;
  result.namespaces = options.namespaces;
  result.probe = site.probe;
  result.notes.push_back(note_on_class(site, options.to_class));
  for (const storage::Claim& claim : site.claims) result.claims.push_back(judge_claim(claim, site, options));
  for (const cnpg::ClusterState& cluster : site.clusters) {
    const bool concerned =
        std::any_of(cluster.storage.begin(), cluster.storage.end(),
                    [&](const auto& setting) {
                      return setting.storage_class == options.from_class ||
                             setting.storage_class == options.to_class;
                    }) ||
        std::any_of(cluster.claims.begin(), cluster.claims.end(), [&](const auto& claim) {
          return claim.storage_class == options.from_class || claim.storage_class == options.to_class;
        });
    if (concerned) result.clusters.push_back(judge_cluster(cluster, options));
  }
  result.frozen_roles = site.frozen_roles;
  if (!site.frozen_unknown.empty()) {
    result.notes.push_back("whether a move has left Coder without its rights is not known: " +
                           site.frozen_unknown);
  }
  result.old_volumes = judge_old_volumes(site, options);
  result.shared_datasets = judge_shared_datasets(site, options);
  return result;
}

}  // namespace truenas::workflow
