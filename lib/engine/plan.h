#pragma once
// Plan: everything a run would do, found by unfolding next() over project() from one observed world. Plain
// data: what the user is shown, what --dry-run prints, what -o json gives. It must not read, write or ask
// anything; text rendering is lib/report's.

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/engine/machine.h"
#include "lib/engine/workflow.h"
#include "lib/json/value.h"

namespace truenas::engine {

// An accepted loss, skipped check or deletion: the plan shows its id, and it needs --accept=ID.
struct Acceptance {
  std::string id;    // "unlogged-tables"
  std::string what;  // "2 unlogged tables are empty on every new instance: public.a, public.b"
  bool accepted = false;
};

struct Plan {
  std::vector<std::variant<Step, Wait>> items;  // in order; equal waits in a row are one item
  std::string summary;             // Done's, what holds at the end; "" when the plan ends blocked
  std::optional<Blocked> blocked;  // why the plan cannot reach its end

  // Filled in by the command, not by unfold: what the steps alone do not say.
  std::string title;                  // "move cluster coder/pg to storage class truenas-csi-nfs"
  std::string downtime;               // "one switchover, about 10 s"
  std::vector<std::string> notes;     // what the user should know, one sentence each
  std::vector<std::string> not_done;  // what the run will not do
  std::vector<Acceptance> needs;

  // Nothing to do: Done from the start.
  bool nothing_to_do() const { return items.empty() && !blocked; }
  std::size_t step_count() const;
  std::size_t wait_count() const;
  std::size_t deletion_count() const;
};

struct PlanLimits {
  std::size_t length = 5000;  // steps and waits; longer is a bug of the workflow
};

// Unfolds until Done or Blocked, checking the invariant on the start and on every projected world.
// A start that breaks it: a Plan blocked with Kind::refused that names rule and detail. A projected world
// that breaks it, a decision that does not move on, or a plan over the limit: Kind::bug, naming the rule or
// the cycle.
Result<Plan> unfold(PureMachine& machine, const PlanLimits& limits = {});

template <class W>
Result<Plan> unfold(const Workflow<W>& workflow, W start, const PlanLimits& limits = {}) {
  PlanningMachine<W> machine(workflow, std::move(start));
  return unfold(static_cast<PureMachine&>(machine), limits);
}

// `why` and hints for worlds that break the invariant; every violation is named.
Blocked blocked_by(const std::vector<Violation>& violations);

// {"title", "items": [{"type": "step"|"wait", …}], "steps", "waits", "deletions", "downtime", "notes",
// "notDone", "needs", "summary" or "blocked": {"kind", "why", "hints"}}. Stable: fields are only added.
json::Value to_json(const Plan& plan);
json::Value to_json(const Step& step);
json::Value to_json(const Blocked& blocked);

}  // namespace truenas::engine
