#include "lib/engine/plan.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/model/toy_workflow.h"

namespace truenas::engine {
namespace {

using toy::Bug;
using toy::World;

std::vector<std::string> ids_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const auto& item : plan.items) {
    const Step* step = std::get_if<Step>(&item);
    ids.push_back(step != nullptr ? step->id : std::get<Wait>(item).id);
  }
  return ids;
}

TEST_CASE("a plan is every step and wait until Done") {
  toy::Site site;
  const Result<Plan> plan = unfold(toy::ToyWorkflow(site), World{});
  REQUIRE(plan.ok());
  CHECK(ids_of(*plan) == std::vector<std::string>{"note old", "retain old", "create fresh", "bind fresh",
                                                  "copy old", "delete old", "restore fresh"});
  CHECK(plan->step_count() == 6);
  CHECK(plan->wait_count() == 1);
  CHECK(plan->deletion_count() == 1);
  CHECK(plan->summary == "the parcel lies on volume fresh");
  CHECK_FALSE(plan->blocked);
  CHECK_FALSE(plan->nothing_to_do());
  CHECK(site.acts.empty());
  CHECK(site.looks == 0);
}

TEST_CASE("a plan from the end has nothing to do") {
  toy::Site site;
  World end;
  end.old_exists = false;
  end.copied = true;
  end.noted = "Retain";
  end.fresh = World::Fresh::bound;
  const Result<Plan> plan = unfold(toy::ToyWorkflow(site), end);
  REQUIRE(plan.ok());
  CHECK(plan->nothing_to_do());
}

TEST_CASE("a start that breaks the invariant is refused by name, and nothing is planned") {
  toy::Site site;
  World lost;
  lost.old_exists = false;
  const Result<Plan> plan = unfold(toy::ToyWorkflow(site), lost);
  REQUIRE(plan.ok());
  REQUIRE(plan->blocked);
  CHECK(plan->blocked->kind == Kind::refused);
  CHECK(contains(plan->blocked->why, "the bytes have a home"));
  CHECK(contains(plan->blocked->why, "volume old is gone and nothing was copied"));
  CHECK(plan->items.empty());
}

TEST_CASE("a plan that would break the invariant is a bug that names rule, detail and step") {
  toy::Site site;
  const Result<Plan> plan = unfold(toy::ToyWorkflow(site, Bug::deletes_too_early), World{});
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().kind == Kind::bug);
  CHECK(contains(plan.error().what, "the bytes have a home"));
  CHECK(contains(plan.error().what, "nothing was copied"));
  CHECK(contains(plan.error().what, "step \"delete old\""));
}

TEST_CASE("a plan that goes round is a bug that names the cycle") {
  toy::Site site;
  const Result<Plan> plan = unfold(toy::ToyWorkflow(site, Bug::goes_round), World{}, PlanLimits{100});
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().kind == Kind::bug);
  CHECK(contains(plan.error().what, "copy old"));
  CHECK(contains(plan.error().what, "scratch fresh"));
  CHECK_FALSE(contains(plan.error().what, "create fresh"));
}

// next() and project() given one by one, for decisions that no sound workflow makes.
class Scripted final : public PureMachine {
 public:
  explicit Scripted(std::vector<Next> decisions) : decisions_(std::move(decisions)) {}
  Next next() const override { return decisions_[std::min(at_, decisions_.size() - 1)]; }
  void project(const Next&) override { ++at_; }
  std::vector<Violation> check() const override { return {}; }

 private:
  std::vector<Next> decisions_;
  std::size_t at_ = 0;
};

Wait wait_for(const std::string& id, const std::string& why) {
  Wait wait;
  wait.id = id;
  wait.why = why;
  return wait;
}

TEST_CASE("a step or wait that project does not pass is a bug at once") {
  Scripted same_step({toy::step("retain", "old")});
  CHECK(unfold(same_step).error().what == "the plan does not move on after step \"retain old\"");
  Scripted same_wait({wait_for("join", "joins")});
  CHECK(unfold(same_wait).error().what == "the plan does not move on after wait \"join\"");
}

TEST_CASE("one wait with several phases is one line") {
  Scripted phases({wait_for("join", "copies"), wait_for("join", "streams"), Done{"joined"}});
  const Result<Plan> plan = unfold(phases);
  REQUIRE(plan.ok());
  CHECK(plan->wait_count() == 1);
  CHECK(plan->summary == "joined");
}

TEST_CASE("a plan keeps what came before a refusal") {
  Scripted refused({toy::step("retain", "old"), Blocked{Kind::refused, "no", {"ask somebody"}}});
  const Result<Plan> plan = unfold(refused);
  REQUIRE(plan.ok());
  CHECK(plan->step_count() == 1);
  REQUIRE(plan->blocked);
  CHECK(plan->blocked->why == "no");
  CHECK(plan->blocked->hints == std::vector<std::string>{"ask somebody"});
}

TEST_CASE("a plan as JSON") {
  toy::Site site;
  Result<Plan> plan = unfold(toy::ToyWorkflow(site), World{});
  REQUIRE(plan.ok());
  plan->downtime = "none";
  plan->needs.push_back({"lose-dust", "the dust stays behind", true});
  const json::Value value = to_json(*plan);
  CHECK(value.integer_at("/steps") == 6);
  CHECK(value.text_at("/items/0/type") == "step");
  CHECK(value.text_at("/items/0/id") == "note old");
  CHECK(value.text_at("/items/3/type") == "wait");
  CHECK(value.text_at("/items/3/for") == "the binder");
  CHECK(value.integer_at("/items/3/deadlineSeconds") == 60);
  CHECK(value.text_at("/items/3/nudge") == "nudge volume fresh");
  CHECK(value.boolean_at("/items/5/deletes"));
  CHECK(value.text_at("/summary") == "the parcel lies on volume fresh");
  CHECK(value.at("/blocked") == nullptr);
  CHECK(value.text_at("/downtime") == "none");
  CHECK(value.boolean_at("/needs/0/accepted"));
  plan->blocked = Blocked{Kind::refused, "no", {"try this"}};
  CHECK(to_json(*plan).text_at("/blocked/hints/0") == "try this");
  CHECK(to_json(*plan).text_at("/blocked/kind") == "refused");
  CHECK(to_json(*plan).at("/summary") == nullptr);
}

}  // namespace
}  // namespace truenas::engine
