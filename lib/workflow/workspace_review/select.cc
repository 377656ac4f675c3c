#include "lib/workflow/workspace_review/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/storage/claim.h"

namespace truenas::workflow {
namespace {

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_being_resized(const json::Value& object) {
  for (const json::Value& condition : object.items_at("/status/conditions")) {
    const std::string& type = condition.text_at("/type");
    const bool size = type == "Resizing" || type == "FileSystemResizePending";
    if (size && condition.text_at("/status") != "False") return true;
  }
  return false;
}

// Labels of a claim are those of the build that wrote them last: where the template ignores changes, a
// workspace that began as a prebuild is called one for ever. The Pod that runs now knows better.
void learn_from_uses(coder::Workspace& workspace, const std::vector<ClaimUse>& uses) {
  for (const ClaimUse& use : uses) {
    if (!use.agent) continue;
    const bool claimed =
        coder::is_prebuild(workspace) && !use.workspace.owner.empty() && !coder::is_prebuild(use.workspace);
    if (!claimed) {
      coder::fill_up(workspace, use.workspace);
      continue;
    }
    coder::Workspace known = use.workspace;
    known.labelled = workspace.labelled;
    workspace.owner.clear(), workspace.owner_id.clear(), workspace.name.clear(), workspace.joined.clear();
    coder::fill_up(known, workspace);
    workspace = known;
  }
}

std::vector<std::string> names_of(const SiteClaim& claim) {
  const coder::Workspace& workspace = claim.workspace;
  std::vector<std::string> names = {claim.live.name, workspace.name, workspace.id, workspace.joined};
  if (!workspace.owner.empty() && !workspace.name.empty()) {
    names.push_back(workspace.owner + "/" + workspace.name);
  }
  std::erase(names, "");
  return names;
}

}  // namespace

std::optional<SiteClaim> select_claim(const json::Value& object, const UsesOfClaims& uses,
                                      const WorkspaceOptions& options) {
  const kube::Identity identity = kube::identity_of(object);
  const bool matched = options.name_pattern && options.name_pattern->matches(identity.name);
  if (options.name_pattern && !matched) return std::nullopt;
  const auto found = uses.find({identity.ns, identity.name});
  const bool agent = found != uses.end() && std::any_of(found->second.begin(), found->second.end(),
                                                        [](const ClaimUse& use) { return use.agent; });
  std::optional<coder::FoundBy> by = coder::recognise_claim(object);
  if (!by && !coder::belongs_to_database(object)) {
    if (agent) {
      by = coder::FoundBy::mount;
    } else if (matched || is_one_of(options.names, identity.name)) {
      by = coder::FoundBy::asked;
    }
  }
  if (!by) return std::nullopt;
  SiteClaim claim;
  claim.live = coder::read_live_claim(object);
  const storage::Claim said = storage::read_claim(object);
  claim.live.storage_class = said.storage_class;
  claim.uid = said.uid;
  claim.phase = said.phase;
  claim.resizing = is_being_resized(object);
  claim.workspace = coder::read_workspace_of_claim(object);
  claim.found_by = *by;
  claim.contradicts_itself = coder::contradicts_itself(object);
  if (found != uses.end()) learn_from_uses(claim.workspace, found->second);
  return claim;
}

Result<void> keep_named(std::vector<SiteClaim>& claims, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::set<std::string> used;
  std::vector<std::string> candidates;
  std::vector<SiteClaim> kept;
  for (SiteClaim& claim : claims) {
    const std::vector<std::string> own = names_of(claim);
    bool wanted = false;
    for (const std::string& name : own) {
      if (!is_one_of(names, name)) continue;
      wanted = true;
      used.insert(name);
    }
    candidates.insert(candidates.end(), own.begin(), own.end());
    if (wanted) kept.push_back(std::move(claim));
  }
  for (const std::string& name : names) {
    if (used.contains(name)) continue;
    Error error =
        make_error(Kind::not_found, fmt::format("no workspace or claim of one is called {}", quote(name)));
    if (const auto near = nearest(name, candidates))
      error.hints.push_back(fmt::format("did you mean {}?", *near));
    error.hints.push_back("kubectl truenas-migrate workspaces -A lists all of them");
    return error;
  }
  claims = std::move(kept);
  return {};
}

}  // namespace truenas::workflow
