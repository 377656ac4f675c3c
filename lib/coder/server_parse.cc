#include "lib/coder/server_parse.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::coder {
namespace {

// Every agent of the build that no other agent started, and whether all of them are connected.
Result<void> parse_agents(const json::View& build, ServerWorkspace& workspace) {
  const json::Value* resources = build.value().find("resources");
  if (resources == nullptr || resources->is_null()) return {};
  bool all = true;
  TM_TRY_ASSIGN(const std::vector<json::View> items, build.get_items("/resources"));
  for (const json::View& resource : items) {
    const json::Value* agents = resource.value().find("agents");
    if (agents == nullptr || agents->is_null()) continue;
    TM_TRY_ASSIGN(const std::vector<json::View> listed, resource.get_items("/agents"));
    for (const json::View& agent : listed) {
      const json::Value* parent = agent.value().find("parent_id");
      if (parent != nullptr && parent->is_string() && !parent->text().empty()) continue;
      TM_TRY_ASSIGN(const std::string status, agent.get_string("/status"));
      ++workspace.agents;
      all = all && status == "connected";
    }
  }
  workspace.agents_connected = workspace.agents > 0 && all;
  return {};
}

// Terraform's spelling of an instance: name[0], name["key"].
std::string index_of(const json::Value& instance) {
  const json::Value* key = instance.find("index_key");
  if (key == nullptr || key->is_null()) return "";
  if (key->is_string()) return fmt::format("[{}]", quote(key->text()));
  return fmt::format("[{}]", key->spelled());
}

}  // namespace

Result<Build> parse_build(const json::View& view) {
  Build build;
  TM_TRY_ASSIGN(build.id, view.get_string("/id"));
  TM_TRY_ASSIGN(build.workspace_id, view.get_string("/workspace_id"));
  TM_TRY_ASSIGN(build.template_version_id, view.get_string("/template_version_id"));
  TM_TRY_ASSIGN(build.template_version_name, view.find_string("/template_version_name"));
  TM_TRY_ASSIGN(build.transition, view.get_string("/transition"));
  TM_TRY_ASSIGN(build.status, view.get_string("/status"));
  TM_TRY_ASSIGN(build.job_status, view.get_string("/job/status"));
  TM_TRY_ASSIGN(build.created_at, view.find_string("/created_at"));
  TM_TRY_ASSIGN(build.job_error, view.find_string("/job/error"));
  TM_TRY_ASSIGN(build.number, view.find_integer("/build_number"));
  build.job_error = printable(build.job_error);
  return build;
}

Result<ServerWorkspace> parse_workspace(const json::View& view) {
  ServerWorkspace workspace;
  TM_TRY_ASSIGN(workspace.id, view.get_string("/id"));
  TM_TRY_ASSIGN(workspace.name, view.get_string("/name"));
  TM_TRY_ASSIGN(workspace.owner, view.get_string("/owner_name"));
  TM_TRY_ASSIGN(workspace.owner_id, view.find_string("/owner_id"));
  TM_TRY_ASSIGN(workspace.template_id, view.get_string("/template_id"));
  TM_TRY_ASSIGN(workspace.template_name, view.find_string("/template_name"));
  TM_TRY_ASSIGN(workspace.active_version_id, view.get_string("/template_active_version_id"));
  TM_TRY_ASSIGN(workspace.outdated, view.find_boolean("/outdated"));
  TM_TRY_ASSIGN(workspace.require_active_version, view.find_boolean("/template_require_active_version"));
  TM_TRY_ASSIGN(const std::string updates, view.find_string("/automatic_updates"));
  workspace.updates_always = updates == "always";
  TM_TRY_ASSIGN(workspace.autostart_schedule, view.find_string("/autostart_schedule"));
  TM_TRY_ASSIGN(workspace.next_start_at, view.find_string("/next_start_at"));
  TM_TRY_ASSIGN(workspace.dormant_at, view.find_string("/dormant_at"));
  TM_TRY_ASSIGN(workspace.deleting_at, view.find_string("/deleting_at"));
  TM_TRY_ASSIGN(const json::View latest, view.get_object("/latest_build"));
  TM_TRY_ASSIGN(workspace.latest_build, parse_build(latest));
  TM_TRY(parse_agents(latest, workspace));
  return workspace;
}

