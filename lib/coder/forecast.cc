// The same build in the states that a migration goes through.

#include <fmt/format.h>

#include "lib/coder/outcome_internal.h"

namespace truenas::coder {
namespace {

// Apply never checks what it deletes: a plan names the claim, not its uid.
Outcome planned_before(const Outcome& now, const LiveClaim& live) {
  Outcome outcome = now;
  outcome.advice = "let no build be queued or running from before the copy until after the swap";
  switch (now.fate) {
    case Fate::destroyed:
    case Fate::destroyed_at_stop:
    case Fate::doomed:
      outcome.fate = Fate::destroyed;
      outcome.row = "H7";
      outcome.consequence = fmt::format(
          "a build planned before the swap destroys the new {} by name; only Retain keeps its data",
          claim_text(live));
      break;
    case Fate::kept:
      outcome.row = "H6";
      outcome.consequence =
          fmt::format("a build planned before the swap leaves the new {} alone", claim_text(live));
      break;
    case Fate::updated:
      outcome = Outcome();
      outcome.conditions = {
          "a change in place that was planned for the old claim does no harm to the new one"};
      outcome.if_so = Fate::updated;
      outcome.consequence =
          fmt::format("a change planned for the old {} meets the new one", claim_text(live));
      break;
    default:
      break;
  }
  return outcome;
}

Outcome planned_absent(const Outcome& absent, const LiveClaim& live) {
  Outcome outcome = absent;
  if (absent.fate != Fate::empty_home) return outcome;
  outcome.fate = Fate::build_fails;
  outcome.row = "H4";
  outcome.consequence = fmt::format(
      "a build planned while the name was free fails with \"already exists\"; {} stays, but the state has "
      "lost it and every later build fails the same way",
      claim_text(live));
  outcome.advice = "import the claim into the workspace's state, or push a state that has it";
  return outcome;
}

}  // namespace

Forecast forecast(const Question& question, const LiveClaim& live) {
  LiveClaim gone = live;
  gone.absent = true;
  gone.terminating = false;
  Forecast result;
  result.now = next_build(question, live);
  result.swapped = live.absent ? result.now : next_build(question, swapped(live, question));
  result.absent = next_build(question, gone);
  result.planned_before = planned_before(result.now, live);
  result.planned_absent = planned_absent(result.absent, live);
  return result;
}

}  // namespace truenas::coder
