#pragma once
// What was read for a review of workspaces, as plain values.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/coder/live_claim.h"
#include "lib/coder/workspace.h"
#include "lib/storage/volume.h"
#include "lib/workflow/workspace_review/coder_view.h"

namespace truenas::workflow {

struct SiteClaim {
  coder::LiveClaim live;
  std::string uid, phase;  // Pending, Bound, Lost
  bool resizing = false;   // a condition says that the size is being changed
  coder::Workspace workspace;
  coder::FoundBy found_by = coder::FoundBy::name;
  bool contradicts_itself = false;  // labels and name say different workspaces
};

// Somebody who mounts a claim, or would when started.
struct ClaimUse {
  enum class Kind { pod, deployment, stateful_set } kind = Kind::pod;
  std::string name;
  std::string phase, node;   // of a Pod
  bool terminating = false;  // metadata.deletionTimestamp is set
  // Who makes the Pod ("deployment coder-x"), or the Pod itself: two of them are two users of the claim.
  std::string root;
  std::int64_t replicas = 0;  // wanted, of a workload
  bool agent = false;         // carries CODER_AGENT_TOKEN
  coder::Workspace workspace;

  // By Kubernetes only: a Pod that may still write, a workload that wants one.
  bool live() const;
  std::string text() const;  // "pod coder-x (Running on node1)", "deployment coder-x (1 replica)"
};

struct Attachment {
  std::string node;
  bool attached = false;
};

struct SiteVolume : storage::Volume {
  bool terminating = false;  // metadata.deletionTimestamp is set
};

// Whether a service account may delete claims in a namespace; nullopt: it could not be found out.
struct DeleteRight {
  std::string account_ns, account, ns;  // ns "": in all namespaces
  std::optional<bool> allowed;
  std::string unknown;  // why
};

struct SiteClass {
  std::string name, provisioner;
  std::optional<bool> expansion;
  bool is_default = false;
};

using ClaimKey = std::pair<std::string, std::string>;  // namespace, name

struct WorkspaceSite {
  std::map<std::string, SiteClass> classes;
  std::string old_driver, new_driver;
  std::vector<SiteClaim> claims;
  std::map<ClaimKey, std::vector<ClaimUse>> uses;  // of any claim in the namespaces
  std::map<std::string, SiteVolume> volumes;       // of these claims, and those that once were theirs
  std::map<std::string, std::vector<Attachment>> attachments;  // by volume
  std::vector<DeleteRight> delete_rights;
  std::string no_delete_rights;    // why nothing is known of them; "" when there are some
  std::optional<CoderView> coder;  // nullopt: Coder was not asked
  std::string no_coder;            // why it was not; "" when nothing speaks of a Coder
};

}  // namespace truenas::workflow
