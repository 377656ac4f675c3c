// One claim of the template against the live one, once it is known that they are the same.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/coder/outcome_internal.h"
#include "lib/coder/template_internal.h"

namespace truenas::coder {
namespace {

using Effect = Change::Effect;

std::string advice_for(std::string_view row) {
  switch (row.front()) {
    case 'C':
    case 'D':
      return "take the class out of the template, or set lifecycle { ignore_changes = all }";
    case 'G':
      return "make the template's size the claim's, or set lifecycle { ignore_changes = all }";
    case 'L':
      return "keep the access modes that the claim has, or set lifecycle { ignore_changes = all }";
    default:
      return "make the template say what the claim has, or set lifecycle { ignore_changes = all }";
  }
}

std::string text_of(const std::vector<Change>& changes, Effect effect) {
  std::vector<std::string> texts;
  for (const Change& change : changes) {
    if (change.effect == effect) texts.push_back(change.what);
  }
  return join(texts, "; ");
}

const Change* first_of(const std::vector<Change>& changes, Effect effect) {
  const auto found = std::find_if(changes.begin(), changes.end(),
                                  [&](const Change& change) { return change.effect == effect; });
  return found == changes.end() ? nullptr : &*found;
}

bool prevents_destroy(const TemplateClaim& claim) {
  return claim.prevent_destroy.is_literal() && claim.prevent_destroy.value == "true";
}

Outcome gone_at_stop(const LiveClaim& live, const TemplateClaim& claim) {
  const std::string count = fmt::format("count is {}", printable(claim.count.expression));
  Outcome outcome;
  outcome.row = "CC9";
  outcome.advice = "copy the home while the workspace runs, and take the count out of the claim";
  const bool prevented = prevents_destroy(claim);
  outcome.fate = prevented                              ? Fate::build_fails
                 : claim.repetition == Repetition::none ? Fate::destroyed
                                                        : Fate::destroyed_at_stop;
  outcome.consequence =
      prevented ? fmt::format("prevent_destroy refuses a stop of the workspace: {}", count)
                : fmt::format("{} is destroyed by {}: {}", claim_text(live),
                              claim.repetition == Repetition::none ? "any build" : "every stop", count);
  return outcome;
}

// What must hold besides the differences themselves.
std::vector<std::string> conditions_of(const TemplateClaim& claim, const AddressVerdict& address) {
  std::vector<std::string> conditions;
  if (address.needs) conditions.push_back(*address.needs);
  if (claim.repetition == Repetition::mentions_the_start || claim.repetition == Repetition::undecided)
    conditions.push_back(fmt::format("{} makes exactly this claim, at a start and at a stop",
                                     printable(claim.count.expression)));
  return conditions;
}

Outcome absent_outcome(const TemplateClaim& claim, const AddressVerdict& address, const Question& question) {
  const auto& imports = question.text->imports;
  const bool imported = std::any_of(imports.begin(), imports.end(), [&](const Import& import) {
    return without_index(import.to) == claim.address();
  });
  Outcome outcome = outcome_when_absent(claim, question);
  if (!imported) return outcome;
  outcome.row = "I5";
  outcome.advice = "build it on a version without the import block";
  // An import of what the state already holds does nothing.
  const bool held = address.needs || !address.carried_over;
  outcome.fate = question.before && held ? Fate::unknown : Fate::build_fails;
  outcome.consequence = "the plan fails with \"Cannot import non-existent remote object\"";
  return outcome;
}

Outcome judge_changes(const TemplateClaim& claim, const LiveClaim& live, const Question& question,
                      const AddressVerdict& address) {
  if (!claim.overridden_by.empty()) {
    const std::string condition = fmt::format("{} leaves {} alone", claim.overridden_by, claim.address());
    return unknown_outcome(live, {condition}, Fate::unknown, "");
  }
  std::vector<Change> changes;
  if (claim.ignored.kind != IgnoredChanges::Kind::all) changes = changes_of(claim, live, question);
  if (const Change* cause = first_of(changes, Effect::replaces))
    return replaced(live, claim, cause->row, text_of(changes, Effect::replaces));
  if (claim.repetition == Repetition::follows_start || claim.repetition == Repetition::none)
    return gone_at_stop(live, claim);
  const Change *failure = first_of(changes, Effect::fails), *update = first_of(changes, Effect::updates);
  std::vector<std::string> conditions = conditions_of(claim, address);
  Fate if_so = failure ? Fate::build_fails : update ? Fate::updated : Fate::kept;
  for (const Change& change : changes) {
    if (change.effect != Effect::undecided) continue;
    conditions.push_back(change.what);
    if (if_so == Fate::kept) if_so = change.if_so;
  }
  if (!conditions.empty()) return unknown_outcome(live, std::move(conditions), if_so, "");
  Outcome outcome = kept_outcome(claim, live, question);
  if (failure != nullptr) {
    outcome = {Fate::build_fails,
               failure->row,
               fmt::format("{} stays, but the build fails: {}", claim_text(live), failure->what),
               "make the template's size the claim's",
               {},
               Fate::unknown};
  } else if (update != nullptr) {
    outcome = {Fate::updated,
               update->row,
               fmt::format("{} is changed in place: {}", claim_text(live), text_of(changes, Effect::updates)),
               "",
               {},
               Fate::unknown};
  }
  if (address.carried_over) outcome.row = "I4";
  return outcome;
}

}  // namespace

Outcome replaced(const LiveClaim& live, const TemplateClaim& claim, std::string row, const std::string& why) {
  Outcome outcome;
  outcome.row = std::move(row);
  outcome.advice = advice_for(outcome.row);
  if (prevents_destroy(claim)) {
    outcome.fate = Fate::build_fails;
    outcome.consequence = fmt::format("prevent_destroy refuses every build, which would replace {} ({})",
                                      claim_text(live), why);
    return outcome;
  }
  outcome.fate = Fate::destroyed;
  outcome.consequence = fmt::format("{} is destroyed and made again empty: {}", claim_text(live), why);
  return outcome;
}

Outcome unknown_outcome(const LiveClaim& live, std::vector<std::string> conditions, Fate if_so,
                        std::string row) {
  Outcome outcome;
  outcome.row = std::move(row);
  outcome.conditions = std::move(conditions);
  outcome.if_so = if_so;
  outcome.consequence =
      fmt::format("what a build does to {} cannot be told from the template's text", claim_text(live));
  outcome.advice = "look at the template and at the workspace's parameters";
  return outcome;
}

Outcome judge(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  const AddressVerdict address = judge_address(claim, live, question);
  if (live.absent) return absent_outcome(claim, address, question);
  if (address.outcome) return *address.outcome;
  return judge_changes(claim, live, question, address);
}

}  // namespace truenas::coder
