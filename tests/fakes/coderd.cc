// What the stand-in coderd knows, and how a test or a user changes it.

#include "tests/fakes/coderd.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

constexpr std::string_view k_wsid_label = "com.coder.workspace.id";

// The UUID in a claim's name or label; "" for none.
std::string workspace_id_of(const json::Value& claim) {
  const auto& labels = claim.members_at("/metadata/labels");
  for (const auto& [key, value] : labels) {
    if (key == k_wsid_label) return value.text();
  }
  const std::string& name = claim.text_at("/metadata/name");
  for (std::size_t at = 0; at + 36 <= name.size(); ++at) {
    const std::string part = name.substr(at, 36);
    if (part[8] == '-' && part[13] == '-' && part[18] == '-' && part[23] == '-' &&
        part.find_first_not_of("0123456789abcdef-") == std::string::npos)
      return part;
  }
  return "";
}

std::string label_or(const json::Value& claim, std::string_view key, const std::string& fallback) {
  for (const auto& [name, value] : claim.members_at("/metadata/labels")) {
    if (name == key) return value.text();
  }
  return fallback;
}

}  // namespace

Coderd::Coderd(ClusterDoor door, std::function<Milliseconds()> now, CoderdOptions options)
    : door_(std::move(door)), now_(std::move(now)), options_(std::move(options)) {
  users.push_back({new_id(), "operator", "coder-test-token", {"owner"}});
}

std::string Coderd::new_id() {
  ++ids_;
  return fmt::format("{:08x}-c0de-4000-8000-{:012x}", ids_, ids_);
}

std::string Coderd::add_version(const std::string& template_name, const std::string& text, bool activate) {
  const std::lock_guard lock(mutex_);
  CoderdTemplate& family = templates_[template_name];
  if (family.id.empty()) family.id = new_id(), family.name = template_name;
  CoderdVersion version{new_id(), fmt::format("v{}", versions_.size() + 1), template_name, new_id(), text,
                        {}};
  version.variables = {{"namespace", options_.workspaces_ns}};
  if (activate || family.active_version_id.empty()) family.active_version_id = version.id;
  return versions_.emplace(version.id, version).first->first;
}

void Coderd::activate(const std::string& version_id) {
  const std::lock_guard lock(mutex_);
  templates_.at(versions_.at(version_id).template_name).active_version_id = version_id;
}

std::string Coderd::add_workspace(CoderdWorkspace workspace, const std::string& claim) {
  const std::lock_guard lock(mutex_);
  if (workspace.id.empty()) workspace.id = new_id();
  if (workspace.owner_id.empty()) workspace.owner_id = new_id();
  const std::string version = templates_.at(workspace.template_name).active_version_id;
  const std::string path =
      fmt::format("/apis/apps/v1/namespaces/{}/deployments/coder-{}", workspace.ns, workspace.id);
  const DoorReply deployment = door_("GET", path, "", {});
  const bool runs = deployment.ok() && deployment.body.integer_at("/spec/replicas", 1) > 0;
  workspaces_[workspace.id] = workspace;
  CoderdBuild& build = builds_.at(start_build(workspace, runs ? "start" : "stop", version));
  build.job_status = "succeeded";
  build.has_workload = deployment.ok();
  const Result<WantedState> wanted = read_wanted(versions_.at(version).text, values_of(workspace, "start"));
  if (wanted.ok() && !wanted->claims.empty() && !claim.empty()) {
    build.state[wanted->claims.front().address] = workspace.ns + "/" + claim;
  }
  workspaces_.at(workspace.id).ready = runs && deployment.body.integer_at("/status/readyReplicas") > 0;
  return workspace.id;
}

