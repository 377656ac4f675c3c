#include "lib/coder/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/coder/claim_match.h"
#include "lib/coder/outcome_internal.h"
#include "lib/coder/template_internal.h"

namespace truenas::coder {
namespace {

Outcome doomed(const LiveClaim& live, const TemplateClaim* claim, const Question& question) {
  Outcome outcome;
  outcome.fate = Fate::doomed;
  // An interrupted replace whose template was put back afterwards plans clean.
  const bool put_back = claim != nullptr && question.before && question.before->storage_class &&
                        question.before->storage_class->is_literal() &&
                        question.before->storage_class->value == question.new_class &&
                        resolve(claim->storage_class, question.values) != question.new_class;
  outcome.row = put_back ? "C4" : "H5";
  outcome.consequence = fmt::format(
      "{} is being deleted and goes with its last Pod; Terraform does not look at that and may plan no "
      "change",
      claim_text(live));
  outcome.advice = "set its volume to Retain before anything stops the Pod, and stop nothing until then";
  return outcome;
}

Outcome without_claim(const LiveClaim& live, const Question& question) {
  Outcome outcome;
  outcome.row = "I";
  const auto& removed = question.text->removed;
  const bool is_forgotten =
      question.before && std::any_of(removed.begin(), removed.end(), [&](const Removed& one) {
        return !one.destroys && without_index(one.from) == without_index(question.before->address);
      });
  if (live.absent || is_forgotten) {
    outcome.fate = Fate::kept;
    outcome.consequence =
        fmt::format("the template has no such claim{}", live.absent ? "" : " and forgets it");
    return outcome;
  }
  const bool is_held = question.before && !question.before->address.empty();
  outcome.fate = is_held ? Fate::destroyed : Fate::unknown;
  outcome.consequence =
      fmt::format("the template has no claim that makes {}/{}: {}", live.ns, live.name,
                  is_held ? "the build deletes it" : "a build deletes it if the workspace's state holds it");
  outcome.advice = "build the workspace on a version that has the claim";
  if (!is_held) {
    outcome.conditions = {"the workspace's Terraform state does not hold the claim"};
    outcome.if_so = Fate::kept;
  }
  return outcome;
}

// No claim of the template has this name or namespace, but one is what the state holds as it.
Outcome renamed(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  if (claim.ignored.kind == IgnoredChanges::Kind::all) return judge(claim, live, question);
  const Setting& name = claim.name.is_absent() ? claim.generate_name : claim.name;
  return replaced(live, claim, "I",
                  fmt::format("{} in namespace {} is another name", printable(name.expression),
                              claim.ns.is_absent() ? "default" : printable(claim.ns.expression)));
}

Outcome unmatched(const LiveClaim& live, const Question& question) {
  const TemplateClaim* held = claim_in_state(question);
  if (held == nullptr || live.absent) return without_claim(live, question);
  return renamed(*held, live, question);
}

}  // namespace

std::string_view fate_name(Fate fate) {
  constexpr std::array<std::string_view, 8> names = {
      "kept",   "updated in place", "destroyed",   "destroyed at stop",
      "doomed", "empty home",       "build fails", "unknown"};
  return names[static_cast<std::size_t>(fate)];
}

bool is_harmless(Fate fate) {
  return fate == Fate::kept || fate == Fate::updated || fate == Fate::build_fails;
}

bool may_be_harmless(const Outcome& outcome) {
  return outcome.fate == Fate::unknown && !outcome.conditions.empty() && is_harmless(outcome.if_so);
}

std::string claim_text(const LiveClaim& live) {
  return fmt::format("claim {}/{}", live.ns, live.name);
}

Before before_of(const TemplateClaim& claim, bool same_version) {
  return {claim.address(), claim.storage_class, same_version};
}

Outcome next_build(const Question& question, const LiveClaim& live) {
  const Match match = find_claim(*question.text, live, question.values);
  if (live.terminating && !live.absent) return doomed(live, match.claim, question);
  if (match.kind == Match::Kind::none) return unmatched(live, question);
  if (match.kind == Match::Kind::one) return judge(*match.claim, live, question);
  if (match.claim == nullptr) return unknown_outcome(live, {match.why}, Fate::unknown, "");
  Outcome outcome = judge(*match.claim, live, question);
  const Setting& name = match.claim->name.is_absent() ? match.claim->generate_name : match.claim->name;
  // The only claim of the template, and its name comes out as it did.
  if (question.before && question.before->same_version && is_stable(name)) return outcome;
  std::vector<std::string> conditions = outcome.conditions;
  conditions.insert(conditions.begin(), fmt::format("{} gives {}", printable(name.expression), live.name));
  return unknown_outcome(live, std::move(conditions),
                         outcome.fate == Fate::unknown ? outcome.if_so : outcome.fate, outcome.row);
}

LiveClaim swapped(const LiveClaim& live, const Question& question) {
  LiveClaim claim = live;
  claim.storage_class = question.new_class;
  claim.volume_name = "(the new volume)";
  claim.class_expands.reset();
  claim.volume_retained = true;
  claim.terminating = false;
  return claim;
}

}  // namespace truenas::coder
