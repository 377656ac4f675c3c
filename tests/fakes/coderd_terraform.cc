#include "tests/fakes/coderd_terraform.h"

#include <fmt/format.h>

#include "tests/fakes/coderd_compare.h"

namespace truenas::fakes {
namespace {

using json::Value;
using Operation = ClaimOperation;

std::string id_of(const WantedClaim& claim) {
  return claim.ns + "/" + claim.name;
}

std::string type_of(std::string_view address) {
  return std::string(address.substr(0, address.find('.')));
}

void destroy(const std::string& address, const std::string& id, ClaimPlan& plan) {
  plan.actions.push_back("delete " + address);
  plan.operations.push_back({Operation::Kind::remove, address, id, {}, {}});
  plan.operations.push_back({Operation::Kind::await_gone, address, id, {}, {}});
}

void create(const WantedClaim& claim, ClaimPlan& plan) {
  plan.operations.push_back({Operation::Kind::create, claim.address, id_of(claim), claim, {}});
}

// An address that is in the state and in the text.
Result<void> plan_change(const WantedClaim& claim, const std::string& id, const ClusterDoor& door,
                         ClaimPlan& plan) {
  const DoorReply live = door("GET", claim_path(id), "", {});
  if (!live.ok()) return make_error(Kind::unavailable, fmt::format("cannot read {}: {}", id, live.status));
  ClaimDifference difference = compare_claim(claim, live.body);
  const bool renamed = id != id_of(claim) && !claim.ignores("metadata[0].name");
  if (renamed) difference.forced.push_back("~ metadata.0.name (forces replacement)");
  if (!difference.forced.empty()) {
    plan.replacements.push_back(fmt::format("-/+ {} (replace)", claim.address));
    for (const std::string& line : difference.forced) plan.replacements.push_back(line);
    destroy(claim.address, id, plan);
    plan.actions.back() = "replace " + claim.address;
    create(claim, plan);
  } else if (!difference.patch.items().empty()) {
    plan.actions.push_back("update " + claim.address);
    plan.operations.push_back({Operation::Kind::patch, claim.address, id, {}, std::move(difference.patch)});
  }
  return {};
}

// moved, removed and import blocks, in Terraform's order.
Result<void> plan_addresses(const WantedState& wanted, const ClusterDoor& door, ClaimPlan& plan) {
  for (const auto& [from, to] : wanted.moved) {
    const auto found = plan.refreshed.find(from);
    if (found == plan.refreshed.end()) continue;
    if (type_of(from) != type_of(to)) return make_error(Kind::refused, "Move Resource State Not Supported");
    plan.refreshed[to] = found->second;
    plan.refreshed.erase(from);
  }
  for (const auto& [address, id] : wanted.imports) {
    if (plan.refreshed.contains(address)) continue;
    if (door("GET", claim_path(id), "", {}).status == 404) {
      return make_error(Kind::refused, "Cannot import non-existent remote object: " + id);
    }
    plan.actions.push_back("import " + address);
    plan.operations.push_back({Operation::Kind::import, address, id, {}, {}});
    plan.refreshed[address] = id;
  }
  for (const RemovedBlock& removed : wanted.removed) {
    const auto found = plan.refreshed.find(removed.from);
    if (found == plan.refreshed.end()) continue;
    if (removed.destroys) {
      destroy(found->first, found->second, plan);
    } else {
      plan.actions.push_back("forget " + found->first);
      plan.operations.push_back({Operation::Kind::forget, found->first, found->second, {}, {}});
    }
    plan.refreshed.erase(found);
  }
  return {};
}

Value claim_body(const WantedClaim& claim) {
  Value body = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}});
  body.set_at("/metadata/name", claim.name);
  body.set_at("/metadata/namespace", claim.ns);
  Value labels = Value::object(), annotations = Value::object(), modes = Value::array();
  for (const auto& [key, value] : claim.labels) labels.set(key, value);
  for (const auto& [key, value] : claim.annotations) annotations.set(key, value);
  for (const std::string& mode : claim.access_modes) modes.push_back(mode);
  if (!claim.labels.empty()) body.set_at("/metadata/labels", labels);
  if (!claim.annotations.empty()) body.set_at("/metadata/annotations", annotations);
  body.set_at("/spec/accessModes", modes);
  body.set_at("/spec/resources/requests/storage", claim.request);
  if (claim.storage_class) body.set_at("/spec/storageClassName", *claim.storage_class);
  if (claim.volume_name) body.set_at("/spec/volumeName", *claim.volume_name);
  if (claim.volume_mode) body.set_at("/spec/volumeMode", *claim.volume_mode);
  return body;
}