void Coderd::adopt_claims(const std::string& ns, const std::string& template_name) {
  const DoorReply list =
      door_("GET", fmt::format("/api/v1/namespaces/{}/persistentvolumeclaims", ns), "", {});
  for (const json::Value& claim : list.body.items_at("/items")) {
    CoderdWorkspace workspace;
    workspace.id = workspace_id_of(claim);
    if (workspace.id.empty()) continue;
    workspace.name = label_or(claim, "com.coder.workspace.name", "ws-" + workspace.id.substr(0, 8));
    workspace.owner = label_or(claim, "com.coder.user.username", "somebody");
    workspace.template_name = template_name;
    workspace.ns = ns;
    std::string size = claim.text_at("/spec/resources/requests/storage");
    if (size.ends_with("Gi")) size.resize(size.size() - 2);
    workspace.parameters = {{"home_disk_size", size}};
    add_workspace(workspace, claim.text_at("/metadata/name"));
  }
}

std::string Coderd::start_build(const CoderdWorkspace& workspace, const std::string& transition,
                                const std::string& version_id) {
  CoderdBuild build;
  build.id = new_id();
  build.workspace_id = workspace.id;
  build.version_id = version_id;
  build.transition = transition;
  build.number = static_cast<std::int64_t>(workspace.builds.size()) + 1;
  build.since = now_();
  build.created_at = format_time(system_clock().wall());
  if (!workspace.builds.empty()) {
    build.state = latest(workspace).state;
    build.has_workload = latest(workspace).has_workload;
  }
  workspaces_.at(workspace.id).builds.push_back(build.id);
  build_order_.push_back(build.id);
  return builds_.emplace(build.id, build).first->first;
}

std::optional<std::string> Coderd::build(const std::string& workspace_id, const std::string& transition,
                                         const std::string& version_id) {
  const std::lock_guard lock(mutex_);
  const CoderdWorkspace workspace = workspaces_.at(workspace_id);
  if (!latest(workspace).over()) return std::nullopt;
  return start_build(workspace, transition, version_id.empty() ? latest(workspace).version_id : version_id);
}

const CoderdBuild& Coderd::latest(const CoderdWorkspace& workspace) const {
  return builds_.at(workspace.builds.back());
}

TextValues Coderd::values_of(const CoderdWorkspace& workspace, const std::string& transition) const {
  const std::string count = transition == "start" ? "1" : "0";
  TextValues values = {{"data.coder_workspace.me.id", workspace.id},
                       {"data.coder_workspace.me.name", workspace.name},
                       {"data.coder_workspace.me.owner", workspace.owner},
                       {"data.coder_workspace.me.start_count", count},
                       {"data.coder_workspace_owner.me.name", workspace.owner},
                       {"data.coder_workspace_owner.me.id", workspace.owner_id},
                       {"data.coder_workspace_owner.me.email", workspace.owner + "@example.com"},
                       {"var.namespace", options_.workspaces_ns}};
  for (const auto& [name, value] : workspace.parameters)
    values["data.coder_parameter." + name + ".value"] = value;
  return values;
}

CoderdBuild Coderd::find_build(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return builds_.at(id);
}

CoderdWorkspace Coderd::find_workspace(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return workspaces_.at(id);
}

void Coderd::hold(const std::string& workspace_id, bool held) {
  const std::lock_guard lock(mutex_);
  if (held) {
    held_.insert(workspace_id);
  } else {
    held_.erase(workspace_id);
  }
}

void Coderd::interrupt(const std::string& workspace_id) {
  const std::lock_guard lock(mutex_);
  interrupted_.insert(workspace_id);
}

void Coderd::change_workspace(const std::string& id, const std::function<void(CoderdWorkspace&)>& edit) {
  const std::lock_guard lock(mutex_);
  edit(workspaces_.at(id));
}

void Coderd::change_template(const std::string& name, const std::function<void(CoderdTemplate&)>& edit) {
  const std::lock_guard lock(mutex_);
  edit(templates_.at(name));
}

void Coderd::add_fault(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.add(std::move(fault));
}

std::size_t Coderd::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> Coderd::builds() const {
  const std::lock_guard lock(mutex_);
  return build_order_;
}

}  // namespace truenas::fakes
