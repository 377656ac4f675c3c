#include "lib/engine/outcome.h"

#include "lib/base/text.h"

namespace truenas::engine {

std::string changed_so_far(const Outcome& outcome) {
  if (outcome.acted.empty()) return "nothing was changed";
  std::vector<std::string> parts;
  for (const ActedStep& acted : outcome.acted) {
    const bool unknown = acted.effect == ActedStep::Effect::unknown;
    parts.push_back(acted.step.title + (unknown ? " (no reply came: it may or may not have worked)" : ""));
  }
  return "changed so far: " + join(parts, "; ");
}

}  // namespace truenas::engine
