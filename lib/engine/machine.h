#pragma once
// Machine: a Workflow together with its current World, seen without the World's type, so that planning
// (plan.cc) and running (run.cc) are ordinary code and not templates. It adds no decision of its own.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/engine/workflow.h"

namespace truenas::engine {

// What planning needs: the pure half.
class PureMachine {
 public:
  virtual ~PureMachine() = default;
  virtual Next next() const = 0;
  // Replaces the world by the one in which `next` has worked.
  virtual void project(const Next& next) = 0;
  virtual std::vector<Violation> check() const = 0;
};

template <class W>
class PlanningMachine final : public PureMachine {
 public:
  PlanningMachine(const Workflow<W>& workflow, W start) : workflow_(&workflow), world_(std::move(start)) {}
  Next next() const override { return workflow_->next(world_); }
  void project(const Next& next) override { world_ = workflow_->project(std::move(world_), next); }
  std::vector<Violation> check() const override { return workflow_->check(world_); }

 private:
  const Workflow<W>* workflow_;
  W world_;
};

// What running needs. next, check and progress may be asked only after observe() has succeeded once.
class Machine {
 public:
  virtual ~Machine() = default;
  // Replaces the world by what is there now; leaves it as it was on an error.
  virtual Result<void> observe() = 0;
  virtual Next next() const = 0;
  virtual Result<void> act(const Step& step, kube::Writer& writer) = 0;
  virtual std::vector<Violation> check() const = 0;
  virtual std::string progress() const = 0;
};

template <class W>
class RunningMachine final : public Machine {
 public:
  explicit RunningMachine(Workflow<W>& workflow) : workflow_(&workflow) {}
  Result<void> observe() override {
    Result<W> seen = workflow_->observe();
    if (!seen.ok()) return std::move(seen).take_error();
    world_ = std::move(seen).value();
    return {};
  }
  Next next() const override { return workflow_->next(*world_); }
  Result<void> act(const Step& step, kube::Writer& writer) override { return workflow_->act(step, writer); }
  std::vector<Violation> check() const override { return workflow_->check(*world_); }
  std::string progress() const override { return workflow_->progress(*world_); }
  // The world seen last; nullopt before the first observe().
  const std::optional<W>& world() const { return world_; }

 private:
  Workflow<W>* workflow_;
  std::optional<W> world_;
};

}  // namespace truenas::engine
