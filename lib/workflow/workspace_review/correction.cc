#include "lib/workflow/workspace_review/correction.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/base/text.h"

namespace truenas::workflow {
namespace {

// The homes of one claim resource of one template.
struct Group {
  const TemplateText* text = nullptr;
  std::string claim_address;
  std::vector<const WorkspaceRow*> rows;
};

std::vector<Group> groups_of(const WorkspaceReview& review) {
  std::vector<Group> groups;
  for (const WorkspaceRow& row : review.rows) {
    // What is being deleted is past any template's help.
    const bool passed_over = row.verdict == WorkspaceVerdict::skipped || row.claim.live.terminating;
    if (passed_over || !row.fate.unknown.empty()) continue;
    const auto same = [&](const Group& group) {
      return group.text == row.fate.text && group.claim_address == row.fate.claim_address;
    };
    auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found == groups.end()) {
      found = groups.insert(groups.end(), {row.fate.text, row.fate.claim_address, {}});
    }
    found->rows.push_back(&row);
  }
  return groups;
}

Result<TemplateText> with_changes(TemplateText text, const std::vector<coder::SourceFile>& changed) {
  for (coder::SourceFile& file : text.files) {
    for (const coder::SourceFile& change : changed) {
      if (change.path == file.path) file.text = change.text;
    }
  }
  TM_TRY_ASSIGN(text.text, coder::read_template(text.files));
  return text;
}

void check_outcome(const coder::Outcome& outcome, const std::string& claim, const char* when,
                   TemplateCorrection& correction) {
  if (coder::is_harmless(outcome.fate)) return;
  std::string line =
      fmt::format("{}: {} {}: {}", claim, coder::fate_name(outcome.fate), when, outcome.consequence);
  // What it takes, the rewriting has said already.
  if (coder::may_be_harmless(outcome)) return;
  (outcome.fate == coder::Fate::unknown ? correction.undecided : correction.not_kept)
      .push_back(std::move(line));
}

void check_row(const WorkspaceRow& row, const std::vector<TemplateText>& only, const WorkspaceSite& site,
               const WorkspaceOptions& options, TemplateCorrection& correction) {
  const ClaimFate fate = foresee(row.claim, site, only, options.from_class, options.to_class);
  const std::string claim = row.claim.live.ns + "/" + row.claim.live.name;
  if (!fate.unknown.empty()) {
    correction.undecided.push_back(fmt::format("{}: {}", claim, fate.unknown));
    return;
  }
  check_outcome(fate.now, claim, "by its next build", correction);
  check_outcome(fate.after, claim, "once it is moved", correction);
}

}  // namespace

Result<std::vector<TemplateCorrection>> correct_templates(const WorkspaceReview& review,
                                                          const WorkspaceSite& site,
                                                          const WorkspaceOptions& options) {
  std::vector<TemplateCorrection> corrections;
  std::map<const TemplateText*, TemplateText> current;
  for (const Group& group : groups_of(review)) {
    TemplateText& text = current.try_emplace(group.text, *group.text).first->second;
    TemplateCorrection correction;
    correction.text = group.text;
    correction.claim_address = group.claim_address;
    correction.homes = group.rows.size();
    const SiteClaim& first = group.rows.front()->claim;
    const coder::Question question = question_about(first, site, text, options.from_class, options.to_class);
    correction.correction = question.default_class == options.to_class ? coder::Correction::remove_class
                                                                       : coder::Correction::ignore_all;
    auto rewritten = coder::rewrite_template(text.files, group.claim_address, correction.correction, question,
                                             with_surroundings(first, site));
    if (!rewritten.ok()) return rewritten.error().in("template " + printable(text.name));
    correction.rewritten = std::move(rewritten).value();
    TM_TRY_ASSIGN(text, with_changes(std::move(text), correction.rewritten.files));
    const std::vector<TemplateText> only = {text};
    for (const WorkspaceRow* row : group.rows) check_row(*row, only, site, options, correction);
    corrections.push_back(std::move(correction));
  }
  return corrections;
}

}  // namespace truenas::workflow
