#pragma once
// What Terraform with the provider hashicorp/kubernetes does to the home claims of a template: plan, then
// apply of that saved plan, by name, as measured (facts 6) and as its schema has it (facts 2.1). A model of
// its own, written without lib/coder's: where that is wrong, a test's data is destroyed here.

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/json/value.h"
#include "tests/fakes/coderd_text.h"

namespace truenas::fakes {

// A request to the cluster, past any fault of a test. status 0: no answer.
struct DoorReply {
  int status = 0;
  json::Value body;
  bool ok() const { return status / 100 == 2; }
};
using ClusterDoor = std::function<DoorReply(const std::string& method, const std::string& path,
                                            const std::string& content_type, const json::Value& body)>;

// A claim as the text wants it.
struct WantedClaim {
  std::string address, ns, name;
  std::optional<std::string> storage_class, volume_name, volume_mode;
  std::set<std::string> access_modes;
  std::string request;
  std::map<std::string, std::string> labels, annotations;
  std::vector<std::string> ignored;  // "all", "spec[0].storage_class_name"
  bool ignores(std::string_view path) const;
};

struct RemovedBlock {
  std::string from;
  bool destroys = true;
};

struct WantedState {
  std::vector<WantedClaim> claims;
  std::vector<RemovedBlock> removed;
  std::map<std::string, std::string> imports;  // address to "namespace/name"
  std::map<std::string, std::string> moved;    // from to to
};
// What the text wants of a build; values hold "data.coder_workspace.me.start_count".
Result<WantedState> read_wanted(const std::string& text, TextValues values);

// Address to "namespace/name": the claims of a Terraform state.
using ClaimState = std::map<std::string, std::string>;

struct ClaimOperation {
  enum class Kind { create, patch, remove, await_gone, forget, import } kind = Kind::create;
  std::string address, id;  // id: "namespace/name" in the cluster
  WantedClaim wanted;       // create
  json::Value patch;        // patch: a JSON patch
};

struct ClaimPlan {
  std::deque<ClaimOperation> operations;
  std::vector<std::string> actions;       // "replace kubernetes_persistent_volume_claim.home", for tests
  std::vector<std::string> replacements;  // log lines: "-/+ … (replace)", "~ spec.0.storage_class_name: …"
  ClaimState refreshed;                   // the state once looked at
};

// terraform plan -refresh=true -out: reads only. Kind::refused when the plan itself fails (I3, I5).
Result<ClaimPlan> plan_claims(const WantedState& wanted, ClaimState state, const ClusterDoor& door);

// One operation of terraform apply; changes `state` as far as it came. false: not done yet, try again (a
// claim that does not go). An error is the resource's.
Result<bool> apply_operation(const ClaimOperation& operation, ClaimState& state, const ClusterDoor& door);

std::string claim_path(const std::string& id);

}  // namespace truenas::fakes
