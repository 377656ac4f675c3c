#include "tests/fakes/coderd_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

using json::Value;

http::Response reply(int status, const Value& body) {
  http::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  response.body = json::write(body) + "\n";
  return response;
}

http::Response message(int status, std::string_view text, std::string_view detail = "") {
  Value body = Value::object({{"message", text}});
  if (!detail.empty()) body.set("detail", detail);
  return reply(status, body);
}

http::Response absent() {
  return message(404, "Resource not found or you do not have access to this resource");
}

http::Response empty_reply(int status) {
  http::Response response;
  response.status = status;
  return response;
}

std::string header_of(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (lower(key) == name) return value;
  }
  return "";
}

std::size_t number_in(const std::string& query, std::string_view key, std::size_t fallback) {
  for (const std::string& part : split(query, '&')) {
    if (!part.starts_with(std::string(key) + "=")) continue;
    std::size_t value = fallback;
    std::from_chars(part.data() + key.size() + 1, part.data() + part.size(), value);
    return value;
  }
  return fallback;
}

bool has_role(const CoderdUser& user, std::string_view role) {
  return std::find(user.roles.begin(), user.roles.end(), role) != user.roles.end();
}

}  // namespace

std::optional<http::Response> Coderd::handle(const http::Request& request) {
  const std::lock_guard lock(mutex_);
  ++requests_;
  if (request.method != "GET") ++writes_;
  if (down_) return std::nullopt;
  const Fault* fault = faults_.strike({requests_, request.method == "GET" ? 0 : writes_, request});
  if (fault == nullptr) return CoderdApi(*this).answer(request);
  const Fault struck = *fault;
  if (struck.kind == Fault::Kind::refuse) return std::nullopt;
  if (struck.kind == Fault::Kind::answer) return struck.reply;
  if (struck.kind == Fault::Kind::before) struck.change();
  http::Response response = CoderdApi(*this).answer(request);
  if (struck.kind == Fault::Kind::after) struck.change();
  if (struck.kind == Fault::Kind::drop_reply) return std::nullopt;
  return response;
}

bool CoderdApi::within_limit(const std::string& counter, int limit) {
  Coderd::Counter& count = coder_.counters_[counter];
  const std::int64_t minute = coder_.now_().count() / 60'000;
  if (count.minute != minute) count = {minute, 0};
  return limit == 0 || ++count.used <= limit;
}

http::Response CoderdApi::answer(const http::Request& request) {
  const std::size_t mark = request.target.find('?');
  const std::string query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
  std::vector<std::string> path = split(request.target.substr(0, mark), '/');
  if (path.size() < 4 || path[1] != "api" || path[2] != "v2") return message(404, "Route not found.");
  path.erase(path.begin(), path.begin() + 3);
  if (path[0] == "buildinfo") return reply(200, Value::object({{"version", "v2.28.1+standin"}}));
  const std::string token = header_of(request, "coder-session-token");
  const auto user = std::find_if(coder_.users.begin(), coder_.users.end(),
                                 [&](const CoderdUser& one) { return !token.empty() && one.token == token; });
  if (user == coder_.users.end())
    return message(401, "You are signed out or your session has expired. Please sign in again to continue.");
  const bool bypass = header_of(request, "x-coder-bypass-ratelimit") == "true";
  if (bypass && !has_role(*user, "owner")) return message(428, "Rate limit bypass is only for owners.");
  const bool files = path[0] == "files";
  const int limit = files ? coder_.options_.files_a_minute : coder_.options_.requests_a_minute;
  if (!bypass && !within_limit(files ? "files" : "all", limit)) {
    http::Response slow = message(429, "You've been rate limited for sending too many requests!");
    slow.headers.emplace_back("Retry-After", "60");
    return slow;
  }
  if (path[0] == "users" && path.size() == 2) {
    Value roles = Value::array();
    for (const std::string& role : user->roles)
      roles.push_back(Value::object({{"name", role}, {"display_name", role}}));
    return reply(200, Value::object({{"id", user->id}, {"username", user->username}, {"roles", roles}}));
  }
  if (path[0] == "workspaces" && path.size() == 1) return list(query);
  if (path[0] == "workspaces") return workspace(path, request, *user);
  if (path[0] == "workspacebuilds" && path.size() > 1) return build(path);
  if (path[0] == "templateversions" && path.size() > 1) return version(path);
  if (files && path.size() == 2) return file(path[1]);
  if (path[0] == "prebuilds") return prebuilds(request, *user);
  return message(404, "Route not found.");
}

http::Response CoderdApi::list(const std::string& query) {
  const std::size_t limit = number_in(query, "limit", 0), offset = number_in(query, "offset", 0);
  Value items = Value::array();
  std::size_t count = 0, shown = 0;
  for (const auto& [id, workspace] : coder_.workspaces_) {
    if (workspace.deleted) continue;
    if (count++ < offset || (limit != 0 && shown >= limit)) continue;
    ++shown;
    items.push_back(show(workspace));
  }
  return reply(200, Value::object({{"workspaces", items}, {"count", static_cast<std::int64_t>(count)}}));
}

