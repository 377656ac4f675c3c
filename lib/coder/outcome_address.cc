// The address of the claim in Terraform's state against the one in the template (rows I1 to I5).

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/coder/claim_match.h"
#include "lib/coder/outcome_internal.h"
#include "lib/coder/template_internal.h"

namespace truenas::coder {
namespace {

std::string type_of(std::string_view address) {
  return std::string(address.substr(0, address.find('.')));
}

// Where moved blocks take an address; they may follow each other.
std::string moved_to(const Template& text, std::string address) {
  for (std::size_t steps = 0; steps <= text.moved.size(); ++steps) {
    const auto found = std::find_if(text.moved.begin(), text.moved.end(), [&](const Moved& moved) {
      return moved.from == address || moved.from == without_index(address);
    });
    if (found == text.moved.end()) break;
    address = found->to;
  }
  return address;
}

Outcome renamed(const TemplateClaim& claim, const LiveClaim& live, const std::string& from) {
  Outcome outcome;
  outcome.fate = Fate::destroyed;
  outcome.row = claim.ignored.kind == IgnoredChanges::Kind::all ? "I2" : "I1";
  outcome.consequence = fmt::format(
      "{} is deleted as {} while {} is made: the build fails with \"already exists\", the claim goes, and "
      "the next build makes an empty home; neither ignore_changes nor prevent_destroy helps",
      claim_text(live), from, claim.address());
  outcome.advice = fmt::format(
      "build existing workspaces on a version with a removed block for {} (destroy = false) and an import of "
      "{}, or keep the old type",
      from, claim.address());
  return outcome;
}

Outcome cannot_move(const TemplateClaim& claim, const std::string& from) {
  Outcome outcome;
  outcome.fate = Fate::build_fails;
  outcome.row = "I3";
  outcome.consequence = fmt::format(
      "the plan fails with \"Move Resource State Not Supported\": {} cannot be moved to {}, and no build of "
      "the workspace goes through",
      from, claim.address());
  outcome.advice = "replace the moved block by removed { destroy = false } and import";
  return outcome;
}

Outcome forgotten(const LiveClaim& live) {
  Outcome outcome;
  outcome.fate = Fate::build_fails;
  outcome.row = "I";
  outcome.consequence = fmt::format("{} is forgotten and made again: the build fails with \"already exists\"",
                                    claim_text(live));
  outcome.advice = "add an import block for it";
  return outcome;
}

AddressVerdict judge_removed(const TemplateClaim& claim, const LiveClaim& live, const Question& question,
                             const Removed& removed) {
  if (removed.destroys) return {renamed(claim, live, removed.from), {}, false};
  const auto& imports = question.text->imports;
  const auto found = std::find_if(imports.begin(), imports.end(), [&](const Import& import) {
    return without_index(import.to) == claim.address();
  });
  if (found == imports.end()) return {forgotten(live), {}, false};
  const auto same = can_be(found->id, question.values, live.ns + "/" + live.name);
  if (!same) {
    const std::string needs =
        fmt::format("the import's id {} gives {}/{}", printable(found->id.expression), live.ns, live.name);
    return {{}, needs, true};
  }
  if (!*same) {
    Outcome outcome;
    outcome.row = "I4";
    outcome.consequence = fmt::format("the import names another claim than {}/{}", live.ns, live.name);
    outcome.advice = "correct the import's id";
    return {outcome, {}, false};
  }
  return {{}, {}, true};
}

}  // namespace

const TemplateClaim* claim_in_state(const Question& question) {
  if (!question.before || question.before->address.empty()) return nullptr;
  const std::string address = without_index(moved_to(*question.text, question.before->address));
  const auto& claims = question.text->claims;
  const auto found = std::find_if(claims.begin(), claims.end(),
                                  [&](const TemplateClaim& claim) { return claim.address() == address; });
  return found == claims.end() ? nullptr : &*found;
}

AddressVerdict judge_address(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  const Template& text = *question.text;
  const auto removal_of = [&](const std::string& address) {
    return std::find_if(text.removed.begin(), text.removed.end(),
                        [&](const Removed& removed) { return without_index(removed.from) == address; });
  };
  if (question.before && question.before->same_version) return {};
  if (!question.before || question.before->address.empty()) {
    std::string address = claim.address();
    // Both ends of a carry-over are safe.
    for (const Removed& removed : text.removed) {
      const AddressVerdict verdict = judge_removed(claim, live, question, removed);
      if (verdict.carried_over && !verdict.needs) address += " or " + removed.from;
    }
    return {
        {}, fmt::format("the workspace's Terraform state holds the claim as {}", printable(address)), false};
  }
  const std::string& start = question.before->address;
  const std::string moved = moved_to(text, start), before = without_index(moved);
  if (type_of(moved) != type_of(start)) return {cannot_move(claim, start), {}, false};
  if (before == claim.address()) {
    // Terraform moves between no index and [0] by itself; any other instance goes.
    const std::string index = moved.substr(before.size());
    if (claim.repetition == Repetition::once && !index.empty() && index != "[0]")
      return {renamed(claim, live, start), {}, false};
    return {};
  }
  const auto removed = removal_of(before);
  if (removed != text.removed.end()) return judge_removed(claim, live, question, *removed);
  return {renamed(claim, live, start), {}, false};
}

}  // namespace truenas::coder
