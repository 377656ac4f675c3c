#include "lib/engine/outcome.h"

namespace truenas::engine {
namespace {

json::Value seconds(Milliseconds elapsed) {
  std::string digits = std::to_string(elapsed.count() % 1000);
  digits.insert(0, 3 - digits.size(), '0');
  return json::Value::number(std::to_string(elapsed.count() / 1000) + "." + digits);
}

json::Value acted_json(const Outcome& outcome) {
  json::Value array = json::Value::array();
  for (const ActedStep& acted : outcome.acted) {
    const bool unknown = acted.effect == ActedStep::Effect::unknown;
    array.push_back(json::Value::object({{"id", acted.step.id},
                                         {"title", acted.step.title},
                                         {"object", acted.step.object},
                                         {"effect", unknown ? "unknown" : "changed"},
                                         {"attempts", acted.attempts},
                                         {"proved", acted.proved},
                                         {"elapsedSeconds", seconds(acted.elapsed)}}));
  }
  return array;
}

json::Value waited_json(const Outcome& outcome) {
  json::Value array = json::Value::array();
  for (const WaitedFor& waited : outcome.waited) {
    array.push_back(json::Value::object({{"id", waited.id},
                                         {"for", waited.whom},
                                         {"why", waited.why},
                                         {"elapsedSeconds", seconds(waited.elapsed)}}));
  }
  return array;
}

}  // namespace

json::Value to_json(const Outcome& outcome) {
  json::Value value = json::Value::object(
      {{"result", outcome.ok() ? std::string("done") : std::string(kind_name(outcome.error->kind))}});
  if (outcome.ok()) {
    value.set("summary", outcome.done->summary);
  } else {
    json::Value hints = json::Value::array();
    for (const std::string& hint : outcome.error->hints) hints.push_back(hint);
    value.set("error", json::Value::object({{"kind", std::string(kind_name(outcome.error->kind))},
                                            {"what", outcome.error->what},
                                            {"hints", hints}}));
  }
  value.set("acted", acted_json(outcome));
  value.set("waited", waited_json(outcome));
  value.set("elapsedSeconds", seconds(outcome.elapsed));
  value.set("changedSoFar", changed_so_far(outcome));
  return value;
}

}  // namespace truenas::engine