Result<TemplateVersion> parse_version(const json::View& view) {
  TemplateVersion version;
  TM_TRY_ASSIGN(version.id, view.get_string("/id"));
  TM_TRY_ASSIGN(version.name, view.get_string("/name"));
  TM_TRY_ASSIGN(version.template_id, view.find_string("/template_id"));
  TM_TRY_ASSIGN(version.file_id, view.get_string("/job/file_id"));
  TM_TRY_ASSIGN(version.job_status, view.get_string("/job/status"));
  return version;
}

Result<ServerUser> parse_user(const json::View& view) {
  ServerUser user;
  TM_TRY_ASSIGN(user.id, view.get_string("/id"));
  TM_TRY_ASSIGN(user.username, view.get_string("/username"));
  TM_TRY_ASSIGN(const std::vector<json::View> roles, view.get_items("/roles"));
  for (const json::View& role : roles) {
    TM_TRY_ASSIGN(std::string name, role.get_string("/name"));
    user.roles.push_back(std::move(name));
  }
  return user;
}

Result<std::map<std::string, std::string>> parse_parameters(const json::View& view) {
  std::map<std::string, std::string> parameters;
  if (view.value().is_null()) return parameters;  // Go writes an empty list so
  TM_TRY_ASSIGN(const std::vector<json::View> items, view.get_items(""));
  for (const json::View& item : items) {
    TM_TRY_ASSIGN(std::string name, item.get_string("/name"));
    TM_TRY_ASSIGN(parameters[std::move(name)], item.get_string("/value"));
  }
  return parameters;
}

Result<std::map<std::string, std::string>> parse_variables(const json::View& view) {
  std::map<std::string, std::string> variables;
  if (view.value().is_null()) return variables;
  TM_TRY_ASSIGN(const std::vector<json::View> items, view.get_items(""));
  for (const json::View& item : items) {
    TM_TRY_ASSIGN(const bool sensitive, item.find_boolean("/sensitive"));
    if (sensitive) continue;
    TM_TRY_ASSIGN(std::string name, item.get_string("/name"));
    TM_TRY_ASSIGN(variables[std::move(name)], item.get_string("/value"));
  }
  return variables;
}

Result<std::vector<std::string>> parse_log(const json::View& view) {
  std::vector<std::string> lines;
  if (view.value().is_null()) return lines;
  TM_TRY_ASSIGN(const std::vector<json::View> items, view.get_items(""));
  for (const json::View& item : items) {
    TM_TRY_ASSIGN(const std::string output, item.get_string("/output"));
    lines.push_back(printable(output));
  }
  return lines;
}

Result<std::vector<StateResource>> parse_state(const json::View& view) {
  TM_TRY_ASSIGN(const std::int64_t format_version, view.get_integer("/version"));
  if (format_version != 4) {
    return make_error(Kind::format, fmt::format("{}: a Terraform state of version {}, which is not known",
                                                view.source(), format_version));
  }
  std::vector<StateResource> result;
  TM_TRY_ASSIGN(const std::vector<json::View> resources, view.get_items("/resources"));
  for (const json::View& resource : resources) {
    TM_TRY_ASSIGN(const std::string mode, resource.get_string("/mode"));
    if (mode != "managed") continue;
    TM_TRY_ASSIGN(const std::string type, resource.get_string("/type"));
    TM_TRY_ASSIGN(const std::string name, resource.get_string("/name"));
    TM_TRY_ASSIGN(const std::string module, resource.find_string("/module"));
    TM_TRY_ASSIGN(const std::vector<json::View> instances, resource.get_items("/instances"));
    for (const json::View& instance : instances) {
      StateResource found;
      found.type = type;
      found.address = fmt::format("{}{}{}.{}{}", module, module.empty() ? "" : ".", type, name,
                                  index_of(instance.value()));
      TM_TRY_ASSIGN(found.id, instance.find_string("/attributes/id"));
      result.push_back(std::move(found));
    }
  }
  return result;
}

}  // namespace truenas::coder
