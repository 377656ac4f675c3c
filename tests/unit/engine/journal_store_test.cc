#include "lib/engine/journal_store.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/engine/fake_clock.h"
#include "tests/unit/engine/memory_api.h"

namespace truenas::engine {
namespace {

const std::string k_path = "/api/v1/namespaces/coder/configmaps/truenas-migrate-postgres-pg";

struct Stage {
  MemoryApi api;
  FakeClock clock;
  std::unique_ptr<kube::Session> session = session_with(api, clock);
  kube::Writer writer = free_writer(*session);
  JournalStore store = make();
  JournalStore make(const std::string& target_uid = "target-1") {
    return JournalStore(kube::Reader(*session), {"coder", "postgres", "pg"},
                        {"cluster-1", "cluster coder/pg", target_uid}, clock);
  }
};

TEST_CASE("a journal that does not exist is empty, and is made by the first fact") {
  Stage s;
  const Result<Journal> none = s.store.read();
  REQUIRE(none.ok());
  CHECK_FALSE(none->exists());
  CHECK(s.api.paths().empty());
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}, {"b", "2"}}).ok());
  CHECK(s.api.count("POST") == 1);
  const Result<Journal> read = s.make().read();
  REQUIRE(read.ok());
  CHECK(read->facts() == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("what cannot be read is not an empty journal") {
  Stage s;
  s.api.faults.push_back({"GET", Kind::auth, false});
  CHECK(s.store.read().error().kind == Kind::auth);
  s.api.faults.push_back({"GET", Kind::unavailable, false});
  CHECK(s.store.set_facts(s.writer, {{"a", "1"}}).error().kind == Kind::unavailable);
  CHECK(s.api.paths().empty());
}

TEST_CASE("facts that another run wrote meanwhile are kept") {
  Stage s;
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
  JournalStore other = s.make();
  REQUIRE(other.set_facts(s.writer, {{"b", "2"}}).ok());
  REQUIRE(s.store.set_facts(s.writer, {{"c", "3"}}).ok());
  CHECK(s.store.read()->facts().size() == 3);
  const Result<void> clash = s.store.set_facts(s.writer, {{"b", "other"}});
  CHECK(clash.error().kind == Kind::conflict);
  CHECK(*s.store.read()->find_fact("b") == "2");
}

TEST_CASE("a fact that another run wrote first is seen in the merge") {
  Stage s;
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
  JournalStore other = s.make();
  REQUIRE(other.set_facts(s.writer, {{"policy", "Delete"}}).ok());
  const Result<void> clash = s.store.set_facts(s.writer, {{"policy", "Retain"}});
  REQUIRE_FALSE(clash.ok());
  CHECK(contains(clash.error().what, "Delete"));
  CHECK(contains(clash.error().what, "Retain"));
}

TEST_CASE("a lost reply is looked at: neither lost nor written twice") {
  for (const bool worked : {true, false}) {
    Stage s;
    s.api.faults.push_back({"POST", Kind::outcome_unknown, worked});
    REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
    s.api.faults.push_back({"PATCH", Kind::outcome_unknown, worked});
    const LogEntry entry{"t", "run", "step", "intent", ""};
    REQUIRE(s.store.append(s.writer, entry).ok());
    const Result<Journal> read = s.store.read();
    REQUIRE(read.ok());
    CHECK(read->facts().size() == 1);
    CHECK(read->log() == std::vector<LogEntry>{entry});
  }
}

TEST_CASE("a journal that somebody writes into all the time is given up") {
  Stage s;
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
  s.api.before = [&](const http::Request& request) {
    if (request.method != "PATCH") return;
    json::Value changed = *s.api.find(k_path);
    s.api.put(k_path, changed);
  };
  const Result<void> written = s.store.set_facts(s.writer, {{"b", "2"}});
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().kind == Kind::unavailable);
  CHECK(s.api.count("PATCH") == 8);
}

TEST_CASE("two runs that create the journal at once end up with one") {
  Stage s;
  bool first = true;
  s.api.before = [&](const http::Request& request) {
    if (request.method != "POST" || !first) return;
    first = false;
    (void)s.api.handle(request);  // somebody else's, with the same first fact
  };
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
  CHECK(s.store.read()->facts().size() == 1);
}

TEST_CASE("a journal rolls to a second object, is read whole and removed whole") {
  Stage s;
  const std::string manifest(300 << 10, 'm');
  REQUIRE(s.store.set_facts(s.writer, {{"a", manifest}}).ok());
  REQUIRE(s.store.set_facts(s.writer, {{"b", manifest}}).ok());
  CHECK(s.api.paths() == std::vector<std::string>{k_path, k_path + ".part-2"});
  CHECK(s.make().read()->facts().size() == 2);
  REQUIRE(s.store.append(s.writer, {"t", "run", "step", "intent", ""}).ok());
  CHECK(s.api.find(k_path + ".part-2")->at("/data/log.000000001") != nullptr);
  REQUIRE(s.store.remove(s.writer).ok());
  CHECK(s.api.paths().empty());
}

TEST_CASE("a journal of another target is neither read nor written") {
  Stage s;
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
  JournalStore other = s.make("target-2");
  CHECK(other.read().error().kind == Kind::refused);
  CHECK(other.set_facts(s.writer, {{"b", "2"}}).error().kind == Kind::refused);
  CHECK(s.store.read()->facts().size() == 1);
}

TEST_CASE("a journal that was deleted meanwhile is made again, not patched into nothing") {
  Stage s;
  REQUIRE(s.store.set_facts(s.writer, {{"a", "1"}}).ok());
  s.api.erase(k_path);
  REQUIRE(s.store.set_facts(s.writer, {{"b", "2"}}).ok());
  CHECK(s.store.read()->facts().size() == 1);
}

TEST_CASE("a run's log names run, step, phase and outcome, printable") {
  Stage s;
  JournalLog log(s.store, s.writer, "ann@build:1:x");
  Step step;
  step.id = "retain pv-1";
  REQUIRE(log.note_intent(step).ok());
  REQUIRE(log.note_done(step, "refused: \x1b[31mno").ok());
  const std::vector<LogEntry> entries = s.store.read()->log();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].phase == "intent");
  CHECK(entries[0].run == "ann@build:1:x");
  CHECK(entries[1].step == "retain pv-1");
  CHECK(entries[1].outcome.find('\x1b') == std::string::npos);
  CHECK(contains(entries[1].outcome, "refused: "));
}

}  // namespace
}  // namespace truenas::engine
