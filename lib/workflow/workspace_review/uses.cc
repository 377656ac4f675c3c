// Who uses a claim.

#include "lib/workflow/workspace_review/uses.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::workflow {
namespace {

constexpr std::string_view k_pod_spec = "/spec";
constexpr std::string_view k_template_spec = "/spec/template/spec";

std::vector<std::string> identity_fields() {
  return {"/metadata/name", "/metadata/namespace", "/metadata/deletionTimestamp"};
}

void append(std::vector<std::string>& fields, const std::vector<std::string>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
}

// A Deployment's ReplicaSet is called as it, with a hash.
std::string root_of(const json::Value& pod) {
  for (const json::Value& owner : pod.items_at("/metadata/ownerReferences")) {
    if (!owner.boolean_at("/controller", true)) continue;
    const std::string &kind = owner.text_at("/kind"), &name = owner.text_at("/name");
    if (kind == "ReplicaSet") return "deployment " + name.substr(0, name.rfind('-'));
    return lower(kind) + " " + name;
  }
  return "pod " + kube::identity_of(pod).name;
}

void add(const json::Value& object, const json::Value* spec, ClaimUse use, UsesOfClaims& uses) {
  if (spec == nullptr) return;
  const std::vector<std::string> claims = kube::mounted_claims(*spec);
  if (claims.empty()) return;
  use.agent = coder::runs_agent(*spec);
  if (use.agent) use.workspace = coder::read_workspace_of_workload(object);
  const std::string ns = kube::identity_of(object).ns;
  for (const std::string& claim : claims) uses[{ns, claim}].push_back(use);
}

}  // namespace

std::vector<std::string> pod_fields() {
  std::vector<std::string> fields = identity_fields();
  append(fields, {"/metadata/ownerReferences/*/kind", "/metadata/ownerReferences/*/name",
                  "/metadata/ownerReferences/*/controller", "/spec/nodeName", "/status/phase"});
  append(fields, coder::workspace_label_fields());
  append(fields, coder::pod_spec_fields(k_pod_spec));
  return fields;
}

std::vector<std::string> workload_fields() {
  std::vector<std::string> fields = identity_fields();
  fields.push_back("/spec/replicas");
  append(fields, coder::workspace_label_fields());
  append(fields, coder::pod_spec_fields(k_template_spec));
  return fields;
}

void add_pod(const json::Value& pod, UsesOfClaims& uses) {
  ClaimUse use;
  use.kind = ClaimUse::Kind::pod;
  use.name = kube::identity_of(pod).name;
  use.phase = pod.text_at("/status/phase");
  use.node = pod.text_at("/spec/nodeName");
  use.terminating = !pod.text_at("/metadata/deletionTimestamp").empty();
  use.root = root_of(pod);
  add(pod, pod.at(k_pod_spec), std::move(use), uses);
}

void add_workload(const json::Value& workload, ClaimUse::Kind kind, UsesOfClaims& uses) {
  ClaimUse use;
  use.kind = kind;
  use.name = kube::identity_of(workload).name;
  use.replicas = workload.integer_at("/spec/replicas", 1);  // the API's default
  use.root = (kind == ClaimUse::Kind::deployment ? "deployment " : "statefulset ") + use.name;
  use.terminating = !workload.text_at("/metadata/deletionTimestamp").empty();
  add(workload, workload.at(k_template_spec), std::move(use), uses);
}

// A Pod that is being deleted may write until it is gone, whatever its phase says; one whose phase is
// Unknown, or not told, may be writing on a node that nobody reaches.
bool ClaimUse::live() const {
  if (kind != Kind::pod) return replicas > 0;
  return terminating || (phase != "Succeeded" && phase != "Failed");
}

std::string ClaimUse::text() const {
  if (kind != Kind::pod)
    return fmt::format("{} ({})", root, count_of(static_cast<std::size_t>(replicas), "replica"));
  const std::string state = terminating ? "Terminating" : phase.empty() ? "of no phase" : phase;
  return fmt::format("pod {} ({}{}{})", name, state, node.empty() ? "" : " on ", node);
}

}  // namespace truenas::workflow
