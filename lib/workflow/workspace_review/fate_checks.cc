// CC1, CC2, CC5 and CC9 as far as a template's text by itself decides them.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_review/judge.h"

namespace truenas::workflow {
namespace {

// The check that the outcome's row belongs to.
std::string id_of(const coder::Outcome& outcome) {
  if (outcome.fate == coder::Fate::destroyed_at_stop) return "CC9";
  const char letter = outcome.row.empty() ? '?' : outcome.row.front();
  if (letter == 'G') return "CC5";
  if (letter == 'I') return "CC2";
  return "CC1";
}

void add(const Subject& subject, const coder::Outcome& outcome, Severity severity, const std::string& when,
         std::vector<WorkspaceFinding>& findings) {
  const coder::LiveClaim& live = subject.row.claim.live;
  const std::string row = outcome.row.empty() ? "" : fmt::format(" (row {})", outcome.row);
  findings.push_back({id_of(outcome), severity, live.ns, live.name, "",
                      fmt::format("{}: {}{}", when, outcome.consequence, row), outcome.advice});
}

void check_outcome(const Subject& subject, const coder::Outcome& outcome, Severity severity,
                   const std::string& when, std::vector<WorkspaceFinding>& findings) {
  // CK1 says it already.
  if (outcome.fate == coder::Fate::doomed || coder::is_harmless(outcome.fate)) return;
  if (outcome.fate != coder::Fate::unknown) return add(subject, outcome, severity, when, findings);
  coder::Outcome said = outcome;
  if (!outcome.conditions.empty()) {
    said.consequence =
        fmt::format("{} if {}", coder::fate_name(outcome.if_so), join(outcome.conditions, " and "));
  }
  add(subject, said, coder::may_be_harmless(outcome) ? Severity::note : Severity::warning, when, findings);
}

}  // namespace

void check_fate(const Subject& subject, std::vector<WorkspaceFinding>& findings) {
  const ClaimFate& fate = subject.row.fate;
  const bool by_coder = subject.options.templates.empty();
  if ((by_coder && !subject.row.at_coder) || subject.row.verdict == WorkspaceVerdict::skipped) return;
  if (!fate.unknown.empty()) {
    const coder::LiveClaim& live = subject.row.claim.live;
    findings.push_back({"CC1", Severity::warning, live.ns, live.name, "",
                        "what its next build does is not known: " + fate.unknown,
                        "coder templates pull, and give the text with --template-dir"});
    return;
  }
  check_outcome(subject, fate.now, Severity::alarm, "the next build, a stop too", findings);
  if (subject.row.verdict == WorkspaceVerdict::done) return;
  const bool the_same = fate.now.fate == fate.after.fate && fate.now.row == fate.after.row;
  if (!the_same) {
    check_outcome(subject, fate.after, Severity::warning, "once it is moved, the next build, a stop too",
                  findings);
  }
}

}  // namespace truenas::workflow
