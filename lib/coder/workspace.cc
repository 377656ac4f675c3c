#include "lib/coder/workspace.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/coder/workspace_name.h"
#include "lib/kube/resource.h"

namespace truenas::coder {
namespace {

constexpr std::string_view k_agent_token = "CODER_AGENT_TOKEN";
constexpr std::string_view k_database_label = "cnpg.io/cluster";

// Where a fact about the workspace stands: today's label, then the retired template's.
struct LabelPair {
  std::string Workspace::*field;
  std::string_view today, older;
};
constexpr LabelPair k_labels[] = {
    {&Workspace::id, "com.coder.workspace.id", "coder.workspace_id"},
    {&Workspace::name, "com.coder.workspace.name", "coder.workspace_name_at_creation"},
    {&Workspace::owner, "com.coder.user.username", "coder.owner"},
    {&Workspace::owner_id, "com.coder.user.id", "coder.owner_id"},
    {&Workspace::template_name, "com.coder.template.name", "coder.template_name"},
};
constexpr std::string_view k_resource_label = "com.coder.resource";

bool has_any(const json::Value& object, bool today) {
  return std::any_of(std::begin(k_labels), std::end(k_labels), [&](const LabelPair& pair) {
    return !kube::label_of(object, today ? pair.today : pair.older).empty();
  });
}

}  // namespace

std::string Workspace::title() const {
  if (!owner.empty() && !name.empty()) return owner + "/" + name;
  if (!name.empty()) return name;
  if (!joined.empty()) return joined;
  if (!owner.empty()) return owner + "/?";
  return id;
}

std::string_view found_by_name(FoundBy found) {
  switch (found) {
    case FoundBy::label:
      return "label";
    case FoundBy::older_label:
      return "older label";
    case FoundBy::name:
      return "name";
    case FoundBy::mount:
      return "agent's Pod";
    case FoundBy::asked:
      return "asked for";
  }
  return "";
}

Workspace read_workspace_labels(const json::Value& object) {
  Workspace workspace;
  for (const LabelPair& pair : k_labels) {
    std::string& field = workspace.*pair.field;
    field = kube::label_of(object, pair.today);
    if (field.empty()) field = kube::label_of(object, pair.older);
  }
  workspace.labelled = has_any(object, true) || !kube::label_of(object, k_resource_label).empty();
  return workspace;
}

void fill_up(Workspace& known, const Workspace& other) {
  for (const LabelPair& pair : k_labels) {
    if ((known.*pair.field).empty()) known.*pair.field = other.*pair.field;
  }
  if (known.joined.empty()) known.joined = other.joined;
}

Workspace read_workspace_of_claim(const json::Value& claim) {
  Workspace workspace = read_workspace_labels(claim);
  const auto name = read_claim_name(kube::identity_of(claim).name);
  if (!name) return workspace;
  Workspace by_name;
  by_name.id = name->id, by_name.owner = name->owner, by_name.name = name->workspace;
  by_name.joined = name->joined;
  fill_up(workspace, by_name);
  return workspace;
}

Workspace read_workspace_of_workload(const json::Value& workload) {
  Workspace workspace = read_workspace_labels(workload);
  if (workspace.id.empty()) workspace.id = read_workload_id(kube::identity_of(workload).name);
  return workspace;
}

bool belongs_to_database(const json::Value& claim) {
  return !kube::label_of(claim, k_database_label).empty();
}

std::optional<FoundBy> recognise_claim(const json::Value& claim) {
  if (belongs_to_database(claim)) return std::nullopt;
  if (kube::label_of(claim, k_resource_label) == "true" || has_any(claim, true)) return FoundBy::label;
  if (has_any(claim, false)) return FoundBy::older_label;
  if (read_claim_name(kube::identity_of(claim).name)) return FoundBy::name;
  return std::nullopt;
}

bool contradicts_itself(const json::Value& claim) {
  const std::string id = read_workspace_labels(claim).id;
  const auto name = read_claim_name(kube::identity_of(claim).name);
  return !id.empty() && name && !name->id.empty() && name->id != id;
}

bool is_prebuild(const Workspace& workspace) {
  return workspace.owner == k_prebuilds_owner || workspace.owner_id == k_prebuilds_owner_id ||
         (workspace.owner.empty() && workspace.joined.starts_with(std::string(k_prebuilds_owner) + "-"));
}

bool runs_agent(const json::Value& pod_spec) {
  for (const char* list : {"/containers", "/initContainers"}) {
    for (const json::Value& container : pod_spec.items_at(list)) {
      for (const json::Value& variable : container.items_at("/env")) {
        if (variable.text_at("/name") == k_agent_token) return true;
      }
    }
  }
  return false;
}

std::vector<std::string> workspace_label_fields() {
  std::vector<std::string> fields;
  const auto add = [&](std::string_view label) {
    fields.push_back("/metadata/labels/" + json::pointer_token(label));
  };
  for (const LabelPair& pair : k_labels) {
    add(pair.today);
    add(pair.older);
  }
  add(k_resource_label);
  add(k_database_label);
  return fields;
}

std::vector<std::string> pod_spec_fields(std::string_view spec) {
  std::vector<std::string> fields;
  for (const char* field : {"/volumes/*/persistentVolumeClaim/claimName", "/containers/*/env/*/name",
                            "/initContainers/*/env/*/name"}) {
    fields.push_back(std::string(spec) + field);
  }
  return fields;
}

}  // namespace truenas::coder
