// Confirmation, dry run and explanations: what the user is asked, and told.
#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/engine/confirm.h"
#include "lib/engine/dry_run.h"
#include "lib/engine/explain.h"
#include "tests/model/toy_workflow.h"
#include "tests/unit/engine/fake_clock.h"
#include "tests/unit/engine/memory_api.h"

namespace truenas::engine {
namespace {

Plan small_plan() {
  Plan plan;
  plan.items.emplace_back(toy::step("retain", "old"));
  return plan;
}

TEST_CASE("only yes goes on") {
  CHECK(judge_answer("yes").ok());
  CHECK(judge_answer(" yes \r").ok());
  for (const char* answer : {"", "y", "Yes", "YES", "yes please", "no", "yess", "ye"}) {
    const Result<void> judged = judge_answer(answer);
    REQUIRE_FALSE(judged.ok());
    CHECK(judged.error().kind == Kind::refused);
    CHECK(judged.error().what == "not confirmed; nothing was changed");
  }
  CHECK_FALSE(judge_answer(std::nullopt).ok());
}

TEST_CASE("without a terminal and without -y it is a usage error, and nobody is asked") {
  int asked = 0;
  const auto ask = [&](std::string_view) -> std::optional<std::string> {
    ++asked;
    return "yes";
  };
  const Result<void> silent = confirm(small_plan(), {false, false}, ask);
  REQUIRE_FALSE(silent.ok());
  CHECK(silent.error().kind == Kind::usage);
  CHECK(asked == 0);
  CHECK(confirm(small_plan(), {true, false}, ask).ok());
  CHECK(confirm(small_plan(), {true, true}, ask).ok());
  CHECK(asked == 0);
  CHECK(confirm(small_plan(), {false, true}, ask).ok());
  CHECK(asked == 1);
  CHECK(confirm(Plan{}, {false, false}, ask).ok());  // nothing to do
  CHECK(asked == 1);
}

TEST_CASE("-y and yes do not stand for --accept") {
  Plan plan = small_plan();
  plan.needs = {{"unlogged-tables", "2 unlogged tables end up empty", false},
                {"spare", "a spare instance for the time of the move", true},
                {"skip-proof", "tables above 1Gi are not hashed", false}};
  const auto ask = [](std::string_view) -> std::optional<std::string> { return "yes"; };
  for (const bool yes : {true, false}) {
    const Result<void> agreed = confirm(plan, {yes, true}, ask);
    REQUIRE_FALSE(agreed.ok());
    CHECK(agreed.error().kind == Kind::refused);
    CHECK(contains(agreed.error().what, "2 unlogged tables end up empty"));
    CHECK(contains(agreed.error().hints[0], "--accept=unlogged-tables --accept=skip-proof"));
    CHECK_FALSE(contains(agreed.error().hints[0], "spare"));
  }
  for (Acceptance& need : plan.needs) need.accepted = true;
  CHECK(confirm(plan, {true, false}, ask).ok());
}

TEST_CASE("a phrase must be exactly the plan's") {
  CHECK(check_phrase("3 volumes, 30Gi", "3 volumes, 30Gi").ok());
  CHECK(check_phrase("3 volumes, 30Gi", "3 volumes").error().kind == Kind::refused);
  const Result<void> missing = check_phrase("3 volumes, 30Gi", std::nullopt);
  CHECK(missing.error().kind == Kind::refused);
  CHECK(contains(missing.error().hints[0], "--confirm='3 volumes, 30Gi'"));
}

kube::EventLine event(const char* type, const char* reason, const char* message, std::int64_t count = 1) {
  return {type, reason, message, "2026-11-22T13:00:00Z", count};
}

TEST_CASE("a long wait is explained by the newest warnings, each once") {
  CHECK(explain({}).empty());
  CHECK(explain({event("Normal", "Provisioning", "waits for a volume")}) ==
        "still waiting because: Provisioning: waits for a volume");
  CHECK(explain({event("Warning", "FailedMount", "access denied", 3), event("Warning", "Old", "a"),
                 event("Warning", "FailedMount", "access denied", 2), event("Normal", "Pulled", "image")}) ==
        "still waiting because: FailedMount: access denied (5 times); Old: a");
  const std::string many = explain({event("Warning", "A", "1"), event("Warning", "B", "2"),
                                    event("Warning", "C", "3"), event("Warning", "D", "\x1b[2J4")});
  CHECK(contains(many, "because: D: "));
  CHECK_FALSE(contains(many, "A: 1"));
  CHECK(many.find('\x1b') == std::string::npos);
}

TEST_CASE("events are asked for, and a failure to ask is said") {
  MemoryApi api;
  FakeClock clock;
  const auto session = session_with(api, clock);
  const auto why = explain_by_events(kube::Reader(*session));
  Wait wait;
  CHECK(why(wait).empty());
  CHECK(api.count("GET") == 0);
  wait.object_ns = "coder";
  wait.object_uid = "u-1";
  CHECK(why(wait).empty());
  json::Value warning =
      json::Value::object({{"type", "Warning"}, {"reason", "FailedMount"}, {"message", "denied"}});
  api.put("/api/v1/namespaces/coder/events/e", warning);
  CHECK(why(wait) == "still waiting because: FailedMount: denied");
  api.faults.push_back({"GET", Kind::auth, false});
  CHECK(contains(why(wait), "cannot be seen"));
}

TEST_CASE("a dry run tries every step and tells refused from not there yet") {
  MemoryApi api;
  FakeClock clock;
  const auto session = session_with(api, clock);
  Plan plan;
  for (const char* verb : {"retain", "create", "copy", "delete"})
    plan.items.emplace_back(toy::step(verb, "old"));
  plan.items.emplace_back(Wait{});
  std::get<Step>(plan.items[2]).can_be_tried = false;
  const auto act = [](const Step& step, kube::Writer&) -> Result<void> {
    if (step.verb == "retain") return make_error(Kind::auth, "forbidden");
    if (step.verb == "delete") return make_error(Kind::not_found, "no such volume");
    return {};
  };
  kube::Writer real = free_writer(*session);
  CHECK(try_on_server(plan, real, act).error().kind == Kind::bug);
  kube::Writer trying = free_writer(*session, true);
  const auto trials = try_on_server(plan, trying, act);
  REQUIRE(trials.ok());
  REQUIRE(trials->size() == 4);
  CHECK((*trials)[0].verdict == Trial::Verdict::refused);
  CHECK((*trials)[1].verdict == Trial::Verdict::accepted);
  CHECK((*trials)[2].verdict == Trial::Verdict::not_tried);
  CHECK((*trials)[3].verdict == Trial::Verdict::not_tried);
  const Result<void> judged = judge_trials(*trials);
  REQUIRE_FALSE(judged.ok());
  CHECK(judged.error().kind == Kind::refused);
  CHECK(contains(judged.error().what, "retain volume old: forbidden"));
  CHECK_FALSE(contains(judged.error().what, "no such volume"));
}

}  // namespace
}  // namespace truenas::engine
