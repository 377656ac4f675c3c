#pragma once
// CoderControl: one workspace's WorkspaceControl over Coder's API. It reads and asks for builds; it decides
// nothing, and what Coder says of a workspace proves nothing about Pods.

#include <string>

#include "lib/coder/server.h"
#include "lib/workflow/workspace_copy.h"

namespace truenas::workflow {

class CoderControl final : public WorkspaceControl {
 public:
  // `session` must outlive it.
  CoderControl(coder::ServerSession& session, std::string workspace_id)
      : session_(session), workspace_id_(std::move(workspace_id)) {}

  Result<CoderState> look() override;
  Result<void> build(const std::string& transition, const std::string& version_id,
                     const kube::Permit& permit) override;
  Result<void> set_autostart(const std::string& schedule, const kube::Permit& permit) override;

 private:
  coder::ServerSession& session_;
  std::string workspace_id_;
};

// What a workspace is, as the move decides upon it. Pure.
CoderState coder_state(const coder::ServerWorkspace& workspace);

}  // namespace truenas::workflow
