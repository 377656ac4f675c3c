// How a build of the stand-in goes: pending, plan, apply of that saved plan, and what becomes of the
// workload.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "tests/fakes/coderd.h"

namespace truenas::fakes {
namespace {

using json::Value;

std::string deployment_path(const CoderdWorkspace& workspace) {
  return fmt::format("/apis/apps/v1/namespaces/{}/deployments/coder-{}", workspace.ns, workspace.id);
}

// The home's claim of a state: the first one.
std::string claim_name(const ClaimState& state) {
  if (state.empty()) return "";
  const std::string& id = state.begin()->second;
  return id.substr(id.find('/') + 1);
}

Value deployment_body(const CoderdWorkspace& workspace, const std::string& claim, const std::string& image) {
  const Value labels = Value::object({{"app.kubernetes.io/name", "coder-workspace"},
                                      {"app.kubernetes.io/instance", "coder-workspace-" + workspace.id},
                                      {"app.kubernetes.io/part-of", "coder"},
                                      {"com.coder.resource", "true"},
                                      {"com.coder.workspace.id", workspace.id},
                                      {"com.coder.workspace.name", workspace.name},
                                      {"com.coder.user.username", workspace.owner}});
  Value body = Value::object({{"apiVersion", "apps/v1"}, {"kind", "Deployment"}});
  body.set_at("/metadata/name", "coder-" + workspace.id);
  body.set_at("/metadata/namespace", workspace.ns);
  body.set_at("/metadata/labels", labels);
  body.set_at("/spec/replicas", 1);
  body.set_at("/spec/selector/matchLabels", labels);
  body.set_at("/spec/strategy/type", "Recreate");
  body.set_at("/spec/template/metadata/labels", labels);
  Value container = Value::object({{"name", "dev"}, {"image", image}});
  container.set("env",
                Value::array({Value::object({{"name", "CODER_AGENT_TOKEN"}, {"value", "not-a-token"}})}));
  container.set("volumeMounts",
                Value::array({Value::object({{"name", "home"}, {"mountPath", "/home/coder"}})}));
  body.set_at("/spec/template/spec/containers", Value::array({container}));
  body.set_at("/spec/template/spec/volumes",
              Value::array({Value::object(
                  {{"name", "home"}, {"persistentVolumeClaim", Value::object({{"claimName", claim}})}})}));
  return body;
}

}  // namespace

void Coderd::tick() {
  const std::lock_guard lock(mutex_);
  look_around();
  if (down_) return;
  autostart();
  for (const std::string& id : build_order_) {
    if (CoderdBuild& build = builds_.at(id); !build.over()) advance(build);
  }
}

// What handle() will say of the cluster until the next tick.
void Coderd::look_around() {
  const DoorReply own = door_(
      "GET",
      fmt::format("/apis/apps/v1/namespaces/{}/deployments/{}", options_.coderd_ns, options_.coderd_name), "",
      {});
  down_ = own.ok() && own.body.integer_at("/spec/replicas", 1) == 0;
  for (auto& [id, workspace] : workspaces_) {
    if (workspace.builds.empty() || latest(workspace).transition != "start" || !latest(workspace).over()) {
      workspace.ready = false;
      continue;
    }
    const DoorReply reply = door_("GET", deployment_path(workspace), "", {});
    workspace.ready = reply.ok() && reply.body.integer_at("/status/readyReplicas") > 0;
  }
}

void Coderd::autostart() {
  for (auto& [id, workspace] : workspaces_) {
    if (!workspace.autostart_due || workspace.autostart_schedule.empty() || now_() < *workspace.autostart_due)
      continue;
    const CoderdBuild& last = latest(workspace);
    if (!last.over() || !workspace.dormant_at.empty()) continue;
    workspace.autostart_due.reset();
    if (last.transition != "stop" || last.job_status != "succeeded") continue;
    const CoderdTemplate& family = templates_.at(workspace.template_name);
    const bool active = family.require_active_version || workspace.updates_always;
    start_build(CoderdWorkspace(workspace), "start", active ? family.active_version_id : last.version_id);
  }
}

void Coderd::advance(CoderdBuild& build) {
  const CoderdWorkspace workspace = workspaces_.at(build.workspace_id);
  const Milliseconds waited = now_() - build.since;
  if (build.job_status == "pending") {
    if (waited < options_.pending) return;
    build.job_status = "running";
    build.since = now_();
    return run_plan(build, workspace);
  }
  if (interrupted_.contains(workspace.id)) {
    const bool removing = build.plan && !build.plan->operations.empty() &&
                          build.plan->operations.front().kind == ClaimOperation::Kind::await_gone;
    if (removing) {
      interrupted_.erase(workspace.id);
      return finish(build, "terraform apply: interrupted");
    }
  }
  if (waited < options_.planning || held_.contains(workspace.id)) return;
  if (waited > options_.patience) return finish(build, "timeout while waiting for a claim to be gone");
  run_apply(build, workspace);
}

void Coderd::run_plan(CoderdBuild& build, const CoderdWorkspace& workspace) {
  const std::string& text = versions_.at(build.version_id).text;
  Result<WantedState> wanted = build.transition == "delete"
                                   ? Result<WantedState>(WantedState())
                                   : read_wanted(text, values_of(workspace, build.transition));
  if (!wanted.ok()) return finish(build, wanted.error().what);
  Result<ClaimPlan> plan = plan_claims(*wanted, build.state, door_);
  if (!plan.ok()) return finish(build, "terraform plan: " + plan.error().what);
  build.state = plan->refreshed;
  // What a removed block forgets or destroys is in the state until the apply.
  for (const ClaimOperation& operation : plan->operations) {
    const bool leaves =
        operation.kind == ClaimOperation::Kind::forget || operation.kind == ClaimOperation::Kind::remove;
    if (leaves) build.state[operation.address] = operation.id;
    if (operation.kind == ClaimOperation::Kind::import) build.state.erase(operation.address);
  }
  const DoorReply workload = door_("GET", deployment_path(workspace), "", {});
  if (workload.status == 404) build.has_workload = false;
  build.actions = plan->actions;
  build.log.push_back("Initializing the backend...");
  if (!plan->replacements.empty()) build.log.push_back("Resource replacements:");
  build.log.insert(build.log.end(), plan->replacements.begin(), plan->replacements.end());
  build.log.push_back(plan->actions.empty() ? "No changes. Your infrastructure matches the configuration."
                                            : "Plan: " + join(plan->actions, ", "));
  build.plan = std::move(plan).value();
}

// Terraform destroys what hangs on a claim before the claim, and makes it after.
bool Coderd::remove_workload(CoderdBuild& build, const CoderdWorkspace& workspace) {
  if (build.transition == "start" || !build.has_workload) return true;
  const DoorReply reply = door_("GET", deployment_path(workspace), "", {});
  if (reply.status == 404) {
    build.has_workload = false;
    return true;
  }
  if (reply.ok() && reply.body.at("/metadata/deletionTimestamp") == nullptr) {
    const DoorReply gone = door_("DELETE", deployment_path(workspace), "", {});
    if (!gone.ok() && gone.status != 404 && build.failure.empty())
      build.failure = fmt::format("delete deployment: {} {}", gone.status, gone.body.text_at("/message"));
  }
  return !build.failure.empty();
}

void Coderd::create_workload(CoderdBuild& build, const CoderdWorkspace& workspace) {
  if (build.transition != "start" || build.has_workload || build.state.empty()) return;
  const std::string collection = fmt::format("/apis/apps/v1/namespaces/{}/deployments", workspace.ns);
  const DoorReply reply = door_("POST", collection, "application/json",
                                deployment_body(workspace, claim_name(build.state), options_.image));
  if (reply.ok()) {
    build.has_workload = true;
  } else {
    build.failure = fmt::format("create deployment: {} {}", reply.status, reply.body.text_at("/message"));
  }
}

void Coderd::run_apply(CoderdBuild& build, const CoderdWorkspace& workspace) {
  if (!remove_workload(build, workspace)) return;
  auto& operations = build.plan->operations;
  while (!operations.empty()) {
    const Result<bool> done = apply_operation(operations.front(), build.state, door_);
    if (done.ok() && !*done) return;
    const std::string address = operations.front().address;
    operations.pop_front();
    if (done.ok()) continue;
    build.log.push_back("Error: " + done.error().what);
    if (build.failure.empty()) build.failure = done.error().what;
    // What was to follow on the same address does not; other addresses go their way (row I1).
    std::erase_if(operations, [&](const ClaimOperation& next) { return next.address == address; });
  }
  if (build.failure.empty()) create_workload(build, workspace);
  finish(build, build.failure);
}

void Coderd::finish(CoderdBuild& build, const std::string& error) {
  build.job_status = error.empty() ? "succeeded" : "failed";
  build.error = error;
  build.plan.reset();
  if (!error.empty()) build.log.push_back("Error: " + error);
  if (error.empty()) build.log.push_back("Apply complete!");
  if (build.transition == "delete" && error.empty()) workspaces_.at(build.workspace_id).deleted = true;
}

}  // namespace truenas::fakes
