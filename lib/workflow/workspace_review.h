#pragma once
// WorkspaceReview: every workspace's claims, whose they are, whether something uses them now, whether they
// can be moved, and what would endanger the data on them. observe_workspaces() reads, judge_workspaces() is
// pure. It changes nothing; "could not look" is an error or said as unknown, never taken for absent.

#include <optional>
#include <string>
#include <vector>

#include "lib/coder/name_pattern.h"
#include "lib/kube/permission.h"
#include "lib/kube/reader.h"
#include "lib/workflow/workspace_review/fate.h"
#include "lib/workflow/workspace_review/site.h"

namespace truenas::workflow {

struct WorkspaceOptions {
  std::vector<std::string> namespaces;  // empty: all
  // Claim, workspace, "owner/workspace" or id, each exactly. A claim that is named is shown whatever it is.
  std::vector<std::string> names;
  std::optional<coder::NamePattern> name_pattern;  // of claims; what it matches counts as a workspace's
  std::string selector;                            // label selector of claims
  std::string from_class = "truenas-nfs";
  std::string to_class = "truenas-csi-nfs";
  std::string coder_ns = "coder";  // where Coder itself runs
  std::vector<TemplateText> templates;
};

enum class Severity { note, warning, alarm };

// A row of the danger table. Ids are those of facts/coder.md 2.6: CK1 … CK12 by Kubernetes, CC… with a
// template or with Coder's API.
struct WorkspaceFinding {
  std::string id;
  Severity severity = Severity::note;
  std::string ns, claim;    // "" where it is not about one claim
  std::string subject;      // what it is about then: "storageclass truenas-csi-nfs"
  std::string consequence;  // one sentence without a full stop
  std::string action;       // a command that can be run, or what to do in Coder; "" for nothing
};

// ready: nothing uses it, it can be moved. running: something uses it. refused: it cannot be moved as it is.
// done: on the new class, on a volume that the new driver made. skipped: not for this migration.
enum class WorkspaceVerdict { ready, running, refused, done, skipped };

struct WorkspaceRow {
  SiteClaim claim;
  std::string driver, reclaim_policy;  // of its volume; "" when it has none
  std::vector<ClaimUse> uses;          // live ones first
  bool running = false;                // by Kubernetes only
  WorkspaceVerdict verdict = WorkspaceVerdict::refused;
  std::string why;                                 // one clause; "" for ready and done
  ClaimFate fate;                                  // of the next build of its own accord
  std::optional<coder::ServerWorkspace> at_coder;  // nullopt: Coder was not asked, or does not know it
  std::optional<ClaimFate> update;                 // of an update, where that uses another version
};

// A check that could not be made, and what it would take.
struct Unchecked {
  std::string id, why;
};

struct WorkspaceReview {
  std::string from_class, to_class, old_driver, new_driver;  // drivers "" when unknown
  std::vector<std::string> namespaces;
  std::vector<WorkspaceRow> rows;          // by namespace and claim
  std::vector<WorkspaceFinding> findings;  // alarms first, then by row
  std::vector<Unchecked> unchecked;
  std::vector<std::string> notes;
  std::string coder_url;  // "" where Coder was not asked
  std::size_t count(WorkspaceVerdict verdict) const;
  std::size_t count(Severity severity) const;
  // Workspace claims that are not on the new class yet, and alarms: what makes the exit code 3.
  std::size_t left() const;
};

// Each list is read once, whatever the number of workspaces. Any list that cannot be read is an error (403:
// Kind::auth). Kind::not_found, with the nearest one as a hint, for a name that fits no claim.
Result<WorkspaceSite> observe_workspaces(const kube::Reader& reader, const WorkspaceOptions& options);
WorkspaceReview judge_workspaces(const WorkspaceSite& site, const WorkspaceOptions& options);

// What the review needs to read.
std::vector<kube::Permission> workspace_permissions(const std::string& ns);

}  // namespace truenas::workflow
