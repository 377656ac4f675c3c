// Questions about who may build.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {

bool is_frozen_for(const ClaimRole& role, const std::string& claim) {
  return role.frozen && std::any_of(role.owners.begin(), role.owners.end(),
                                    [&](const FreezeOwner& owner) { return owner.claim == claim; });
}

bool builds_are_frozen(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (options.accepted.contains(k_no_build_freeze)) return true;
  // A freeze that is only another claim's ends when that one's run does.
  return world.freeze.holds() && role_to_freeze(world, options) == nullptr;
}

const ClaimRole* role_to_freeze(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (world.freeze.down || !world.freeze.deployed) return nullptr;
  for (const ClaimRole& role : world.freeze.roles) {
    if (role.grants || !is_frozen_for(role, options.full_name())) return &role;
  }
  return nullptr;
}

bool may_thaw(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  if (!is_open(world)) return true;
  // Row H7 of facts/coder.md §6: what it has planned against the one claim it would do to the other.
  if (may_be_building(world)) return false;
  if (!world.facts.cutover || was_served(world, options)) return true;
  return world.claim.exists && !world.claim.terminating && world.claim.phase == "Bound";
}

std::vector<std::string> entries_to_drop(const ClaimRole& role, const WorkspaceCopyOptions& options,
                                         bool own) {
  std::vector<std::string> claims;
  for (const FreezeOwner& owner : role.owners) {
    if (owner.claim == options.full_name() ? own : owner.over()) claims.push_back(owner.claim);
  }
  return claims;
}

const ClaimRole* role_to_thaw(const SwapWorld& world, const WorkspaceCopyOptions& options, bool own) {
  for (const ClaimRole& role : world.freeze.roles) {
    if (!role.frozen || role.damaged) continue;
    if (role.owners.empty() || !entries_to_drop(role, options, own).empty()) return &role;
  }
  return nullptr;
}

std::string role_key(const SwapWorld& world, const ClaimRole& role) {
  const Result<json::Value> rules = rules_before(role);
  const std::string text = role.uid + (rules.ok() ? json::write(*rules) : "");
  return fmt::format("run-{}.role-{}", world.facts.number, sha256_hex(text).substr(0, 12));
}

}  // namespace truenas::workflow
