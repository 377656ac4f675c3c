#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/coder/server.h"
#include "lib/coder/server_failure.h"
#include "lib/coder/server_parse.h"
#include "lib/coder/server_session.h"

namespace truenas::coder {
namespace {

ServerCall write_call(std::string_view method, std::string path, std::string what, const json::Value& body,
                      const kube::Permit& permit) {
  ServerCall call;
  call.method = method;
  call.path = "/api/v2/" + std::move(path);
  call.what = std::move(what);
  call.body = json::write(body);
  call.read_only = false;
  call.before_each_send = permit.still_granted;
  return call;
}

}  // namespace

Result<void> ServerWriter::may_write(std::string_view what) const {
  if (permit_.server_dry_run) {
    return make_error(Kind::refused, fmt::format("cannot {}: Coder has no dry run", what));
  }
  if (!permit_.still_granted) return make_error(Kind::bug, fmt::format("{}: no permit to write", what));
  return permit_.still_granted();
}

Result<Build> ServerWriter::create_build(const std::string& workspace_id, std::string_view transition,
                                         const std::string& version_id) {
  const std::string what = fmt::format("{} workspace {}", printable(transition), printable(workspace_id));
  TM_TRY(may_write(what));
  if (transition != "start" && transition != "stop") {
    return make_error(Kind::bug, fmt::format("cannot {}: only a start or a stop is ever asked for", what));
  }
  if (workspace_id.empty() || version_id.empty()) {
    return make_error(Kind::bug,
                      fmt::format("cannot {}: without a template version Coder would choose one", what));
  }
  const json::Value body =
      json::Value::object({{"transition", transition}, {"template_version_id", version_id}});
  const ServerCall call = write_call(
      "POST", fmt::format("workspaces/{}/builds", percent_encode(workspace_id)), what, body, permit_);
  TM_TRY_ASSIGN(const json::Value reply, session_->call_json(call));
  Result<Build> build = parse_build(json::View(reply, "reply to " + what));
  if (build.ok() && build->transition == transition && build->template_version_id == version_id) return build;
  // A build was made, and it is not known which.
  if (!build.ok()) return make_error(Kind::outcome_unknown, build.error().what);
  return make_error(Kind::outcome_unknown,
                    fmt::format("reply to {}: Coder made a {} build of version {}", what,
                                printable(build->transition), printable(build->template_version_id)));
}

Result<void> ServerWriter::set_autostart(const std::string& workspace_id,
                                         const std::optional<std::string>& schedule) {
  const std::string what = fmt::format("set autostart of workspace {}", printable(workspace_id));
  TM_TRY(may_write(what));
  if (workspace_id.empty()) return make_error(Kind::bug, fmt::format("cannot {}: no id", what));
  json::Value body = json::Value::object();
  body.set("schedule", schedule && !schedule->empty() ? json::Value(*schedule) : json::Value());
  const Result<http::Response> reply = session_->call(write_call(
      "PUT", fmt::format("workspaces/{}/autostart", percent_encode(workspace_id)), what, body, permit_));
  if (!reply.ok()) return reply.error();
  return {};
}

Result<void> ServerWriter::pause_prebuilds(bool paused) {
  const std::string what = paused ? "pause prebuilds" : "resume prebuilds";
  TM_TRY(may_write(what));
  const json::Value body = json::Value::object({{"reconciliation_paused", paused}});
  Result<http::Response> reply = session_->call(write_call("PUT", "prebuilds/settings", what, body, permit_));
  if (!reply.ok()) {
    Error error = std::move(reply).take_error();
    if (lacks_endpoint(error)) error.kind = Kind::not_found;
    return error;
  }
  return {};
}

}  // namespace truenas::coder
