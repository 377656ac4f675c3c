#include "lib/engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lib/base/text.h"

namespace truenas::engine {
namespace {

constexpr std::size_t k_shown = 3;
constexpr std::string_view k_because = "still waiting because: ";

struct Reason {
  std::string text;
  std::int64_t count = 0;
};

// Newest first; the same text said often is one reason.
std::vector<Reason> reasons_of(const std::vector<kube::EventLine>& events, bool warnings) {
  std::vector<Reason> reasons;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if ((event->type == "Warning") != warnings) continue;
    std::string text = printable(event->reason + ": " + event->message);
    const auto known = std::find_if(reasons.begin(), reasons.end(),
                                    [&](const Reason& reason) { return reason.text == text; });
    if (known == reasons.end()) {
      reasons.push_back({std::move(text), event->count});
    } else {
      known->count += event->count;
    }
  }
  return reasons;
}

std::string render(const Reason& reason) {
  return reason.count > 1 ? fmt::format("{} ({} times)", reason.text, reason.count) : reason.text;
}

}  // namespace

std::string explain(const std::vector<kube::EventLine>& events) {
  std::vector<Reason> reasons = reasons_of(events, true);
  std::size_t shown = k_shown;
  if (reasons.empty()) {
    reasons = reasons_of(events, false);
    shown = 1;
  }
  if (reasons.empty()) return "";
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(shown, reasons.size()); ++i) parts.push_back(render(reasons[i]));
  return std::string(k_because) + join(parts, "; ");
}

std::function<std::string(const Wait&)> explain_by_events(kube::Reader reader) {
  return [reader](const Wait& wait) -> std::string {
    if (wait.object_uid.empty()) return "";
    const Result<std::vector<kube::EventLine>> events = reader.events_of(wait.object_ns, wait.object_uid);
    if (!events.ok()) return "why it takes so long cannot be seen: " + events.error().what;
    return explain(*events);
  };
}

}  // namespace truenas::engine
