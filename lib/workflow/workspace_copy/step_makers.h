#pragma once
// What steps about one kind of object have in common. For the files of steps only.

#include <string>
#include <utility>

#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {

inline engine::Step on_claim(std::string id, std::string verb, const Options& options,
                             const std::string& claim) {
  engine::Step step;
  step.id = std::move(id);
  step.verb = std::move(verb);
  step.object = "claim " + options.ns + "/" + claim;
  return step;
}

inline engine::Step on_home(std::string id, std::string verb, const Options& options) {
  return on_claim(std::move(id), std::move(verb), options, options.claim);
}

// A mover's work, as long as it makes progress; a server-side dry run of it would show nothing.
inline engine::Step by_mover(std::string id, std::string verb, const Options& options) {
  engine::Step step = on_home(std::move(id), std::move(verb), options);
  step.deadline = Seconds(7 * 24 * 3600);
  step.can_be_tried = false;
  return step;
}

}  // namespace truenas::workflow
