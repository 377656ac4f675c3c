#pragma once
// A toy migration for the engine's own tests: one parcel moves from an old volume to a fresh one. World and
// decisions are pure; Site is the in-memory "cluster" that observe() reads and act() changes, with scripted
// faults.

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "lib/engine/workflow.h"

namespace truenas::toy {

enum class Bug { none, deletes_too_early, goes_round, forgets };

struct World {
  bool old_exists = true;
  std::string old_policy = "Delete";
  std::string noted;       // the old policy as the cluster remembers it
  std::string remembered;  // the same, in this process only
  enum class Fresh { none, pending, bound } fresh = Fresh::none;
  std::string fresh_policy = "Retain";
  bool copied = false;
  std::string movement;  // what a stuck binder shows
};

inline std::string fingerprint(const World& w) {
  return std::string(w.old_exists ? "old " : "gone ") + w.old_policy + " noted=" + w.noted +
         " remembered=" + w.remembered + " fresh=" + std::to_string(static_cast<int>(w.fresh)) +
         w.fresh_policy + (w.copied ? " copied" : "");
}

inline engine::Step step(const std::string& verb, const std::string& object) {
  engine::Step made;
  made.id = verb + " " + object;
  made.verb = verb;
  made.object = "volume " + object;
  made.title = verb + " volume " + object;
  made.reason = "the toy needs it";
  made.leaves_no_trace = verb == "note";
  return made;
}

struct Site {
  World world;
  int looks = 0;
  int binds_at_look = 0;             // the binder moves at this look; 0: never, unless nudged
  std::deque<Error> observe_errors;  // each fails one observation
  std::vector<std::pair<std::string, Result<void>>> acts;  // what was asked of act, and what it said
  // Scripted: {verb, error, worked}: the next act of this verb fails so, after having worked or not.
  struct Fault {
    std::string verb;
    Error error;
    bool worked = false;
  };
  std::deque<Fault> faults;
};

class ToyWorkflow final : public engine::Workflow<World> {
 public:
  explicit ToyWorkflow(Site& site, Bug bug = Bug::none) : site_(&site), bug_(bug) {}

  Seconds bind_deadline{60};
  int settle_polls = 1;
  Seconds nudge_every{0};

  Result<World> observe() override {
    ++site_->looks;
    if (!site_->observe_errors.empty()) {
      Error error = site_->observe_errors.front();
      site_->observe_errors.pop_front();
      return error;
    }
    if (site_->binds_at_look != 0 && site_->looks >= site_->binds_at_look &&
        site_->world.fresh == World::Fresh::pending) {
      site_->world.fresh = World::Fresh::bound;
    }
    return site_->world;
  }

  engine::Next next(const World& w) const override {
    if (!w.old_exists) return at_the_end(w);
    if (bug_ != Bug::forgets && w.noted.empty()) return step("note", "old");
    if (w.old_policy != "Retain") return step("retain", "old");
    if (w.fresh == World::Fresh::none) return step("create", "fresh");
    if (w.fresh == World::Fresh::pending) return bind(w);
    if (bug_ == Bug::deletes_too_early && !w.copied) return removal();
    if (!w.copied) return step("copy", "old");
    if (bug_ == Bug::goes_round) return step("scratch", "fresh");
    return removal();
  }

  World project(World w, const engine::Next& next) const override {
    if (const auto* s = std::get_if<engine::Step>(&next)) work(w, s->verb);
    if (std::holds_alternative<engine::Wait>(next)) w.fresh = World::Fresh::bound;
    return w;
  }

  Result<void> act(const engine::Step& s, kube::Writer&) override {
    Result<void> result;
    if (!site_->faults.empty() && site_->faults.front().verb == s.verb) {
      const Site::Fault fault = site_->faults.front();
      site_->faults.pop_front();
      if (fault.worked) work(site_->world, s.verb);
      result = fault.error;
    } else {
      work(site_->world, s.verb);
    }
    site_->acts.emplace_back(s.id, result);
    return result;
  }

  std::vector<engine::Violation> check(const World& w) const override {
    if (!w.old_exists && !w.copied)
      return {{"the bytes have a home", "volume old is gone and nothing was copied"}};
    if (!w.old_exists && w.fresh == World::Fresh::none)
      return {{"the bytes have a home", "both volumes are gone"}};
    if (w.old_exists && w.copied && w.old_policy != "Retain") {
      return {{"the old volume stays", "volume old is " + w.old_policy}};
    }
    return {};
  }

  std::string progress(const World& w) const override { return w.copied ? "copied" : "not copied"; }

 private:
  engine::Next at_the_end(const World& w) const {
    std::string wanted = bug_ == Bug::forgets ? w.remembered : w.noted;
    if (wanted.empty()) wanted = "Retain";
    if (w.fresh_policy != wanted) return step("restore", "fresh");
    return engine::Done{"the parcel lies on volume fresh"};
  }
  engine::Wait bind(const World& w) const {
    engine::Wait wait;
    wait.id = "bind fresh";
    wait.whom = "the binder";
    wait.why = "volume fresh is not bound";
    wait.deadline = bind_deadline;
    wait.nudge = step("nudge", "fresh");
    wait.nudge_every = nudge_every;
    wait.movement = w.movement;
    return wait;
  }
  engine::Step removal() const {
    engine::Step made = step("delete", "old");
    made.deletes = true;
    made.settle_polls = settle_polls;
    return made;
  }
  static void work(World& w, const std::string& verb) {
    if (verb == "note") w.noted = w.old_policy;
    if (verb == "retain") w.remembered = w.old_policy, w.old_policy = "Retain";
    if (verb == "create") w.fresh = World::Fresh::pending;
    if (verb == "copy") w.copied = true;
    if (verb == "scratch") w.copied = false;
    if (verb == "delete") w.old_exists = false;
    if (verb == "restore") w.fresh_policy = w.noted.empty() ? w.remembered : w.noted;
  }
  Site* site_;
  Bug bug_;
};

}  // namespace truenas::toy
