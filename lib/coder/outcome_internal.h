#pragma once
// The parts of lib/coder/outcome.h's answer. Private to lib/coder.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/coder/outcome.h"

namespace truenas::coder {

// One difference between the template and the live claim that Terraform acts on.
struct Change {
  enum class Effect {
    replaces,   // destroyed and made again
    updates,    // in place
    fails,      // the build fails, the claim stays
    undecided,  // `what` is what must hold for there to be none
  };
  Effect effect = Effect::undecided;
  std::string row, what;
  Fate if_so = Fate::kept;  // of an undecided one
};

// By the provider's schema (2.1), what `ignore_changes` covers left out.
std::vector<Change> changes_of(const TemplateClaim& claim, const LiveClaim& live, const Question& question);
void add_label_changes(const TemplateClaim& claim, const LiveClaim& live, std::vector<Change>& changes);
// Keys that the provider neither shows nor removes (N1, J2).
bool is_internal_key(std::string_view key);

// What Terraform's state and the template's moved, removed and import blocks make of the address.
struct AddressVerdict {
  std::optional<Outcome> outcome;    // decided by the address alone
  std::optional<std::string> needs;  // must hold; nothing is known of the state
  bool carried_over = false;         // forgotten and imported again (I4)
};
AddressVerdict judge_address(const TemplateClaim& claim, const LiveClaim& live, const Question& question);

// The row of a build that changes nothing, or that only ignore_changes keeps from it.
Outcome kept_outcome(const TemplateClaim& claim, const LiveClaim& live, const Question& question);
Outcome outcome_when_absent(const TemplateClaim& claim, const Question& question);

// The matched claim, whatever its address.
Outcome judge(const TemplateClaim& claim, const LiveClaim& live, const Question& question);
// Destroyed and made again, or refused by prevent_destroy.
Outcome replaced(const LiveClaim& live, const TemplateClaim& claim, std::string row, const std::string& why);
Outcome unknown_outcome(const LiveClaim& live, std::vector<std::string> conditions, Fate if_so,
                        std::string row);
// The claim of the template that the state's address stands for, moved blocks followed; null when there is
// none or the state is not known.
const TemplateClaim* claim_in_state(const Question& question);

// Whether an expression comes out again as it did in the last build of the same version: it is made of
// variables, parameters and the names and ids of workspace and owner only.
bool is_stable(const Setting& setting);

std::string claim_text(const LiveClaim& live);  // "claim coder/x"

}  // namespace truenas::coder
