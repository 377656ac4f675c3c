// CC8, and what Coder could not be asked.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/workflow/workspace_review/coder_checks.h"

namespace truenas::workflow {
namespace {

void note_unasked(const WorkspaceSite& site, WorkspaceReview& review) {
  const std::string why = site.no_coder.empty() ? "" : ": " + site.no_coder;
  review.unchecked.push_back(
      {"CK9", "whether each workspace still exists in Coder only Coder can tell" + why});
  if (!why.empty())
    review.unchecked.push_back({"CC2-CC8", "what builds Coder has and will begin is not known" + why});
}

// Claims whose names say nothing else than that they should be there.
void check_missing(const CoderView& view, const WorkspaceSite& site, const WorkspaceOptions& options,
                   WorkspaceReview& review) {
  std::set<std::string> present;
  for (const SiteClaim& claim : site.claims) present.insert(claim.live.ns + "/" + claim.live.name);
  for (const auto& [key, workspace] : view.workspaces) {
    const auto state = view.states.find(workspace.latest_build.id);
    if (state == view.states.end() || workspace.owner_id == coder::k_prebuilds_owner_id) continue;
    for (const coder::StateResource& resource : state->second) {
      const std::string ns = resource.id.substr(0, resource.id.find('/'));
      const bool looked =
          options.namespaces.empty() ||
          std::find(options.namespaces.begin(), options.namespaces.end(), ns) != options.namespaces.end();
      if (!coder::is_claim_type(resource.type) || !looked || present.contains(resource.id)) continue;
      review.findings.push_back(
          {"CC8", Severity::warning, "", "", fmt::format("workspace {}/{}", workspace.owner, workspace.name),
           fmt::format("its claim {} is not among the workspaces' claims here: if it is gone, the next build "
                       "makes an "
                       "empty home (row H1)",
                       printable(resource.id)),
           fmt::format("kubectl get persistentvolumeclaim -n {} {}", printable(ns),
                       printable(resource.id.substr(std::min(resource.id.size(), ns.size() + 1))))});
    }
  }
}

}  // namespace

void check_coder_site(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceReview& review) {
  if (!site.coder) return note_unasked(site, review);
  const CoderView& view = *site.coder;
  review.coder_url = view.url;
  review.notes.push_back(fmt::format("Coder at {} was asked as {}", view.url, printable(view.user)));
  const auto known = std::count_if(review.rows.begin(), review.rows.end(),
                                   [](const WorkspaceRow& row) { return row.at_coder.has_value(); });
  if (known == 0 && !review.rows.empty()) {
    review.unchecked.push_back(
        {"CK9",
         fmt::format(
             "the Coder at {} knows none of these workspaces: is it another deployment's, or may {} not "
             "see them?",
             view.url, printable(view.user))});
  } else if (!view.sees_all) {
    review.unchecked.push_back(
        {"CK9",
         fmt::format("{} does not see every workspace (Owner and Template Admin do)", printable(view.user))});
  }
  if (const auto why = view.unread.find("parameters"); why != view.unread.end())
    review.unchecked.push_back({"CC5", "the workspaces' parameters are not known: " + why->second});
  if (const auto why = view.unread.find("states"); why != view.unread.end())
    review.unchecked.push_back(
        {"CC7, CC8", "the workspaces' Terraform states are not known: " + why->second});
  if (options.names.empty() && options.selector.empty() && !options.name_pattern)
    check_missing(view, site, options, review);
}

}  // namespace truenas::workflow
