// What is read for a review of workspaces: each list once, and of each object only what is looked at.

#include <fmt/format.h>

#include <set>

#include "lib/kube/resource.h"
#include "lib/storage/claim.h"
#include "lib/storage/class_document.h"
#include "lib/workflow/workspace_review.h"
#include "lib/workflow/workspace_review/rights.h"
#include "lib/workflow/workspace_review/select.h"
#include "lib/workflow/workspace_review/uses.h"

namespace truenas::workflow {
namespace {

std::vector<std::string> scopes(const WorkspaceOptions& options) {
  return options.namespaces.empty() ? std::vector<std::string>{""} : options.namespaces;
}

// A page that expired begins the list again: what it has given so far goes into `staged` only.
template <class Staged, class Take>
Result<void> stream(const kube::Reader& reader, const kube::ResourceType& type, const std::string& ns,
                    const kube::ListOptions& list, Staged& staged, const Take& take) {
  kube::ItemSink sink;
  sink.item = [&](json::Value item) -> Result<void> {
    take(item, staged);
    return {};
  };
  sink.restart = [&] { staged = Staged(); };
  TM_TRY(reader.list(type, ns, list, sink));
  return {};
}

Result<void> read_classes(const kube::Reader& reader, const WorkspaceOptions& options, WorkspaceSite& site) {
  kube::ListOptions list;
  list.wanted = {"/metadata/name", "/metadata/annotations", "/provisioner", "/allowVolumeExpansion"};
  using Classes = std::map<std::string, SiteClass>;
  TM_TRY(stream(reader, kube::k_storage_class, "", list, site.classes,
                [](const json::Value& item, Classes& all) {
                  SiteClass one;
                  one.name = item.text_at("/metadata/name");
                  one.provisioner = item.text_at("/provisioner");
                  // Absent is what the API takes for false.
                  one.expansion = item.boolean_at("/allowVolumeExpansion", false);
                  one.is_default = storage::is_default_class(item);
                  all[one.name] = one;
                }));
  const auto provisioner = [&](const std::string& name) {
    const auto found = site.classes.find(name);
    return found == site.classes.end() ? std::string() : found->second.provisioner;
  };
  site.old_driver = provisioner(options.from_class);
  site.new_driver = provisioner(options.to_class);
  return {};
}

Result<void> read_uses(const kube::Reader& reader, const std::string& ns, UsesOfClaims& uses) {
  const auto merge = [&](UsesOfClaims& more) {
    for (auto& [key, list] : more) {
      auto& all = uses[key];
      all.insert(all.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
    }
  };
  kube::ListOptions pods;
  pods.wanted = pod_fields();
  UsesOfClaims read;
  TM_TRY(stream(reader, kube::k_pod, ns, pods, read, add_pod));
  merge(read);
  kube::ListOptions workloads;
  workloads.wanted = workload_fields();
  for (const auto& [type, kind] : {std::pair{kube::k_deployment, ClaimUse::Kind::deployment},
                                   std::pair{kube::k_stateful_set, ClaimUse::Kind::stateful_set}}) {
    UsesOfClaims of_kind;
    TM_TRY(
        stream(reader, type, ns, workloads, of_kind,
               [kind = kind](const json::Value& item, UsesOfClaims& all) { add_workload(item, kind, all); }));
    merge(of_kind);
  }
  return {};
}

std::vector<std::string> claim_fields() {
  std::vector<std::string> fields = coder::live_claim_fields();
  for (const std::string& field : storage::claim_fields()) fields.push_back(field);
  for (const char* field : {"/metadata/labels", "/status/conditions/*/type", "/status/conditions/*/status"}) {
    fields.emplace_back(field);
  }
  return fields;
}

Result<void> read_claims(const kube::Reader& reader, const std::string& ns, const WorkspaceOptions& options,
                         WorkspaceSite& site) {
  kube::ListOptions list;
  list.label_selector = options.selector;
  list.wanted = claim_fields();
  std::vector<SiteClaim> claims;
  TM_TRY(stream(reader, kube::k_claim, ns, list, claims,
                [&](const json::Value& item, std::vector<SiteClaim>& all) {
                  if (auto claim = select_claim(item, site.uses, options)) all.push_back(std::move(*claim));
                }));
  site.claims.insert(site.claims.end(), std::make_move_iterator(claims.begin()),
                     std::make_move_iterator(claims.end()));
  return {};
}

Result<void> read_volumes(const kube::Reader& reader, const WorkspaceOptions& options, WorkspaceSite& site) {
  std::set<std::string> wanted;
  std::set<ClaimKey> claims;
  for (const SiteClaim& claim : site.claims) {
    wanted.insert(claim.live.volume_name);
    claims.insert({claim.live.ns, claim.live.name});
  }
  struct Read {
    std::map<std::string, SiteVolume> volumes;
    std::string old_driver, new_driver;  // of volumes that carry the class, for when the class is gone
  } read;
  kube::ListOptions list;
  list.wanted = storage::volume_fields();
  list.wanted.emplace_back("/metadata/deletionTimestamp");
  TM_TRY(stream(reader, kube::k_volume, "", list, read, [&](const json::Value& item, Read& all) {
    SiteVolume volume{storage::read_volume(item)};
    volume.terminating = !item.text_at("/metadata/deletionTimestamp").empty();
    if (volume.storage_class == options.from_class && all.old_driver.empty()) all.old_driver = volume.driver;
    if (volume.storage_class == options.to_class && all.new_driver.empty()) all.new_driver = volume.driver;
    if (!wanted.contains(volume.name) && !claims.contains({volume.claim_ns, volume.claim_name})) return;
    all.volumes[volume.name] = std::move(volume);
  }));
  site.volumes = std::move(read.volumes);
  if (site.old_driver.empty()) site.old_driver = read.old_driver;
  if (site.new_driver.empty()) site.new_driver = read.new_driver;
  return {};
}

Result<void> read_attachments(const kube::Reader& reader, WorkspaceSite& site) {
  kube::ListOptions list;
  list.wanted = {"/spec/source/persistentVolumeName", "/spec/nodeName", "/status/attached"};
  using Attachments = std::map<std::string, std::vector<Attachment>>;
  return stream(
      reader, kube::k_volume_attachment, "", list, site.attachments,
      [&](const json::Value& item, Attachments& all) {
        const std::string& volume = item.text_at("/spec/source/persistentVolumeName");
        if (!site.volumes.contains(volume)) return;
        all[volume].push_back({item.text_at("/spec/nodeName"), item.boolean_at("/status/attached")});
      });
}

void forget_other_uses(WorkspaceSite& site) {
  UsesOfClaims kept;
  for (const SiteClaim& claim : site.claims) {
    const ClaimKey key{claim.live.ns, claim.live.name};
    if (const auto found = site.uses.find(key); found != site.uses.end())
      kept[key] = std::move(found->second);
  }
  site.uses = std::move(kept);
}

}  // namespace

Result<WorkspaceSite> observe_workspaces(const kube::Reader& reader, const WorkspaceOptions& options) {
  WorkspaceSite site;
  TM_TRY(read_classes(reader, options, site));
  // Who uses claims comes first: it decides which claims are workspaces'.
  for (const std::string& ns : scopes(options)) TM_TRY(read_uses(reader, ns, site.uses));
  for (const std::string& ns : scopes(options)) TM_TRY(read_claims(reader, ns, options, site));
  TM_TRY(keep_named(site.claims, options.names));
  forget_other_uses(site);
  TM_TRY(read_volumes(reader, options, site));
  TM_TRY(read_attachments(reader, site));
  TM_TRY(read_delete_rights(reader, options.coder_ns, site));
  return site;
}

}  // namespace truenas::workflow
