#pragma once
// What the next build of a workspace (start, stop or update: each is a whole Terraform plan and apply) does
// to its home claim: the outcome matrix as measured (facts 2.3 and 6). Pure. What cannot be decided is
// unknown, never kept; a claim that is being deleted is doomed whatever Terraform plans.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/coder/live_claim.h"
#include "lib/coder/template.h"

namespace truenas::coder {

enum class Fate {
  kept,               // no change that matters
  updated,            // changed in place (size, labels); the data stays
  destroyed,          // the claim is deleted; with a volume of policy Delete so is the data
  destroyed_at_stop,  // kept by a start, deleted by every stop
  doomed,             // it is Terminating already and goes with its last Pod
  empty_home,         // an empty claim is made under the name
  build_fails,        // nothing is destroyed, the workspace does not build
  unknown,            // look
};
// "destroyed at stop".
std::string_view fate_name(Fate fate);
// Whether the data is as safe after the build as before it (kept, updated, build_fails).
bool is_harmless(Fate fate);

struct Outcome {
  Fate fate = Fate::unknown;
  std::string row;          // of facts 6 ("C1"), of 2.3 where no row was measured ("I"), "2.1" by schema only
  std::string consequence;  // one sentence without a full stop
  std::string advice;       // what to do; "" when nothing is to be done
  // Of an unknown: what must hold, and the fate if all of it does. Empty when nothing can be said.
  std::vector<std::string> conditions;
  Fate if_so = Fate::unknown;
};
// Whether it is an unknown that leaves the data as safe as before if all its conditions hold.
bool may_be_harmless(const Outcome& outcome);

// What the workspace's Terraform state is known to hold.
struct Before {
  std::string address;                   // "kubernetes_persistent_volume_claim.home", also with an index
  std::optional<Setting> storage_class;  // in the text of the last build, where that is known
  // The next build uses the very version (and parameters) of the last successful one: names, namespaces and
  // counts come out as they did, whatever they depend on.
  bool same_version = false;
};
Before before_of(const TemplateClaim& claim, bool same_version);

struct Question {
  const Template* text = nullptr;  // of the version that the build will use; demanded
  Values values;                   // of this workspace
  std::optional<Before> before;    // nullopt: the state's address is not known
  std::string old_class, new_class;
  std::string default_class;  // of the cluster at the time of the build; "" not known
};

// The next build, the claim being as `live` says.
Outcome next_build(const Question& question, const LiveClaim& live);

// The same for the states that a migration goes through.
struct Forecast {
  Outcome now;             // as it is
  Outcome swapped;         // the same claim on the new class, with another volume
  Outcome absent;          // while the name is free
  Outcome planned_before;  // planned now, applied after the swap (H6, H7)
  Outcome planned_absent;  // planned while the name was free, applied after the swap (H4)
};
Forecast forecast(const Question& question, const LiveClaim& live);
// The claim as it will be: class, volume and expansion of the new class, everything else as it is.
LiveClaim swapped(const LiveClaim& live, const Question& question);

}  // namespace truenas::coder
