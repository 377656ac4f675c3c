// The halves of the rolling move that touch a cluster, observe() and act(), against a cluster that answers:
// each act is one effect, what it does is what project() promised, and the run is the plan that was shown.

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/engine/plan.h"
#include "lib/workflow/postgres_rolling.h"
#include "tests/fakes/site_fixture.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

RollingOptions site_options() {
  RollingOptions options;
  options.ns = "coder";
  options.cluster = "coder-postgres";
  return options;
}

std::string id_of(const engine::Next& next) {
  if (const auto* step = std::get_if<engine::Step>(&next)) return step->id;
  if (const auto* wait = std::get_if<engine::Wait>(&next)) return "wait: " + wait->id;
  if (const auto* blocked = std::get_if<engine::Blocked>(&next)) return "blocked: " + blocked->why;
  return "done";
}

// The rolling move of the site's database, driven by hand.
struct Move {
  fakes::Site site;
  std::map<std::string, std::string> book;
  PostgresRolling rolling{site.reader, fact_book(), site_options(), site.clock};
  std::vector<std::string> acted;  // verbs: what a plan calls by name gets its uid only when it is made

  explicit Move(const fakes::SiteOptions& options = {}) : site(options) {
    site.cluster.each_tick = [this] { site.cluster.write("coder", "coder-postgres"); };
  }
  FactBook fact_book() {
    FactBook facts;
    facts.read = [this]() -> Result<std::map<std::string, std::string>> { return book; };
    facts.write = [this](const std::string& key, const std::string& value) -> Result<void> {
      const auto [place, made] = book.emplace(key, value);
      if (made || place->second == value) return {};
      return make_error(Kind::conflict, key + " has another value");
    };
    return facts;
  }
  PostgresWorld observe() {
    Result<PostgresWorld> world = rolling.observe();
    REQUIRE_MESSAGE(world.ok(), (world.ok() ? "" : world.error().what));
    for (const engine::Violation& violation : rolling.check(*world)) FAIL_CHECK(violation.rule);
    return std::move(world).value();
  }
  engine::Plan plan() {
    Result<engine::Plan> plan = engine::unfold(rolling, observe());
    REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().what));
    REQUIRE_MESSAGE(!plan->blocked, (plan->blocked ? plan->blocked->why : ""));
    return std::move(plan).value();
  }
  // One effect; more than one write to the API is more than one.
  void act(const engine::Step& step) {
    const std::size_t writes = site.cluster.writes();
    const Result<void> result = rolling.act(step, site.writer);
    REQUIRE_MESSAGE(result.ok(), step.id << ": " << (result.ok() ? "" : result.error().what));
    CHECK_MESSAGE(site.cluster.writes() <= writes + 1, step.id);
    acted.push_back(step.verb);
  }
  // Looks once; acts when that is what comes next, else lets a second pass. False at the end.
  bool advance() {
    const PostgresWorld world = observe();
    const engine::Next next = rolling.next(world);
    const auto* blocked = std::get_if<engine::Blocked>(&next);
    REQUIRE_MESSAGE(blocked == nullptr, (blocked == nullptr ? "" : blocked->why));
    if (std::holds_alternative<engine::Done>(next)) return false;
    if (const auto* step = std::get_if<engine::Step>(&next)) {
      act(*step);
      const engine::Next after = rolling.next(observe());
      const engine::Next promised = rolling.next(rolling.project(world, next));
      // The neighbours may need a moment; what was asked for is never asked for again.
      if (!std::holds_alternative<engine::Wait>(after) && !std::holds_alternative<engine::Wait>(promised)) {
        CHECK_MESSAGE(id_of(after) == id_of(promised), "after " << step->id);
      }
      CHECK(id_of(after) != step->id);
    } else if (!site.clock.sleep(Milliseconds{1'000}).ok()) {
      return false;
    }
    return true;
  }
  void run() {
    int rounds = 0;
    while (advance()) REQUIRE(++rounds < 2'000);
  }
};

std::vector<std::string> verbs_of(const engine::Plan& plan) {
  std::vector<std::string> verbs;
  for (const auto& item : plan.items) {
    if (const auto* step = std::get_if<engine::Step>(&item)) verbs.push_back(step->verb);
  }
  return verbs;
}

}  // namespace

TEST_CASE("a run is the plan that was shown, one effect a step, and loses nothing") {
  fakes::SiteOptions options;
  options.workspaces = false;
  SUBCASE("three instances") {}
  SUBCASE("two instances") {
    options.instances = 2;
  }
  SUBCASE("a single instance") {
    options.instances = 1;
  }
  SUBCASE("WAL and a tablespace on claims of their own") {
    options.wal_storage = options.tablespace = true;
  }
  Move move(options);
  const std::vector<std::string> planned = verbs_of(move.plan());
  const std::size_t before = move.site.cluster.writes();
  CHECK(before == 0);  // planning changes nothing
  move.run();
  CHECK(join(move.acted, "\n") == join(planned, "\n"));
  CHECK(move.site.nothing_lost());
  CHECK(move.site.cluster.destroyed_data().empty());
  const PostgresWorld end = move.observe();
  for (const cnpg::InstanceClaim& claim : end.cluster.claims) {
    CHECK(claim.storage_class == fakes::k_new_class);
    CHECK(end.cluster.volumes.at(claim.volume).driver == fakes::k_new_driver);
    CHECK(end.cluster.volumes.at(claim.volume).reclaim_policy == "Retain");
  }
  CHECK(move.plan().nothing_to_do());
}

TEST_CASE("what cannot be observed is an error, not an empty world") {
  Move move;
  std::string part;
  SUBCASE("claims") {
    part = "/persistentvolumeclaims";
  }
  SUBCASE("volumes") {
    part = "/persistentvolumes";
  }
  SUBCASE("the Cluster") {
    part = "/clusters/";
  }
  SUBCASE("a class") {
    part = "/storageclasses/truenas-csi-nfs";
  }
  fakes::Fault fault = fakes::refuse(fakes::request_to("GET", part));
  fault.times = -1;
  move.site.cluster.add_fault(fault);
  const Result<PostgresWorld> world = move.rolling.observe();
  REQUIRE_FALSE(world.ok());
  CHECK(world.error().kind == Kind::unavailable);
}
