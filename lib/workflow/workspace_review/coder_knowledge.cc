// Whose a claim is by Coder, and what Coder knows of its next build. Pure.

#include <algorithm>

#include "lib/base/text.h"
#include "lib/coder/claim_match.h"
#include "lib/workflow/workspace_review/site.h"

namespace truenas::workflow {
namespace {

// The state is the truth; the last version's text stands in for it where that build went through.
std::optional<coder::Before> before_in_coder(const SiteClaim& claim, const CoderView& view,
                                             const coder::ServerWorkspace& workspace,
                                             const coder::Values& values, const std::string& version_id) {
  const coder::Build& last = workspace.latest_build;
  const bool succeeded = last.job_status == "succeeded";
  const CoderText* text = view.find_text(last.template_version_id);
  const bool has_text = text != nullptr && text->unknown.empty();
  coder::Before before;
  before.same_version = succeeded && version_id == last.template_version_id;
  if (const auto state = view.states.find(last.id); state != view.states.end()) {
    for (const coder::StateResource& resource : state->second) {
      if (coder::is_claim_type(resource.type) && resource.id == claim.live.ns + "/" + claim.live.name)
        before.address = resource.address;
    }
    if (before.address.empty()) return std::nullopt;
  } else if (has_text && succeeded) {
    const coder::Match match = coder::find_claim(text->text.text, claim.live, values);
    if (match.kind != coder::Match::Kind::one) return std::nullopt;
    before.address = match.claim->address();
  } else {
    return std::nullopt;
  }
  if (!has_text) return before;
  const std::string plain = before.address.substr(0, before.address.find('['));
  for (const coder::TemplateClaim& one : text->text.text.claims) {
    if (one.address() == plain) before.storage_class = one.storage_class;
  }
  return before;
}

}  // namespace

const coder::ServerWorkspace* CoderView::find(const std::string& id) const {
  const auto found = workspaces.find(id);
  return found == workspaces.end() ? nullptr : &found->second;
}

const CoderText* CoderView::find_text(const std::string& version_id) const {
  const auto found = texts.find(version_id);
  return found == texts.end() ? nullptr : &found->second;
}

const coder::ServerWorkspace* workspace_of(const SiteClaim& claim, const CoderView& view) {
  const coder::Workspace& workspace = claim.workspace;
  if (claim.contradicts_itself) return nullptr;
  if (!workspace.id.empty()) return view.find(workspace.id);
  const coder::ServerWorkspace* only = nullptr;
  for (const auto& [id, one] : view.workspaces) {
    const bool named = !workspace.name.empty() && !workspace.owner.empty();
    const bool fits =
        named ? lower(one.owner) == lower(workspace.owner) && lower(one.name) == lower(workspace.name)
              : !workspace.joined.empty() && lower(one.owner + "-" + one.name) == lower(workspace.joined);
    if (!fits) continue;
    if (only != nullptr) return nullptr;
    only = &one;
  }
  return only;
}

void add_knowledge(const SiteClaim& claim, const CoderView& view, const TemplateText& text,
                   const std::string& version_id, coder::Question& question) {
  const coder::ServerWorkspace* workspace = workspace_of(claim, view);
  if (workspace == nullptr) return;
  if (const auto found = view.parameters.find(workspace->latest_build.id); found != view.parameters.end()) {
    for (const auto& [label, name] : text.text.parameters) {
      const auto value = found->second.find(name);
      if (value != found->second.end())
        question.values["data.coder_parameter." + label + ".value"] = value->second;
    }
  }
  if (const CoderText* version = view.find_text(version_id)) {
    for (const auto& [name, value] : version->variables) question.values["var." + name] = value;
  }
  question.before = before_in_coder(claim, view, *workspace, question.values, version_id);
}

}  // namespace truenas::workflow
