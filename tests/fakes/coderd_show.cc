// The stand-in's workspaces, builds and files as Coder writes them.

#include <fmt/format.h>

#include "tests/fakes/coderd_api.h"

namespace truenas::fakes {
namespace {

using json::Value;

// codersdk.ConvertWorkspaceStatus.
std::string status_of(const CoderdBuild& build) {
  const bool start = build.transition == "start", stop = build.transition == "stop";
  if (build.job_status == "running") return start ? "starting" : stop ? "stopping" : "deleting";
  if (build.job_status == "succeeded") return start ? "running" : stop ? "stopped" : "deleted";
  return build.job_status;
}

Value text_or_null(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

// One header and its content, padded.
std::string tar_entry(const std::string& name, const std::string& content, char type) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content.size()));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  const std::size_t padding = (512 - content.size() % 512) % 512;
  return header + content + std::string(padding, '\0');
}

// "<length> path=<name>\n", the length counting itself.
std::string pax_record(const std::string& name) {
  const std::string rest = " path=" + name + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

}  // namespace

std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive;
  for (const auto& [name, content] : files) {
    if (name.size() > 100) archive += tar_entry("PaxHeaders.0/long", pax_record(name), 'x');
    archive += tar_entry(name, content, '0');
  }
  return archive + std::string(1024, '\0');
}

Value CoderdApi::show(const CoderdBuild& build) const {
  const CoderdWorkspace& workspace = coder_.workspaces_.at(build.workspace_id);
  Value job = Value::object({{"id", build.id}, {"status", build.job_status}});
  if (!build.error.empty()) job.set("error", build.error);
  Value resources = Value::array();
  if (build.has_workload && build.over()) {
    const Value agent = Value::object({{"id", build.id},
                                       {"name", "main"},
                                       {"parent_id", Value()},
                                       {"status", workspace.ready ? "connected" : "connecting"},
                                       {"lifecycle_state", workspace.ready ? "ready" : "created"}});
    resources.push_back(Value::object(
        {{"type", "kubernetes_deployment"}, {"name", "main"}, {"agents", Value::array({agent})}}));
  }
  return Value::object({{"id", build.id},
                        {"workspace_id", build.workspace_id},
                        {"workspace_name", workspace.name},
                        {"template_version_id", build.version_id},
                        {"template_version_name", coder_.versions_.at(build.version_id).name},
                        {"build_number", build.number},
                        {"created_at", build.created_at},
                        {"transition", build.transition},
                        {"status", status_of(build)},
                        {"job", job},
                        {"resources", resources}});
}

Value CoderdApi::show(const CoderdWorkspace& workspace) const {
  const CoderdTemplate& family = coder_.templates_.at(workspace.template_name);
  const CoderdBuild& build = coder_.latest(workspace);
  return Value::object({{"id", workspace.id},
                        {"name", workspace.name},
                        {"owner_id", workspace.owner_id},
                        {"owner_name", workspace.owner},
                        {"template_id", family.id},
                        {"template_name", family.name},
                        {"template_active_version_id", family.active_version_id},
                        {"template_require_active_version", family.require_active_version},
                        {"outdated", build.version_id != family.active_version_id},
                        {"automatic_updates", workspace.updates_always ? "always" : "never"},
                        {"autostart_schedule", text_or_null(workspace.autostart_schedule)},
                        {"next_start_at", text_or_null(workspace.next_start_at)},
                        {"dormant_at", text_or_null(workspace.dormant_at)},
                        {"deleting_at", text_or_null(workspace.deleting_at)},
                        {"latest_build", show(build)}});
}

Value CoderdApi::show_state(const CoderdBuild& build) const {
  Value resources = Value::array({Value::object(
      {{"mode", "data"}, {"type", "coder_workspace"}, {"name", "me"}, {"instances", Value::array()}})});
  for (const auto& [address, id] : build.state) {
    const std::size_t dot = address.find('.');
    Value attributes = Value::object({{"id", id}, {"wait_until_bound", false}});
    const Value instance = Value::object({{"schema_version", 0}, {"attributes", attributes}});
    resources.push_back(Value::object({{"mode", "managed"},
                                       {"type", address.substr(0, dot)},
                                       {"name", address.substr(dot + 1)},
                                       {"instances", Value::array({instance})}}));
  }
  return Value::object({{"version", 4}, {"terraform_version", "1.11.4"}, {"resources", resources}});
}

}  // namespace truenas::fakes
