#include "lib/engine/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::engine {
namespace {

std::string id_of(const std::variant<Step, Wait>& item) {
  const Step* step = std::get_if<Step>(&item);
  return step != nullptr ? "step " + quote(step->id) : "wait " + quote(std::get<Wait>(item).id);
}

// The shortest run of decisions that the end of the plan repeats; the last few where nothing repeats.
std::string cycle_in(const std::vector<std::string>& ids) {
  const std::size_t count = ids.size();
  for (std::size_t period = 1; period <= count / 2; ++period) {
    if (std::equal(ids.end() - static_cast<std::ptrdiff_t>(period), ids.end(),
                   ids.end() - static_cast<std::ptrdiff_t>(2 * period))) {
      return "repeating " + join({ids.end() - static_cast<std::ptrdiff_t>(period), ids.end()}, ", ");
    }
  }
  const std::size_t shown = std::min<std::size_t>(count, 5);
  return "ending in " + join({ids.end() - static_cast<std::ptrdiff_t>(shown), ids.end()}, ", ");
}

Error broken_plan(const std::vector<Violation>& violations, const std::string& after) {
  std::vector<std::string> parts;
  for (const Violation& violation : violations) {
    parts.push_back(quote(violation.rule) + " (" + violation.detail + ")");
  }
  return make_error(Kind::bug, fmt::format("the plan would break {} after {}", join(parts, " and "), after),
                    {"nothing was changed; this is a defect of the program, please report the plan"});
}

// Adds one decision. False when it says the same as the one before it, which project() should have passed.
bool append(Plan& plan, std::variant<Step, Wait> item) {
  if (!plan.items.empty()) {
    const auto& last = plan.items.back();
    if (const Step* step = std::get_if<Step>(&item)) {
      const Step* before = std::get_if<Step>(&last);
      if (before != nullptr && *before == *step) return false;
    } else if (const Wait* before = std::get_if<Wait>(&last)) {
      const Wait& wait = std::get<Wait>(item);
      if (before->id == wait.id) return before->why != wait.why || before->movement != wait.movement;
    }
  }
  plan.items.push_back(std::move(item));
  return true;
}

}  // namespace

std::size_t Plan::step_count() const {
  return static_cast<std::size_t>(std::count_if(
      items.begin(), items.end(), [](const auto& item) { return std::holds_alternative<Step>(item); }));
}

std::size_t Plan::wait_count() const {
  return items.size() - step_count();
}

std::size_t Plan::deletion_count() const {
  return static_cast<std::size_t>(std::count_if(items.begin(), items.end(), [](const auto& item) {
    const Step* step = std::get_if<Step>(&item);
    return step != nullptr && step->deletes;
  }));
}

Blocked blocked_by(const std::vector<Violation>& violations) {
  Blocked blocked{Kind::refused, "", {}};
  std::vector<std::string> parts;
  for (const Violation& violation : violations) {
    parts.push_back(fmt::format("the rule {} does not hold: {}", quote(violation.rule), violation.detail));
  }
  blocked.why = join(parts, "; ");
  return blocked;
}

Result<Plan> unfold(PureMachine& machine, const PlanLimits& limits) {
  Plan plan;
  if (const auto violations = machine.check(); !violations.empty()) {
    plan.blocked = blocked_by(violations);
    return plan;
  }
  std::vector<std::string> ids;
  while (true) {
    const Next next = machine.next();
    if (const Done* done = std::get_if<Done>(&next)) {
      plan.summary = done->summary;
      return plan;
    }
    if (const Blocked* blocked = std::get_if<Blocked>(&next)) {
      plan.blocked = *blocked;
      return plan;
    }
    const Step* step = std::get_if<Step>(&next);
    std::variant<Step, Wait> item = step != nullptr ? std::variant<Step, Wait>(*step) : std::get<Wait>(next);
    ids.push_back(id_of(item));
    if (!append(plan, std::move(item))) {
      return make_error(Kind::bug, fmt::format("the plan does not move on after {}", ids.back()));
    }
    if (ids.size() >= limits.length) {
      return make_error(Kind::bug, fmt::format("the plan does not end within {} decisions, {}", limits.length,
                                               cycle_in(ids)));
    }
    machine.project(next);
    if (const auto violations = machine.check(); !violations.empty()) {
      return broken_plan(violations, ids.back());
    }
  }
}

}  // namespace truenas::engine