Error refusal(const std::string& what, const DoorReply& reply) {
  return make_error(Kind::refused,
                    fmt::format("{}: {} {}", what, reply.status, reply.body.text_at("/message")));
}

}  // namespace

std::string claim_path(const std::string& id) {
  const std::size_t slash = id.find('/');
  return fmt::format("/api/v1/namespaces/{}/persistentvolumeclaims/{}", id.substr(0, slash),
                     id.substr(slash + 1));
}

Result<ClaimPlan> plan_claims(const WantedState& wanted, ClaimState state, const ClusterDoor& door) {
  ClaimPlan plan;
  for (const auto& [address, id] : state) {
    const DoorReply reply = door("GET", claim_path(id), "", {});
    if (reply.ok()) plan.refreshed[address] = id;
    if (!reply.ok() && reply.status != 404) return refusal("refresh of " + id, reply);
  }
  TM_TRY(plan_addresses(wanted, door, plan));
  std::set<std::string> addresses;
  for (const WantedClaim& claim : wanted.claims) addresses.insert(claim.address);
  // Creates of other addresses do not wait for what is destroyed: the order of row I1.
  for (const WantedClaim& claim : wanted.claims) {
    if (plan.refreshed.contains(claim.address)) continue;
    plan.actions.push_back("create " + claim.address);
    create(claim, plan);
  }
  for (const auto& [address, id] : plan.refreshed) {
    if (!addresses.contains(address)) destroy(address, id, plan);
  }
  for (const WantedClaim& claim : wanted.claims) {
    const auto found = plan.refreshed.find(claim.address);
    if (found != plan.refreshed.end()) TM_TRY(plan_change(claim, found->second, door, plan));
  }
  return plan;
}

Result<bool> apply_operation(const ClaimOperation& operation, ClaimState& state, const ClusterDoor& door) {
  const std::string path = claim_path(operation.id);
  switch (operation.kind) {
    case Operation::Kind::forget:
      state.erase(operation.address);
      return true;
    case Operation::Kind::import:
      state[operation.address] = operation.id;
      return true;
    case Operation::Kind::create: {
      const std::string collection = path.substr(0, path.rfind('/'));
      const DoorReply reply = door("POST", collection, "application/json", claim_body(operation.wanted));
      if (!reply.ok()) return refusal("create " + operation.id, reply);
      state[operation.address] = operation.id;
      return true;
    }
    case Operation::Kind::patch: {
      const DoorReply reply = door("PATCH", path, "application/json-patch+json", operation.patch);
      if (!reply.ok()) return refusal("patch " + operation.id, reply);
      return true;
    }
    case Operation::Kind::remove: {
      // By name: whatever holds it now (row H7).
      const DoorReply reply = door("DELETE", path, "", {});
      if (!reply.ok() && reply.status != 404) return refusal("delete " + operation.id, reply);
      return true;
    }
    case Operation::Kind::await_gone: {
      const DoorReply reply = door("GET", path, "", {});
      if (reply.status != 404) return false;
      state.erase(operation.address);
      return true;
    }
  }
  return true;
}

}  // namespace truenas::fakes
