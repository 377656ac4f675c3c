#include "lib/engine/dry_run.h"

#include "lib/base/interrupt.h"
#include "lib/base/text.h"

namespace truenas::engine {

Result<std::vector<Trial>> try_on_server(const Plan& plan, kube::Writer& writer,
                                         const std::function<Result<void>(const Step&, kube::Writer&)>& act) {
  if (!writer.server_dry_run()) return make_error(Kind::bug, "a dry run was given a writer that writes");
  std::vector<Trial> trials;
  for (const auto& item : plan.items) {
    const Step* step = std::get_if<Step>(&item);
    if (step == nullptr) continue;
    if (interrupted()) return make_error(Kind::interrupted, "interrupted", {"nothing was changed"});
    if (!step->can_be_tried) {
      trials.push_back({*step, Trial::Verdict::not_tried, "a server cannot try this"});
      continue;
    }
    const Result<void> tried = act(*step, writer);
    if (tried.ok()) {
      trials.push_back({*step, Trial::Verdict::accepted, ""});
      continue;
    }
    const Error& error = tried.error();
    switch (error.kind) {
      case Kind::not_found:
        trials.push_back({*step, Trial::Verdict::not_tried, "not there yet: " + error.what});
        break;
      case Kind::unavailable:
      case Kind::outcome_unknown:
      case Kind::interrupted:
        return error;
      default:
        trials.push_back({*step, Trial::Verdict::refused, error.what});
    }
  }
  return trials;
}

Result<void> judge_trials(const std::vector<Trial>& trials) {
  std::vector<std::string> refused;
  for (const Trial& trial : trials) {
    if (trial.verdict == Trial::Verdict::refused) refused.push_back(trial.step.title + ": " + trial.why);
  }
  if (refused.empty()) return {};
  return make_error(Kind::refused, "the server would refuse to " + join(refused, "; "),
                    {"nothing was changed"});
}

}  // namespace truenas::engine
