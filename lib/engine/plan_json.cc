#include <type_traits>

#include "lib/engine/plan.h"

namespace truenas::engine {
namespace {

json::Value strings(const std::vector<std::string>& texts) {
  json::Value array = json::Value::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

json::Value to_json(const Wait& wait) {
  json::Value value = json::Value::object({{"type", "wait"},
                                           {"id", wait.id},
                                           {"for", wait.whom},
                                           {"why", wait.why},
                                           {"deadlineSeconds", std::int64_t{wait.deadline.count()}}});
  if (wait.nudge) value.set("nudge", wait.nudge->title);
  return value;
}

}  // namespace

json::Value to_json(const Step& step) {
  json::Value arguments = json::Value::object();
  for (const auto& [name, text] : step.arguments) arguments.set(name, text);
  return json::Value::object({{"type", "step"},
                              {"id", step.id},
                              {"verb", step.verb},
                              {"object", step.object},
                              {"title", step.title},
                              {"reason", step.reason},
                              {"undo", step.undo},
                              {"deletes", step.deletes},
                              {"arguments", arguments}});
}

json::Value to_json(const Blocked& blocked) {
  return json::Value::object({{"kind", std::string(kind_name(blocked.kind))},
                              {"why", blocked.why},
                              {"hints", strings(blocked.hints)}});
}

json::Value to_json(const Plan& plan) {
  json::Value items = json::Value::array();
  for (const auto& item : plan.items) {
    const Step* step = std::get_if<Step>(&item);
    items.push_back(step != nullptr ? to_json(*step) : to_json(std::get<Wait>(item)));
  }
  json::Value needs = json::Value::array();
  for (const Acceptance& need : plan.needs) {
    needs.push_back(json::Value::object({{"id", need.id}, {"what", need.what}, {"accepted", need.accepted}}));
  }
  json::Value value = json::Value::object({{"title", plan.title},
                                           {"items", items},
                                           {"steps", std::uint64_t{plan.step_count()}},
                                           {"waits", std::uint64_t{plan.wait_count()}},
                                           {"deletions", std::uint64_t{plan.deletion_count()}},
                                           {"downtime", plan.downtime},
                                           {"notes", strings(plan.notes)},
                                           {"notDone", strings(plan.not_done)},
                                           {"needs", needs}});
  if (plan.blocked) {
    value.set("blocked", to_json(*plan.blocked));
  } else {
    value.set("summary", plan.summary);
  }
  return value;
}

}  // namespace truenas::engine
