#pragma once
// One toy site, a clock that only sleeping moves, and everything a run tells.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "lib/engine/run.h"
#include "tests/model/toy_workflow.h"
#include "tests/unit/engine/fake_clock.h"
#include "tests/unit/engine/memory_api.h"

namespace truenas::engine {

struct RecordingLog final : StepLog {
  std::vector<std::string> lines;
  int fail_intents = 0;
  Result<void> note_intent(const Step& step) override {
    if (fail_intents > 0) {
      --fail_intents;
      return make_error(Kind::unavailable, "scripted");
    }
    lines.push_back("intent " + step.id);
    return {};
  }
  Result<void> note_done(const Step& step, std::string_view outcome) override {
    lines.push_back("done " + step.id + ": " + std::string(outcome));
    return {};
  }
};

struct RecordingObserver final : RunObserver {
  std::vector<Milliseconds> retries;
  Milliseconds longest_wait{0};
  int finished = 0;
  std::function<void(const Step&)> after_step;  // as the act begins
  void on_step_begin(const Step& step, int) override {
    if (after_step) after_step(step);
  }
  void on_wait(const Wait&, Milliseconds elapsed, const std::string&) override {
    longest_wait = std::max(longest_wait, elapsed);
  }
  void on_trouble(const Error&, Milliseconds retry_in) override { retries.push_back(retry_in); }
  void on_finish(const Outcome&) override { ++finished; }
};

class RunFixture {
 public:
  RunFixture() { site.binds_at_look = 7; }

  toy::Site site;
  toy::ToyWorkflow workflow{site};
  FakeClock clock;
  RecordingLog log;
  RecordingObserver observer;
  RunOptions options;
  bool stop = false;
  std::string ineffective;  // this verb says ok and changes nothing
  Seconds note_deadline{120};
  std::function<void(toy::World&)> before_look;  // what others do

  void fault(const std::string& verb, Kind kind, bool worked) {
    site.faults.push_back({verb, make_error(kind, "scripted"), worked});
  }

  Outcome run() {
    options.clock = &clock;
    options.log = &log;
    options.observer = &observer;
    options.interrupted = [this] { return stop; };
    const auto session = session_with(api_, clock);  // the toy never writes through it
    kube::Writer writer = free_writer(*session);
    Meddled machine(*this);
    return engine::run(machine, writer, options);
  }

  std::vector<std::string> acted() const {
    std::vector<std::string> ids;
    for (const auto& [id, result] : site.acts) ids.push_back(id);
    return ids;
  }
  std::ptrdiff_t times_acted(const std::string& id) const {
    const auto ids = acted();
    return std::count(ids.begin(), ids.end(), id);
  }

 private:
  // The toy with somebody else at work, and deadlines as the test wants them.
  class Meddled final : public Machine {
   public:
    explicit Meddled(RunFixture& fixture) : fixture_(fixture), machine_(fixture.workflow) {}
    Result<void> observe() override {
      if (fixture_.before_look) fixture_.before_look(fixture_.site.world);
      return machine_.observe();
    }
    Next next() const override {
      Next next = machine_.next();
      if (Step* step = std::get_if<Step>(&next); step != nullptr && step->verb == "note") {
        step->deadline = fixture_.note_deadline;
      }
      return next;
    }
    Result<void> act(const Step& step, kube::Writer& writer) override {
      if (step.verb != fixture_.ineffective) return machine_.act(step, writer);
      fixture_.site.acts.emplace_back(step.id, Result<void>());
      return {};
    }
    std::vector<Violation> check() const override { return machine_.check(); }
    std::string progress() const override { return machine_.progress(); }

   private:
    RunFixture& fixture_;
    RunningMachine<toy::World> machine_;
  };
  MemoryApi api_;
};

}  // namespace truenas::engine
