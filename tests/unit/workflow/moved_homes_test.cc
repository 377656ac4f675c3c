// Which homes --all stands for, by their journals.

#include "lib/workflow/moved_homes.h"

#include <doctest/doctest.h>

#include "tests/unit/workflow/finalize_site.h"

using namespace truenas;
using namespace truenas::workflow;

TEST_CASE("--all: homes that were moved and are not finalized, also those that are absent just now") {
  FinalizeSite site;
  auto session = fakes::make_session(site.cluster, site.clock);
  const kube::Reader reader(*session);
  const auto moved = [&](std::vector<std::string> namespaces = {}) {
    auto homes = find_moved_homes(reader, "cluster", namespaces);
    REQUIRE_MESSAGE(homes.ok(), (homes.ok() ? "" : homes.error().what));
    CHECK(homes->unread.empty());
    return std::move(homes).value().homes;
  };
  REQUIRE(moved().size() == 1);
  CHECK(moved({HomeSite::k_ns}).size() == 1);
  CHECK(moved({"default"}).empty());
  CHECK(moved()[0].claim == site.options.claim);
  CHECK(moved()[0].there);
  CHECK_FALSE(moved()[0].open);
  CHECK_FALSE(moved()[0].back);
  CHECK(moved({HomeSite::k_ns, HomeSite::k_ns}).size() == 1);
  const auto other = find_moved_homes(reader, "another", {});
  REQUIRE(other.ok());
  CHECK(other->homes.empty());
  REQUIRE(other->unread.size() == 1);
  CHECK(contains(other->unread[0].what, HomeSite::k_ns + std::string("/")));
  SUBCASE("a journal of another cluster beside it") {
    json::Value strange = *site.cluster.store.list("", "configmaps").front();
    for (const json::Value* object : site.cluster.store.list("", "configmaps")) {
      if (!object->text_at("/data/target").empty()) strange = *object;
    }
    strange.set_at("/metadata/name", "strange");
    strange.set_at("/metadata/uid", "strange");
    strange.set_at("/metadata/labels/" + json::pointer_token("app.kubernetes.io/name"),
                   engine::journal_name("workspace", "strange"));
    strange.set_at("/data/cluster-uid", "another");
    site.cluster.put(strange);
    const auto both = find_moved_homes(reader, "cluster", {});
    REQUIRE(both.ok());
    CHECK(both->homes.size() == 1);
    REQUIRE(both->unread.size() == 1);
    CHECK(contains(both->unread[0].what, "strange"));
  }
  SUBCASE("finalized") {
    REQUIRE(site.give_up().ok());
    CHECK(moved().empty());
  }
  SUBCASE("taken back") {
    site.options.rollback = true;
    site.options.accepted = {k_newer_writes};
    REQUIRE(site.run().ok());
    REQUIRE(moved().size() == 1);
    CHECK(moved()[0].back);
  }
  SUBCASE("its way back was killed") {
    site.options.rollback = true;
    site.options.accepted = {k_newer_writes};
    site.interrupted = [&site] { return site.claim() == nullptr; };
    REQUIRE(site.run().error);
    REQUIRE(site.claim() == nullptr);
    CHECK(moved().at(0).open);
    CHECK_FALSE(moved()[0].there);
  }
}
