#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/coder/server.h"
#include "lib/coder/server_failure.h"
#include "lib/coder/server_parse.h"
#include "lib/coder/server_session.h"
#include "lib/coder/template_archive.h"

namespace truenas::coder {
namespace {

constexpr std::size_t k_page = 100;
// 100,000 workspaces: whoever has more pages than that has none that end.
constexpr int k_most_pages = 1000;
constexpr int k_list_attempts = 3;
constexpr std::size_t k_archive_limit = std::size_t{100} << 20;

ServerCall get(std::string path, std::string what) {
  ServerCall call;
  call.path = "/api/v2/" + std::move(path);
  call.what = "get " + std::move(what);
  return call;
}

Result<void> demand_id(std::string_view id, const ServerCall& call) {
  if (!id.empty()) return {};
  return make_error(Kind::bug, fmt::format("cannot {}: no id", call.what));
}

Result<void> same_id(std::string_view asked, std::string_view answered, const ServerCall& call) {
  if (lower(asked) == lower(answered)) return {};
  return make_error(Kind::format, fmt::format("reply to {}: is about {}", call.what, quote(answered)));
}

struct Listing {
  std::vector<ServerWorkspace> workspaces;
  bool settled = true;  // every page fitted to the others
};

// One walk over the pages. Workspaces that start or stop meanwhile change their places: then some were seen
// twice and others not at all, and the walk proves nothing.
Result<Listing> list_once(ServerSession& session) {
  Listing listing;
  std::set<std::string> seen;
  std::size_t received = 0;
  for (int page = 0; page < k_most_pages; ++page) {
    ServerCall call = get("workspaces", "workspaces");
    call.query = {{"limit", std::to_string(k_page)}, {"offset", std::to_string(received)}};
    TM_TRY_ASSIGN(const json::Value body, session.call_json(call));
    const json::View view(body, "reply to " + call.what);
    TM_TRY_ASSIGN(const std::int64_t count, view.get_integer("/count"));
    TM_TRY_ASSIGN(const std::vector<json::View> items, view.get_items("/workspaces"));
    std::size_t fresh = 0;
    for (const json::View& item : items) {
      TM_TRY_ASSIGN(ServerWorkspace workspace, parse_workspace(item));
      ++received;
      if (!seen.insert(workspace.id).second) continue;
      ++fresh;
      listing.workspaces.push_back(std::move(workspace));
    }
    if (!items.empty() && fresh == 0) {
      return make_error(Kind::format,
                        "reply to get workspaces: the server repeats a page, so its list has no "
                        "end");
    }
    listing.settled = seen.size() == received && static_cast<std::int64_t>(received) == count;
    if (items.empty() || static_cast<std::int64_t>(received) >= count) return listing;
  }
  return make_error(Kind::format, fmt::format("reply to get workspaces: more than {} pages", k_most_pages));
}

}  // namespace

bool Build::over() const {
  return job_status == "succeeded" || job_status == "failed" || job_status == "canceled";
}

bool ServerWorkspace::stopped() const {
  return latest_build.transition == "stop" && latest_build.status == "stopped" &&
         latest_build.job_status == "succeeded";
}

const std::string& ServerWorkspace::next_version_id() const {
  return require_active_version || updates_always ? active_version_id : latest_build.template_version_id;
}

bool ServerUser::is_owner() const {
  return std::find(roles.begin(), roles.end(), "owner") != roles.end();
}

bool ServerUser::sees_all_workspaces() const {
  return is_owner() || std::find(roles.begin(), roles.end(), "template-admin") != roles.end();
}

Result<std::vector<ServerWorkspace>> ServerReader::workspaces() const {
  for (int attempt = 0; attempt < k_list_attempts; ++attempt) {
    TM_TRY_ASSIGN(Listing listing, list_once(*session_));
    if (listing.settled) return std::move(listing.workspaces);
  }
  return make_error(
      Kind::unavailable,
      "cannot get workspaces: Coder's list changed with every reading of its pages, and none was "
      "whole");
}

Result<std::optional<ServerWorkspace>> ServerReader::find_workspace(const std::string& id,
                                                                    Milliseconds patience) const {
  ServerCall call = get("workspaces/" + percent_encode(id), "workspace " + printable(id));
  call.patience = patience;
  TM_TRY(demand_id(id, call));
  const Result<json::Value> body = session_->call_json(call);
  if (!body.ok() && body.error().kind == Kind::not_found) return std::optional<ServerWorkspace>();
  if (!body.ok()) return body.error();
  TM_TRY_ASSIGN(ServerWorkspace workspace, parse_workspace(json::View(*body, "reply to " + call.what)));
  TM_TRY(same_id(id, workspace.id, call));
  return std::optional<ServerWorkspace>(std::move(workspace));
}

Result<Build> ServerReader::get_build(const std::string& id) const {
  const ServerCall call = get("workspacebuilds/" + percent_encode(id), "workspace build " + printable(id));
  TM_TRY(demand_id(id, call));
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  TM_TRY_ASSIGN(Build build, parse_build(json::View(body, "reply to " + call.what)));
  TM_TRY(same_id(id, build.id, call));
  return build;
}

Result<std::vector<std::string>> ServerReader::build_log(const std::string& build_id) const {
  ServerCall call = get(fmt::format("workspacebuilds/{}/logs", percent_encode(build_id)),
                        "log of workspace build " + printable(build_id));
  call.may_show_reply = true;
  TM_TRY(demand_id(build_id, call));
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  return parse_log(json::View(body, "reply to " + call.what));
}

Result<std::map<std::string, std::string>> ServerReader::parameters(const std::string& build_id) const {
  const ServerCall call = get(fmt::format("workspacebuilds/{}/parameters", percent_encode(build_id)),
                              "parameters of workspace build " + printable(build_id));
  TM_TRY(demand_id(build_id, call));
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  return parse_parameters(json::View(body, "reply to " + call.what));
}

Result<std::vector<StateResource>> ServerReader::state(const std::string& build_id) const {
  const ServerCall call = get(fmt::format("workspacebuilds/{}/state", percent_encode(build_id)),
                              "state of workspace build " + printable(build_id));
  TM_TRY(demand_id(build_id, call));
  TM_TRY_ASSIGN(const http::Response response, session_->call(call));
  if (trim(response.body).empty()) return std::vector<StateResource>();
  const std::string source = "reply to " + call.what;
  TM_TRY_ASSIGN(const json::Value body, json::parse(response.body, source));
  if (body.is_null()) return std::vector<StateResource>();
  return parse_state(json::View(body, source));
}

Result<TemplateVersion> ServerReader::get_version(const std::string& id) const {
  ServerCall call = get("templateversions/" + percent_encode(id), "template version " + printable(id));
  call.may_show_reply = true;
  TM_TRY(demand_id(id, call));
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  TM_TRY_ASSIGN(TemplateVersion version, parse_version(json::View(body, "reply to " + call.what)));
  TM_TRY(same_id(id, version.id, call));
  return version;
}

Result<std::map<std::string, std::string>> ServerReader::variables(const std::string& version_id) const {
  const ServerCall call = get(fmt::format("templateversions/{}/variables", percent_encode(version_id)),
                              "variables of template version " + printable(version_id));
  TM_TRY(demand_id(version_id, call));
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  return parse_variables(json::View(body, "reply to " + call.what));
}

Result<std::vector<SourceFile>> ServerReader::template_text(const std::string& version_id) const {
  return session_->once(version_id, [&]() -> Result<std::vector<SourceFile>> {
    TM_TRY_ASSIGN(const TemplateVersion version, get_version(version_id));
    ServerCall call = get("files/" + percent_encode(version.file_id),
                          fmt::format("text of template version {}", printable(version.name)));
    call.limit = k_archive_limit;
    TM_TRY(demand_id(version.file_id, call));
    TM_TRY_ASSIGN(const http::Response response, session_->call(call));
    return read_template_archive(response.body, "reply to " + call.what);
  });
}

Result<ServerUser> ServerReader::me() const {
  ServerCall call = get("users/me", "user me");
  call.may_show_reply = true;
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  return parse_user(json::View(body, "reply to " + call.what));
}

Result<std::string> ServerReader::version() const {
  ServerCall call = get("buildinfo", "build information");
  call.may_show_reply = true;
  TM_TRY_ASSIGN(const json::Value body, session_->call_json(call));
  return json::View(body, "reply to " + call.what).get_string("/version");
}

Result<bool> ServerReader::prebuilds_paused() const {
  ServerCall call = get("prebuilds/settings", "prebuilds settings");
  call.may_show_reply = true;
  Result<json::Value> body = session_->call_json(call);
  if (!body.ok()) {
    Error error = std::move(body).take_error();
    if (lacks_endpoint(error)) error.kind = Kind::not_found;
    return error;
  }
  return json::View(*body, "reply to " + call.what).get_boolean("/reconciliation_paused");
}

}  // namespace truenas::coder
