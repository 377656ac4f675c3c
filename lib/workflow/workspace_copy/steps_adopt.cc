// Steps of an adoption.

#include <fmt/format.h>

#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/step_makers.h"

namespace truenas::workflow {
namespace {

using engine::Step;

Step untried(std::string id, std::string verb, const Options& options) {
  Step step = on_home(std::move(id), std::move(verb), options);
  step.can_be_tried = false;
  return step;
}

}  // namespace

Step probe_adoption(const SwapWorld& world, const Options& options) {
  Step step = untried(fmt::format("probe adoption {}", world.facts.sights + 1), "probe-adoption", options);
  step.arguments = {{"number", std::to_string(world.facts.sights + 1)}};
  step.title = fmt::format("let the new driver mount the dataset of {} read-only, and compare what it shows",
                           world.source.name);
  step.reason = "whether it serves this very dataset is known only by trying; nothing is stopped for it";
  step.undo = "the trial's volume object, claim and Pod are removed again; the dataset is not touched";
  step.deadline = Seconds(1800);
  step.leaves_no_trace = true;
  return step;
}

Step remove_probe(const Options& options) {
  Step step = untried("remove probe", "remove-probe", options);
  step.title = "remove what the trial of a run that was killed has left";
  step.reason = "it names the home's dataset";
  step.deadline = Seconds(600);
  return step;
}

Step create_adopted(const SwapWorld& world, const Options& options) {
  const std::string name = adopted_name(world);
  Step step = untried("create adopted volume " + name, "create-adopted", options);
  step.object = "persistentvolume " + name;
  step.arguments = {{"volume", name}, {"source", world.source.name}, {"source_uid", world.source.uid}};
  step.title = fmt::format("create persistentvolume {} of {}, on the dataset of {}", name, options.to_class,
                           world.source.name);
  step.reason = fmt::format("no byte is copied; it is Retain and waits for claim {}", options.full_name());
  step.undo = "the object stays, Retain, and is used again by the next try";
  return step;
}

Step prove_adoption(const Options& options) {
  Step step = untried("prove adoption", "prove-adoption", options);
  step.title = "read the home through its claim again, and compare what is mounted";
  step.reason = "that a claim is Bound proves nothing";
  step.deadline = Seconds(1800);
  return step;
}

}  // namespace truenas::workflow
