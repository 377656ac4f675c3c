#include "lib/workflow/workspace_copy/coder_control.h"

namespace truenas::workflow {
namespace {

// A look is taken again and again, by whoever waits for something.
constexpr Milliseconds k_patience{30000};

}  // namespace

CoderState coder_state(const coder::ServerWorkspace& workspace) {
  const coder::Build& build = workspace.latest_build;
  CoderState state;
  state.workspace_id = workspace.id;
  state.build_id = build.id;
  state.version_id = build.template_version_id;
  state.version_name = build.template_version_name;
  state.stopped = workspace.stopped();
  state.building = workspace.building();
  state.started = build.transition == "start" && build.job_status == "succeeded";
  // A template without an agent has none to wait for.
  state.agents_connected = workspace.agents == 0 || workspace.agents_connected;
  state.autostart = workspace.autostart_schedule;
  if (build.over() && build.job_status != "succeeded") {
    state.trouble = build.job_error.empty() ? "its job ended as " + build.job_status : build.job_error;
  }
  return state;
}

Result<CoderState> CoderControl::look() {
  TM_TRY_ASSIGN(const auto workspace,
                coder::ServerReader(session_).find_workspace(workspace_id_, k_patience));
  if (workspace) return coder_state(*workspace);
  CoderState gone;
  gone.workspace_id = workspace_id_;
  gone.found = false;
  return gone;
}

Result<void> CoderControl::build(const std::string& transition, const std::string& version_id,
                                 const kube::Permit& permit) {
  coder::ServerWriter writer(session_, permit);
  const auto made = writer.create_build(workspace_id_, transition, version_id);
  if (!made.ok()) return made.error();
  return {};
}

Result<void> CoderControl::set_autostart(const std::string& schedule, const kube::Permit& permit) {
  coder::ServerWriter writer(session_, permit);
  return writer.set_autostart(workspace_id_,
                              schedule.empty() ? std::nullopt : std::optional<std::string>(schedule));
}

}  // namespace truenas::workflow
