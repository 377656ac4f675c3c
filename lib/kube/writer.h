#pragma once
// Writer: everything this tool may change in a cluster, one effect a call. It can be made only from a Permit,
// which the engine grants after confirmation and with the lock held; before every call it asks the permit
// again. Nothing here retries: after outcome_unknown the caller must look (Reader) and decide.

#include <functional>
#include <string>

#include "lib/kube/exec.h"
#include "lib/kube/resource.h"
#include "lib/kube/session.h"

namespace truenas::kube {

struct Permit {
  // For trying writes on the server (dryRun=All), for which no lock is needed: nothing is changed.
  static Permit server_trial();

  // Ok while the run may still write (lock held, no interrupt); its error is returned instead of writing.
  std::function<Result<void>()> still_granted;
  bool server_dry_run =
      false;  // every write carries dryRun=All (D1; of a DELETE in the body: D2); exec is refused
  std::string field_manager = "kubectl-truenas-migrate";
};

enum class PatchKind { merge, json, strategic, apply };

struct DeleteOptions {
  std::string uid;                         // precondition; required: deleting a name is never meant
  std::string resource_version;            // precondition, "" for none
  std::string propagation = "Background";  // or Foreground, Orphan
  int grace_period_seconds = -1;           // -1: the object's own
};

// For a write whose answer is not needed: only whether it worked.
inline Result<void> done(Result<json::Value> answer) {
  if (!answer.ok()) return std::move(answer).take_error();
  return {};
}

class Writer {
 public:
  Writer(Session& session, Permit permit) : session_(&session), permit_(std::move(permit)) {}

  // POST; fieldValidation=Strict. Kind::conflict when the name exists.
  Result<json::Value> create(const ResourceType& type, std::string_view ns, const json::Value& object);
  // PATCH; put metadata.resourceVersion (or uid) into the patch to make it conditional (D4). Kind::conflict
  // also for a JSON patch that does not fit the object (a test that failed, a place that is not there).
  Result<json::Value> patch(const ResourceType& type, std::string_view ns, std::string_view name,
                            PatchKind kind, const json::Value& patch, std::string_view subresource = "");
  // DELETE with preconditions in the body (D2, D3). Ok also when the object is gone already (404).
  Result<void> remove(const ResourceType& type, std::string_view ns, std::string_view name,
                      const DeleteOptions& options);
  // Runs a command in a container that may change something (CHECKPOINT).
  Result<ExecResult> exec(const ExecRequest& request);
  // The same permit, but every write is a trial (dryRun=All).
  Writer trying() const;
  bool server_dry_run() const { return permit_.server_dry_run; }
  // For writing elsewhere than in the cluster under the same conditions.
  const Permit& permit() const { return permit_; }

 private:
  Session* session_;
  Permit permit_;
};

}  // namespace truenas::kube
