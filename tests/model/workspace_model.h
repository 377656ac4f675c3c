#pragma once
// The real decisions of a home's move walked through a model of the world and of what its user wants: for the
// model tests of moves.

#include <doctest/doctest.h>

#include "tests/model/workspace_disturbances.h"

namespace truenas::workflow {

using engine::Next;
using engine::Step;
using engine::Violation;

// The real decisions, and the truth beside them.
class ModelledCopy final : public engine::Workflow<ModelledHome> {
 public:
  explicit ModelledCopy(WorkspaceCopyOptions options) : options_(std::move(options)) {}
  Result<ModelledHome> observe() override { return make_error(Kind::bug, "a model does not observe"); }
  Result<void> act(const Step&, kube::Writer&) override {
    return make_error(Kind::bug, "a model does not act");
  }
  Next next(const ModelledHome& home) const override { return next_of_swap(home.world, options_); }
  ModelledHome project(ModelledHome home, const Next& next) const override {
    const Step* step = std::get_if<Step>(&next);
    if (step != nullptr && step->verb.starts_with("copy-")) home.on_target = home.on_source;
    const ModelledHome before = home;
    if (step != nullptr && step->verb == "create-adopted") {
      home.one_dataset = true;
      home.on_target = home.on_source;
      if (home.world.source.policy != "Retain") home.unsafe = "the old volume is " + home.world.source.policy;
    }
    home.world = project_swap(std::move(home.world), options_, next);
    if (step != nullptr && step->verb == "thaw-builds") see_who_is_robbed(before, home);
    if (step != nullptr && step->verb == "delete-claim" && is_unprotected(before.world)) {
      home.robbed = options_.full_name();
    }
    if (step != nullptr && step->verb == "note" && step->argument("name") == "end") {
      home.forgotten = what_is_forgotten(before);
    }
    if (home.one_dataset) see_what_goes(before, home);
    return home;
  }
  std::string progress(const ModelledHome& home) const override {
    return progress_of_swap(home.world, options_);
  }
  std::vector<Violation> check(const ModelledHome& home) const override {
    std::vector<Violation> broken = check_swap(home.world, options_);
    const Next next = next_of_swap(home.world, options_);
    const Step* step = std::get_if<Step>(&next);
    // Not returned: a step that the guard would refuse must not be asked for even in a broken world.
    if (broken.empty() && step != nullptr && unguarded_.empty()) {
      for (const Violation& violation : guard_swap(home.world, options_, *step)) {
        unguarded_ =
            fmt::format("{}: {} ({})\n  {}", step->id, violation.rule, violation.detail, describe(home));
      }
    }
    check_truth(home, broken);
    return broken;
  }
  const std::string& unguarded() const { return unguarded_; }

 private:
  // A freeze that is only another home's ends with that one's run.
  bool is_unprotected(const SwapWorld& world) const {
    if (options_.accepted.contains(k_no_build_freeze) || world.freeze.down) return false;
    return world.freeze.roles.empty() || !is_frozen_for(world.freeze.roles[0], options_.full_name());
  }
  // A volume that goes with another policy than Retain takes the dataset of both with it.
  static void see_what_goes(const ModelledHome& before, ModelledHome& after) {
    for (const auto volume : {&SwapWorld::source, &SwapWorld::target}) {
      const VolumeState &was = before.world.*volume, &is = after.world.*volume;
      const bool goes = was.exists && was.phase == "Bound" && (!is.exists || is.phase == "Released");
      if (goes && was.name == is.name && was.policy != "Retain" && !after.meddled)
        after.unsafe = was.name + " went with policy " + was.policy;
    }
  }
  void see_who_is_robbed(ModelledHome before, ModelledHome& after) const {
    const FreezeOwner* other = other_owner(before);
    if (other != nullptr && (other->alive || !other->bound) && other_owner(after) == nullptr) {
      after.robbed = k_other_home;
    }
    const SwapWorld& w = before.world;
    // Row H7 of facts/coder.md §6.
    if (on_target(w) && w.coder && w.coder->building &&
        is_frozen_for(w.freeze.roles[0], options_.full_name()) &&
        !is_frozen_for(after.world.freeze.roles[0], options_.full_name())) {
      after.robbed = "the new claim, by a build of before the swap";
    }
    const bool absent = !w.claim.exists || w.claim.terminating;
    if (absent && is_open(w) && w.facts.cutover && !was_served(w, options_) &&
        is_frozen_for(w.freeze.roles[0], options_.full_name()) &&
        !is_frozen_for(after.world.freeze.roles[0], options_.full_name())) {
      after.robbed = options_.full_name();
    }
  }
  // What the user had of the workspace when the move ends, and has not.
  static std::string what_is_forgotten(const ModelledHome& home) {
    const auto& coder = home.world.coder;
    const SwapFacts& noted = home.world.facts;
    if (!coder) return noted.ran || !noted.autostart.empty() ? "nobody asks whether it runs" : "";
    if (!coder->found || !coder->unknown.empty()) return "";
    if (home.runs && !coder->started) return "it ran";
    if (home.runs && coder->version_id != home.version) return "it ran " + home.version;
    return coder->autostart == home.schedule ? "" : "its schedule was " + home.schedule;
  }
  void check_truth(const ModelledHome& home, std::vector<Violation>& broken) const {
    ModelledHome copy = home;
    const int* version = version_of(copy);
    const bool back = home.world.facts.carry == Carry::nothing && home.world.facts.number > 0 &&
                      !home.world.facts.same_dataset;
    if (version != nullptr && *version != home.newest && !back) {
      broken.push_back({"nobody is given an older home", "the claim is on " + home.world.claim.volume});
    }
    if (!home.robbed.empty()) broken.push_back({"nobody's freeze ends while it is needed", home.robbed});
    if (!home.forgotten.empty()) {
      broken.push_back({"the workspace is at the end as its user had it", home.forgotten});
    }
    const SwapWorld& w = home.world;
    if (w.memory.verified && w.claim.exists && !w.claim.terminating && home.on_target != home.on_source) {
      broken.push_back({"what counts as verified is the same", ""});
    }
    if (!w.movers.empty() && on_target(w) && !back && !home.one_dataset)
      broken.push_back({"no mover writes a home in use", ""});
    if (!home.unsafe.empty()) broken.push_back({"the one dataset is safe", home.unsafe});
    const bool both = home.one_dataset && w.source.exists && w.target.exists && !home.meddled;
    if (both && (w.source.policy != "Retain" || w.target.policy != "Retain"))
      broken.push_back({"both volumes of one dataset are Retain", w.source.policy + " " + w.target.policy});
    const bool kept = (w.source.exists || w.target.exists);
    if (!kept) broken.push_back({"the bytes are on some volume", ""});
  }