http::Response CoderdApi::workspace(const std::vector<std::string>& path, const http::Request& request,
                                    const CoderdUser& user) {
  const auto found = coder_.workspaces_.find(path[1]);
  if (found == coder_.workspaces_.end()) return absent();
  CoderdWorkspace& workspace = found->second;
  if (workspace.deleted) return message(410, fmt::format("Workspace \"{}\" was deleted.", workspace.name));
  if (path.size() == 2) return reply(200, show(workspace));
  if (path[2] == "builds" && request.method == "POST") return create_build(workspace, request, user);
  if (path[2] == "autostart" && request.method == "PUT") {
    if (!has_role(user, "owner") && user.id != workspace.owner_id) return message(403, "Forbidden.");
    const Result<Value> body = json::parse(request.body, "body");
    if (!body.ok() || body->find("schedule") == nullptr)
      return message(400, "Request body must be valid JSON.");
    workspace.autostart_schedule = body->text_at("/schedule");
    return empty_reply(204);
  }
  return message(404, "Route not found.");
}

http::Response CoderdApi::create_build(CoderdWorkspace& workspace, const http::Request& request,
                                       const CoderdUser& user) {
  const bool owner = has_role(user, "owner");
  if (!owner && user.id != workspace.owner_id) return message(403, "Forbidden.");
  const Result<Value> body = json::parse(request.body, "body");
  if (!body.ok()) return message(400, "Request body must be valid JSON.");
  const std::string& transition = body->text_at("/transition");
  if (transition != "start" && transition != "stop" && transition != "delete")
    return message(400, "Validation failed.");
  const CoderdTemplate& family = coder_.templates_.at(workspace.template_name);
  std::string version = body->text_at("/template_version_id");
  if (version.empty()) version = coder_.latest(workspace).version_id;
  const auto found = coder_.versions_.find(version);
  if (found == coder_.versions_.end()) return message(400, "Template version does not exist.");
  if (found->second.template_name != workspace.template_name)
    return message(400, "Template version does not belong to the workspace's template.");
  if (!owner && family.require_active_version && version != family.active_version_id)
    return message(403, "Forbidden.", "the active version is required");
  if (!coder_.latest(workspace).over()) return message(409, "A workspace build is already active.");
  const std::string id = coder_.start_build(CoderdWorkspace(workspace), transition, version);
  workspace.dormant_at = transition == "start" ? "" : workspace.dormant_at;
  return reply(201, show(coder_.builds_.at(id)));
}

http::Response CoderdApi::build(const std::vector<std::string>& path) {
  const auto found = coder_.builds_.find(path[1]);
  if (found == coder_.builds_.end()) return absent();
  const CoderdBuild& build = found->second;
  if (path.size() == 2) return reply(200, show(build));
  if (path[2] == "state") return reply(200, show_state(build));
  Value items = Value::array();
  if (path[2] == "parameters") {
    for (const auto& [name, value] : coder_.workspaces_.at(build.workspace_id).parameters)
      items.push_back(Value::object({{"name", name}, {"value", value}}));
    return reply(200, items);
  }
  if (path[2] != "logs") return message(404, "Route not found.");
  for (const std::string& line : build.log) {
    items.push_back(Value::object({{"id", static_cast<std::int64_t>(items.items().size() + 1)},
                                   {"log_source", "provisioner"},
                                   {"log_level", line.starts_with("Error") ? "error" : "info"},
                                   {"stage", "Terraform"},
                                   {"output", line}}));
  }
  return reply(200, items);
}

http::Response CoderdApi::version(const std::vector<std::string>& path) {
  const auto found = coder_.versions_.find(path[1]);
  if (found == coder_.versions_.end()) return absent();
  const CoderdVersion& version = found->second;
  if (path.size() > 2) {
    Value items = Value::array();
    for (const auto& [name, value] : version.variables)
      items.push_back(
          Value::object({{"name", name}, {"value", value}, {"type", "string"}, {"sensitive", false}}));
    return path[2] == "variables" ? reply(200, items) : message(404, "Route not found.");
  }
  return reply(
      200, Value::object({{"id", version.id},
                          {"name", version.name},
                          {"template_id", coder_.templates_.at(version.template_name).id},
                          {"job", Value::object({{"file_id", version.file_id}, {"status", "succeeded"}})}}));
}

http::Response CoderdApi::file(const std::string& id) {
  for (const auto& [unused, version] : coder_.versions_) {
    if (version.file_id != id) continue;
    http::Response response;
    response.status = 200;
    response.headers.emplace_back("Content-Type", "application/x-tar");
    response.body = tar_of({{"README.md", "# a template\n"}, {"main.tf", version.text}});
    return response;
  }
  return absent();
}

http::Response CoderdApi::prebuilds(const http::Request& request, const CoderdUser& user) {
  if (request.method == "PUT") {
    if (!has_role(user, "owner")) return message(403, "Forbidden.");
    const Result<Value> body = json::parse(request.body, "body");
    if (!body.ok()) return message(400, "Request body must be valid JSON.");
    const bool paused = body->boolean_at("/reconciliation_paused");
    if (paused == coder_.prebuilds_paused) return empty_reply(304);
    coder_.prebuilds_paused = paused;
  }
  return reply(200, Value::object({{"reconciliation_paused", coder_.prebuilds_paused}}));
}

}  // namespace truenas::fakes
