// What is read of Coder's API for a review.

#include "lib/workflow/workspace_review/coder_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/workspace_review.h"

namespace truenas::workflow {
namespace {

// A workspace's state and parameters are a request each, and Coder allows 512 a minute.
constexpr std::size_t k_most_workspaces = 1000;

// The claim is of a workspace that Coder knows better: renamed since, or a prebuild that somebody has
// claimed.
void learn(SiteClaim& claim, const coder::ServerWorkspace& known) {
  coder::Workspace& workspace = claim.workspace;
  workspace.id = known.id;
  workspace.name = known.name, workspace.owner = known.owner, workspace.joined.clear();
  if (!known.owner_id.empty()) workspace.owner_id = known.owner_id;
  workspace.template_name = known.template_name;
}

bool looks_at_everything(const WorkspaceOptions& options) {
  return options.names.empty() && options.selector.empty() && !options.name_pattern;
}

CoderText read_text(const coder::ServerReader& server, const std::string& version_id,
                    const std::string& template_name) {
  CoderText result;
  result.text.name = template_name;
  const Result<coder::TemplateVersion> version = server.get_version(version_id);
  if (!version.ok()) return result.unknown = version.error().what, result;
  result.version = version->name;
  Result<std::vector<coder::SourceFile>> files = server.template_text(version_id);
  if (!files.ok()) return result.unknown = files.error().what, result;
  result.text.files = std::move(files).value();
  Result<coder::Template> text = coder::read_template(result.text.files);
  if (!text.ok()) {
    result.unknown = fmt::format("template {} {}: {}", template_name, version->name, text.error().what);
    return result;
  }
  result.text.text = std::move(text).value();
  // An older Coder does not tell, nor to everybody: what depends on them stays undecided.
  result.variables = server.variables(version_id).value_or({});
  return result;
}

// Reads `what` of every workspace until one cannot be read; then the rest stays unknown too.
template <class Value>
void read_each(const std::vector<const coder::ServerWorkspace*>& workspaces, const char* what,
               const std::function<Result<Value>(const std::string&)>& read,
               std::map<std::string, Value>& into, CoderView& view) {
  if (workspaces.size() > k_most_workspaces) {
    view.unread[what] = fmt::format(
        "{} workspaces are too many to ask for one by one: give names or a selector", workspaces.size());
    return;
  }
  for (const coder::ServerWorkspace* workspace : workspaces) {
    Result<Value> value = read(workspace->latest_build.id);
    if (!value.ok()) {
      view.unread[what] = value.error().what;
      return;
    }
    into[workspace->latest_build.id] = std::move(value).value();
  }
}

// Of each claim's workspace: is it there? By its id, for a list is no proof that something is absent.
Result<void> look_for_absent(const coder::ServerReader& server, const WorkspaceSite& site, CoderView& view) {
  std::vector<std::string> missing;
  bool any_known = false;
  for (const SiteClaim& claim : site.claims) {
    if (workspace_of(claim, view) != nullptr) {
      any_known = true;
    } else if (!claim.workspace.id.empty() && !claim.contradicts_itself) {
      missing.push_back(claim.workspace.id);
    }
  }
  // Of a Coder that knows none of them nothing is concluded: see check_coder_site.
  if (!any_known || !view.sees_all) return {};
  for (const std::string& id : missing) {
    TM_TRY_ASSIGN(const auto found, server.find_workspace(id));
    if (!found) view.absent.insert(id);
  }
  return {};
}

}  // namespace

Result<void> observe_coder(const coder::ServerReader& server, const std::string& url,
                           const WorkspaceOptions& options, WorkspaceSite& site) {
  CoderView view;
  view.url = url;
  TM_TRY_ASSIGN(const coder::ServerUser user, server.me());
  view.user = user.username;
  view.sees_all = user.sees_all_workspaces();
  TM_TRY_ASSIGN(std::vector<coder::ServerWorkspace> listed, server.workspaces());
  for (coder::ServerWorkspace& workspace : listed) {
    std::string id = workspace.id;
    view.workspaces.emplace(std::move(id), std::move(workspace));
  }
  TM_TRY(look_for_absent(server, site, view));
  std::set<std::string> matched;
  for (SiteClaim& claim : site.claims) {
    const coder::ServerWorkspace* known = workspace_of(claim, view);
    if (known == nullptr) continue;
    matched.insert(known->id);
    learn(claim, *known);
  }
  std::vector<const coder::ServerWorkspace*> here, wanted;
  std::map<std::string, std::string> versions;  // to the template's name
  for (const auto& [key, workspace] : view.workspaces) {
    const bool has_claim = matched.contains(key);
    if (has_claim) here.push_back(&workspace);
    if (has_claim || looks_at_everything(options)) wanted.push_back(&workspace);
    if (!has_claim) continue;
    for (const std::string& id : {workspace.next_version_id(), workspace.latest_build.template_version_id,
                                  workspace.active_version_id})
      versions[id] = workspace.template_name;
  }
  read_each<std::vector<coder::StateResource>>(
      wanted, "states", [&](const std::string& id) { return server.state(id); }, view.states, view);
  read_each<std::map<std::string, std::string>>(
      here, "parameters", [&](const std::string& id) { return server.parameters(id); }, view.parameters,
      view);
  for (const auto& [id, name] : versions) view.texts[id] = read_text(server, id, name);
  site.coder = std::move(view);
  return {};
}

}  // namespace truenas::workflow
