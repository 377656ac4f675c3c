// The rows of builds that destroy nothing, and of those that find no claim.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/coder/outcome_internal.h"

namespace truenas::coder {
namespace {

bool same_size(const std::string& a, const std::string& b) {
  const auto first = parse_quantity(a), second = parse_quantity(b);
  return first.ok() && second.ok() && first.value() == second.value();
}

bool is_bigger(const std::string& a, const std::string& b) {
  const auto first = parse_quantity(a), second = parse_quantity(b);
  return first.ok() && second.ok() && first.value() > second.value();
}

// Somebody's own key in kubernetes.io, which the provider does not see; those of the cluster do not count.
bool has_hidden_mark(const std::map<std::string, std::string>& marks) {
  return std::any_of(marks.begin(), marks.end(), [](const auto& mark) {
    const std::string host = mark.first.substr(0, mark.first.find('/'));
    return is_internal_key(mark.first) && host != "pv.kubernetes.io" && !host.starts_with("volume.");
  });
}

// ignore_changes = all: F2 to F2c and G4, by what it is that it hides.
std::string row_of_all(const TemplateClaim& claim, const LiveClaim& live, const Question& question,
                       const std::optional<std::string>& wanted) {
  const bool is_swapped = live.storage_class == question.new_class;
  std::vector<std::string> modes = claim.access_modes.values, has = live.access_modes;
  std::sort(modes.begin(), modes.end());
  std::sort(has.begin(), has.end());
  if (claim.access_modes.state == Setting::State::literal && modes != has) return "F2c";
  const auto size = resolve(claim.request, question.values);
  if (size && is_bigger(live.request, *size)) return "G4";
  return wanted && *wanted == question.new_class && !is_swapped ? "F2b" : "F2";
}

std::string row_of_class(const Question& question, const LiveClaim& live) {
  const bool is_swapped = live.storage_class == question.new_class;
  const bool was_set =
      question.before && question.before->storage_class && !question.before->storage_class->is_absent();
  return std::string("A") + (was_set ? (is_swapped ? "4" : "3") : (is_swapped ? "2" : "1"));
}

// What the size alone says: spelled otherwise, or a bigger volume behind the same request.
std::string row_of_size(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  const auto size = resolve(claim.request, question.values);
  if (size && is_bigger(live.request, *size)) return "G3";
  if (size && *size != live.request && same_size(*size, live.request)) {
    const bool in_bytes = live.request.find_first_not_of("0123456789") == std::string::npos;
    return in_bytes ? "O2" : live.request.ends_with("Mi") ? "O1" : "O3";
  }
  return is_bigger(live.capacity, live.request) ? "M1" : "";
}

std::string kept_row(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  const bool is_swapped = live.storage_class == question.new_class;
  const auto wanted = resolve(claim.storage_class, question.values);
  if (claim.ignored.kind == IgnoredChanges::Kind::all) return row_of_all(claim, live, question, wanted);
  if (std::string row = row_of_size(claim, live, question); !row.empty()) return row;
  if (has_hidden_mark(live.annotations)) return "J2";
  if (has_hidden_mark(live.labels)) return "N1";
  if (claim.storage_class.is_absent()) return row_of_class(question, live);
  if (claim.ignored.covers("spec.0.storage_class_name")) {
    if (wanted && *wanted == question.new_class) return is_swapped ? "F1c" : "F1b";
    return "F1";
  }
  return is_swapped ? "E1" : "B1";
}

}  // namespace

Outcome kept_outcome(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  Outcome outcome;
  outcome.fate = Fate::kept;
  outcome.row = kept_row(claim, live, question);
  outcome.consequence = fmt::format("{} stays as it is", claim_text(live));
  if (claim.storage_class.is_absent() || outcome.row == "A1" || outcome.row == "A2") {
    outcome.consequence += ": the template names no class";
  } else if (claim.ignored.kind == IgnoredChanges::Kind::all) {
    outcome.consequence += ": ignore_changes = all";
  } else if (claim.ignored.covers("spec.0.storage_class_name")) {
    outcome.consequence += ": changes of the class are ignored";
    outcome.advice =
        "use ignore_changes = all: a change of the size or of the access modes still destroys it";
  } else {
    outcome.consequence += fmt::format(": the template names its class {}", live.storage_class);
  }
  return outcome;
}

Outcome outcome_when_absent(const TemplateClaim& claim, const Question& question) {
  Outcome outcome;
  const auto wanted = resolve(claim.storage_class, question.values);
  std::string place = "the default class of that moment";
  if (claim.storage_class.is_absent() && !question.default_class.empty())
    place = "the default class, now " + question.default_class;
  if (!claim.storage_class.is_absent())
    place = wanted ? "class " + *wanted : "the class that " + claim.storage_class.expression + " gives";
  outcome.fate = Fate::empty_home;
  outcome.row = claim.storage_class.is_absent()           ? "H1"
                : wanted && *wanted == question.new_class ? "H3"
                                                          : "H2";
  outcome.consequence = fmt::format("an empty claim is made under the name, on {}", printable(place));
  outcome.advice = "let no build begin while the name is free";
  return outcome;
}

}  // namespace truenas::coder
