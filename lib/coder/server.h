#pragma once
// Coder's own API: what a deployment says about its workspaces, builds and template versions, and the few
// things that this project asks of it. ServerReader only GETs; ServerWriter does one effect a call, asks its
// permit first and never sends anything twice. Neither decides anything, and neither knows the cluster: that
// Coder calls a workspace stopped proves nothing about Pods (facts 3).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/coder/template.h"
#include "lib/kube/writer.h"

namespace truenas::coder {

class ServerSession;  // server_session.h

// GET /api/v2/workspacebuilds/{id}, or latest_build of a workspace.
struct Build {
  std::string id, workspace_id, template_version_id, template_version_name;
  std::string transition;  // start, stop, delete
  // pending starting running stopping stopped failed canceling canceled deleting deleted
  std::string status;
  std::string job_status;  // pending running succeeded canceling canceled failed unknown
  std::string job_error;   // job.error, in one line that may be printed; "" for none
  std::int64_t number = 0;
  std::string created_at;  // RFC 3339, by Coder's clock; "" where it does not say
  // The job will not run any more: succeeded, failed, canceled. Anything else, also a word that this program
  // does not know, is not over.
  bool over() const;
};

// GET /api/v2/workspaces/{id}.
struct ServerWorkspace {
  std::string id, name, owner, owner_id, template_id, template_name, active_version_id;
  bool outdated = false;                // its latest build is not of the active version
  bool require_active_version = false;  // of its template: every start uses the active version
  bool updates_always = false;          // automatic_updates=always: autostart uses the active version
  std::string autostart_schedule;       // "" for none
  std::string next_start_at, dormant_at, deleting_at;  // RFC 3339, "" for none
  Build latest_build;
  // Agents of the latest build without those that run inside another (devcontainers).
  std::size_t agents = 0;
  bool agents_connected = false;  // there are some, and every one is connected
  // Transition stop, status stopped and the job succeeded. After "failed" or "canceled" Pods may still run.
  bool stopped() const;
  bool building() const { return !latest_build.over(); }
  // The version that a start without a wish of its own would use (facts 2.2).
  const std::string& next_version_id() const;
};

// GET /api/v2/templateversions/{id}.
struct TemplateVersion {
  std::string id, name, template_id, file_id;
  std::string job_status;  // of its import: only "succeeded" can be built
};

// GET /api/v2/users/me.
struct ServerUser {
  std::string id, username;
  std::vector<std::string> roles;  // of the deployment: owner, template-admin, …
  bool is_owner() const;
  // Owner or Template Admin: what they do not see is not there (facts 3).
  bool sees_all_workspaces() const;
};

// A resource instance of a Terraform state (GET /api/v2/workspacebuilds/{id}/state), managed ones only. The
// rest of a state holds secrets and is dropped unread.
struct StateResource {
  std::string address;  // "kubernetes_persistent_volume_claim.home", with [0] or ["key"] where it has one
  std::string type;     // "kubernetes_persistent_volume_claim"
  std::string id;       // attributes.id; of a claim "namespace/name"
};

// Errors of all: auth (401, 403), not_found (a 404 or 410 that Coder itself said), unavailable (429 and 5xx
// after retries, no answer), format (what answered is not Coder, or its reply is not what it must be),
// refused (other 4xx), config (a redirect). Thread-safe.
class ServerReader {
 public:
  explicit ServerReader(ServerSession& session) : session_(&session) {}

  // GET /api/v2/workspaces, every page; without deleted ones, prebuilds among them. Kind::format for a server
  // whose pages do not end or repeat themselves. Only what the token may see: facts 3 (Template Admin,
  // Owner).
  Result<std::vector<ServerWorkspace>> workspaces() const;
  // GET /api/v2/workspaces/{id}; nullopt: Coder says 404 or 410 (deleted, or not for this token to see).
  // `patience` as ServerCall::patience.
  Result<std::optional<ServerWorkspace>> find_workspace(const std::string& id,
                                                        Milliseconds patience = Milliseconds(0)) const;
  // GET /api/v2/workspacebuilds/{id}.
  Result<Build> get_build(const std::string& id) const;
  // GET /api/v2/workspacebuilds/{id}/logs: the lines that there are by now, printable, in order.
  Result<std::vector<std::string>> build_log(const std::string& build_id) const;
  // GET /api/v2/workspacebuilds/{id}/parameters: name to value as sent ("10").
  Result<std::map<std::string, std::string>> parameters(const std::string& build_id) const;
  // GET /api/v2/workspacebuilds/{id}/state; empty for a build that left none. Needs the right to update the
  // template: Kind::auth is common here.
  Result<std::vector<StateResource>> state(const std::string& build_id) const;
  // GET /api/v2/templateversions/{id}.
  Result<TemplateVersion> get_version(const std::string& id) const;
  // GET /api/v2/templateversions/{id}/variables: name to value of Terraform's variables; sensitive ones are
  // left out.
  Result<std::map<std::string, std::string>> variables(const std::string& version_id) const;
  // The *.tf files of a version: templateversions/{id} -> job.file_id -> GET /api/v2/files/{file_id}, a tar.
  // A version never changes: each is fetched once a session (Coder gives out 12 files a minute).
  Result<std::vector<SourceFile>> template_text(const std::string& version_id) const;
  // GET /api/v2/users/me.
  Result<ServerUser> me() const;
  // GET /api/v2/buildinfo: version ("v2.28.1+…"); needs no token.
  Result<std::string> version() const;
  // GET /api/v2/prebuilds/settings: reconciliation_paused. Kind::not_found: a Coder without prebuilds.
  Result<bool> prebuilds_paused() const;

 private:
  ServerSession* session_;
};

// Errors as ServerReader's, and: outcome_unknown when no full reply came or a 5xx did; conflict (409).
class ServerWriter {
 public:
  ServerWriter(ServerSession& session, kube::Permit permit)
      : session_(&session), permit_(std::move(permit)) {}

  // POST /api/v2/workspaces/{id}/builds {"transition", "template_version_id"}. `transition` is start or stop
  // (delete is never asked for), `version_id` is demanded: without one Coder chooses (facts 2.2).
  // Kind::conflict when another build is active.
  Result<Build> create_build(const std::string& workspace_id, std::string_view transition,
                             const std::string& version_id);
  // PUT /api/v2/workspaces/{id}/autostart {"schedule"}; nullopt: none. Sets what it is told, so that a second
  // call does no harm.
  Result<void> set_autostart(const std::string& workspace_id, const std::optional<std::string>& schedule);
  // PUT /api/v2/prebuilds/settings {"reconciliation_paused"}.
  Result<void> pause_prebuilds(bool paused);

 private:
  Result<void> may_write(std::string_view what) const;

  ServerSession* session_;
  kube::Permit permit_;
};

}  // namespace truenas::coder
