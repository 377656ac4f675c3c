#include "lib/workflow/workspace_review/fate.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/coder/claim_match.h"

namespace truenas::workflow {
namespace {

// What the template's references stand for, as far as the claim tells.
coder::Values values_of(const coder::Workspace& workspace) {
  coder::Values values;
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) values[key] = value;
  };
  put("data.coder_workspace.me.id", workspace.id);
  put("data.coder_workspace.me.name", workspace.name);
  put("data.coder_workspace.me.owner", workspace.owner);
  put("data.coder_workspace.me.owner_id", workspace.owner_id);
  put("data.coder_workspace_owner.me.name", workspace.owner);
  put("data.coder_workspace_owner.me.id", workspace.owner_id);
  return values;
}

std::string only_default(const WorkspaceSite& site) {
  std::string name;
  for (const auto& [key, storage_class] : site.classes) {
    if (!storage_class.is_default) continue;
    if (!name.empty()) return "";
    name = key;
  }
  return name;
}

struct Choice {
  const TemplateText* text = nullptr;
  const coder::TemplateClaim* claim = nullptr;
  std::string why_not;
};

// Labels do not tell the template: it is the one whose claim can have this name.
Choice choose(const SiteClaim& claim, const coder::LiveClaim& live, const coder::Values& values,
              const std::vector<TemplateText>& templates) {
  Choice choice;
  std::vector<std::string> fitting, unsure;
  for (const TemplateText& text : templates) {
    if (!claim.workspace.template_name.empty() && templates.size() > 1 &&
        claim.workspace.template_name != text.name) {
      continue;
    }
    const coder::Match match = coder::find_claim(text.text, live, values);
    if (match.kind == coder::Match::Kind::one) {
      choice.text = &text, choice.claim = match.claim;
      fitting.push_back(text.name);
    } else if (match.kind == coder::Match::Kind::unsure) {
      unsure.push_back(fmt::format("{}: {}", text.name, match.why));
    }
  }
  if (fitting.size() == 1 && unsure.empty()) return choice;
  if (fitting.size() > 1) {
    choice.why_not = "more than one template makes claims of this name: " + join(fitting, ", ");
  } else if (!unsure.empty()) {
    choice.why_not = join(unsure, "; ");
  } else {
    choice.why_not = "no template that was given makes a claim of this name";
  }
  return choice;
}

void complete(const coder::Question& question, const coder::LiveClaim& live, const WorkspaceSite& site,
              ClaimFate& fate) {
  fate.template_name = fate.text->name;
  fate.now = coder::next_build(question, live);
  coder::LiveClaim after = live.storage_class == question.new_class ? live : coder::swapped(live, question);
  if (const auto found = site.classes.find(question.new_class); found != site.classes.end()) {
    after.class_expands = found->second.expansion;
  }
  fate.after = coder::next_build(question, after);
}

}  // namespace

coder::LiveClaim with_surroundings(const SiteClaim& claim, const WorkspaceSite& site) {
  coder::LiveClaim live = claim.live;
  if (const auto found = site.classes.find(live.storage_class); found != site.classes.end()) {
    live.class_expands = found->second.expansion;
  }
  if (const auto found = site.volumes.find(live.volume_name); found != site.volumes.end()) {
    live.volume_retained = found->second.reclaim_policy == "Retain";
  }
  return live;
}

coder::Question question_about(const SiteClaim& claim, const WorkspaceSite& site, const TemplateText& text,
                               const std::string& from_class, const std::string& to_class) {
  coder::Question question;
  question.text = &text.text;
  question.values = values_of(claim.workspace);
  question.old_class = from_class, question.new_class = to_class;
  question.default_class = only_default(site);
  if (site.coder) add_knowledge(claim, *site.coder, text, "", question);
  return question;
}

ClaimFate foresee(const SiteClaim& claim, const WorkspaceSite& site,
                  const std::vector<TemplateText>& templates, const std::string& from_class,
                  const std::string& to_class) {
  ClaimFate fate;
  if (templates.empty()) {
    fate.unknown = "no template was given";
    return fate;
  }
  const coder::LiveClaim live = with_surroundings(claim, site);
  const coder::Values values = values_of(claim.workspace);
  const Choice choice = choose(claim, live, values, templates);
  fate.unknown = choice.why_not;
  if (!choice.why_not.empty()) return fate;
  fate.text = choice.text;
  complete(question_about(claim, site, *choice.text, from_class, to_class), live, site, fate);
  fate.claim_address = choice.claim->address();
  return fate;
}

ClaimFate foresee_version(const SiteClaim& claim, const WorkspaceSite& site, const std::string& version_id,
                          const std::string& from_class, const std::string& to_class) {
  ClaimFate fate;
  const CoderText* text = site.coder->find_text(version_id);
  if (text == nullptr || !text->unknown.empty()) {
    fate.unknown = text == nullptr ? "the text of its version was not read" : text->unknown;
    return fate;
  }
  fate.text = &text->text;
  fate.version = text->version;
  coder::Question question = question_about(claim, site, text->text, from_class, to_class);
  add_knowledge(claim, *site.coder, text->text, version_id, question);
  const coder::LiveClaim live = with_surroundings(claim, site);
  complete(question, live, site, fate);
  const coder::Match match = coder::find_claim(text->text.text, live, question.values);
  if (match.claim != nullptr) fate.claim_address = match.claim->address();
  return fate;
}

}  // namespace truenas::workflow
