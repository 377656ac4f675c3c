#pragma once
// Which claims are workspaces' claims, and whose: by labels, by name, or because a Pod that carries Coder's
// agent mounts them. Pure; it reads documents and decides nothing about moving them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"

namespace truenas::coder {

// The user that owns prebuilt workspaces before somebody claims one: its name and id in every Coder.
inline constexpr std::string_view k_prebuilds_owner = "prebuilds";
inline constexpr std::string_view k_prebuilds_owner_id = "c42fdf75-3097-471c-8c33-fb52454d81c0";

// As far as it is known; "" is unknown.
struct Workspace {
  std::string id, name, owner, owner_id, template_name;
  std::string joined;     // "carol-docker" where the name does not tell owner and workspace apart
  bool labelled = false;  // carries com.coder.* labels
  // "alice/backend", or what there is of it; the id or "" when nothing else is known.
  std::string title() const;
};

// What made a claim count as a workspace's; the first that holds.
enum class FoundBy { label, older_label, name, mount, asked };
std::string_view found_by_name(FoundBy found);  // "label", "name", …

// Labels com.coder.* (today's templates), coder.* (the retired devcontainer template).
Workspace read_workspace_labels(const json::Value& object);
// The claim's labels, filled up from its name where they are silent.
Workspace read_workspace_of_claim(const json::Value& claim);
// Labels of a workload or Pod, its name (only an id can be read from that) where they are silent.
Workspace read_workspace_of_workload(const json::Value& workload);
// What `known` leaves open, from `other`.
void fill_up(Workspace& known, const Workspace& other);
// By label or by name; nullopt: neither says so. A claim of a database cluster is never one, whatever it is
// called.
std::optional<FoundBy> recognise_claim(const json::Value& claim);
bool belongs_to_database(const json::Value& claim);
// Labels and name say different ids: nothing may be concluded about whose the claim is.
bool contradicts_itself(const json::Value& claim);

// Owned by the prebuilds user. Labels are those of the last build that wrote them: see workspace_review.h.
bool is_prebuild(const Workspace& workspace);

// Of a Pod's spec: whether any container has CODER_AGENT_TOKEN in its environment.
bool runs_agent(const json::Value& pod_spec);

// JSON pointers of what is read here, for kube::ListOptions::wanted; `spec` is where the Pod's spec lies
// ("/spec", "/spec/template/spec").
std::vector<std::string> workspace_label_fields();
std::vector<std::string> pod_spec_fields(std::string_view spec);

}  // namespace truenas::coder