  WorkspaceCopyOptions options_;
  mutable std::string unguarded_;
};

inline std::vector<Violation> when_done(const ModelledHome& home, const WorkspaceCopyOptions& options,
                                        bool undisturbed) {
  std::vector<Violation> lacks;
  const SwapWorld& w = home.world;
  for (const ClaimRole& role : w.freeze.roles) {
    bool needed = false;
    for (const FreezeOwner& owner : role.owners) {
      if (owner.claim == options.full_name()) lacks.push_back({"this home needs no freeze", role.name});
      needed |= owner.claim != options.full_name() && !owner.over();
    }
    if (role.frozen && !needed) lacks.push_back({"Coder has its rights again", role.name});
  }
  if (!undisturbed) return lacks;
  if (w.temporary.exists) lacks.push_back({"no temporary claim is left", w.temporary.name});
  if (!w.movers.empty()) lacks.push_back({"no mover is left", ""});
  const char* wanted = options.rollback ? "truenas-nfs" : "truenas-csi-nfs";
  if (w.claim.storage_class != wanted)
    lacks.push_back({"the claim is on the class that was asked for", w.claim.storage_class});
  for (const VolumeState* volume : {&w.source, &w.target}) {
    if (volume->exists && volume->policy != "Retain" && w.facts.number > 0)
      lacks.push_back({"both volumes are kept", volume->name});
  }
  return lacks;
}

struct Totals {
  std::size_t worlds = 0, transitions = 0, done = 0, blocked = 0, longest = 0;
};

inline void walk(const std::string& label, const ModelledHome& start, const WorkspaceCopyOptions& options,
                 int foreign_limit, Totals& totals,
                 const std::function<HomeVariations(const ModelledHome&)>& disturbances = foreign) {
  const ModelledCopy workflow(options);
  model::Model<ModelledHome> model{
      workflow, {{label, start}}, [](const ModelledHome& home) { return describe(home); }};
  model.restarted = [](ModelledHome home) { return restarted(std::move(home)); };
  model.partial = killed;
  model.otherwise = [&](const ModelledHome& home, const engine::Wait& wait) {
    return turns(home, wait, options);
  };
  model.foreign = disturbances;
  model.when_done = [&](const ModelledHome& home) { return when_done(home, options, foreign_limit == 0); };
  model.foreign_limit = foreign_limit;
  const model::ModelReport report = model::check_model(model);
  CHECK_MESSAGE(report.ok(), label << ": " << report.failure);
  CHECK_MESSAGE(workflow.unguarded().empty(), label << ": " << workflow.unguarded());
  CHECK(report.done + report.blocked > 0);
  totals.worlds += report.worlds;
  totals.transitions += report.transitions;
  totals.done += report.done;
  totals.blocked += report.blocked;
  totals.longest = std::max(totals.longest, report.longest_chain);
}

inline void tell(const char* what, const Totals& totals) {
  MESSAGE(fmt::format("{}: {} worlds, {} transitions, {} done, {} blocked, at most {} decisions to the end",
                      what, totals.worlds, totals.transitions, totals.done, totals.blocked, totals.longest));
}

// The world after `steps` decisions of an undisturbed move; all of them with a large number.
inline ModelledHome moved_partly(ModelledHome home, const WorkspaceCopyOptions& options, int steps) {
  const ModelledCopy workflow(options);
  for (int i = 0; i < steps; ++i) {
    const Next next = workflow.next(home);
    if (std::holds_alternative<engine::Done>(next) || std::holds_alternative<engine::Blocked>(next)) break;
    home = workflow.project(std::move(home), next);
  }
  return home;
}

inline WorkspaceCopyOptions back_options() {
  WorkspaceCopyOptions options = home_options();
  options.rollback = true;
  options.accepted = {k_newer_writes};
  return options;
}

}  // namespace truenas::workflow
