#include "lib/engine/journal.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::engine {
namespace {

const JournalBinding k_binding{"cluster-1", "cluster coder/pg", "target-1"};

std::vector<json::Value> objects_of(const Journal& journal) {
  std::vector<json::Value> objects;
  for (std::size_t i = 0; i < journal.parts().size(); ++i) {
    json::Value object = to_config_map(journal.parts()[i], "coder", "truenas-migrate-postgres-pg", i + 1);
    object.set_at("/metadata/uid", "u" + std::to_string(i));
    object.set_at("/metadata/resourceVersion", "7");
    objects.push_back(std::move(object));
  }
  return objects;
}

Journal with_facts() {
  Journal journal(k_binding);
  REQUIRE(journal.set_fact("policy.pv-1", "Delete").ok());
  REQUIRE(journal.set_fact("instances", "3").ok());
  journal.append({"2026-11-22T13:00:00.000000Z", "ann@build:1:x", "retain pv-1", "intent", ""});
  return journal;
}

TEST_CASE("names are cut at 63 bytes and stay different, and parts cannot meet another target") {
  CHECK(journal_name("postgres", "pg") == "truenas-migrate-postgres-pg");
  const std::string a = journal_name("postgres", std::string(60, 'a') + "1");
  const std::string b = journal_name("postgres", std::string(60, 'a') + "2");
  CHECK(a.size() <= 63);
  CHECK(a != b);
  CHECK(journal_part_name("n", 1) == "n");
  CHECK(journal_part_name(journal_name("postgres", "pg"), 2) != journal_name("postgres", "pg-2"));
}

TEST_CASE("a journal reads back as it was written, with what it does not know") {
  std::vector<json::Value> objects = objects_of(with_facts());
  REQUIRE(objects.size() == 1);
  CHECK(objects[0].text_at("/metadata/labels/app.kubernetes.io~1managed-by") == "kubectl-truenas-migrate");
  CHECK(objects[0].text_at("/metadata/labels/app.kubernetes.io~1name") == "truenas-migrate-postgres-pg");
  objects[0].set_at("/data/other", "somebody's");
  const Result<Journal> read = Journal::parse(k_binding, objects);
  REQUIRE(read.ok());
  CHECK(read->exists());
  REQUIRE(read->find_fact("policy.pv-1") != nullptr);
  CHECK(*read->find_fact("policy.pv-1") == "Delete");
  CHECK(read->facts().size() == 2);
  REQUIRE(read->log().size() == 1);
  CHECK(read->log()[0].step == "retain pv-1");
  CHECK(read->parts()[0].data.at("other") == "somebody's");
  CHECK(read->find_fact("never") == nullptr);
  CHECK_FALSE(Journal(k_binding).exists());
}

TEST_CASE("a fact is written once") {
  Journal journal = with_facts();
  CHECK(journal.set_fact("instances", "3").ok());
  const Result<void> again = journal.set_fact("instances", "1");
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().kind == Kind::conflict);
  CHECK(contains(again.error().what, "\"3\""));
  CHECK(contains(again.error().what, "\"1\""));
  CHECK(*journal.find_fact("instances") == "3");
  CHECK(journal.set_fact("no/slash", "x").error().kind == Kind::bug);
  CHECK(journal.set_fact("", "x").error().kind == Kind::bug);
  CHECK(journal.set_fact("huge", std::string(k_journal_value_bytes + 1, 'x')).error().kind == Kind::refused);
}

TEST_CASE("a journal of another cluster, target or a newer version is refused with both values") {
  const auto refusal = [](const std::string& pointer, const std::string& value) {
    std::vector<json::Value> objects = objects_of(with_facts());
    objects[0].set_at(pointer, value);
    return Journal::parse(k_binding, objects);
  };
  for (const auto& [key, value, ours] : {std::tuple{"cluster-uid", "cluster-2", "cluster-1"},
                                         {"target-uid", "target-2", "target-1"},
                                         {"target", "cluster coder/other", "cluster coder/pg"},
                                         {"version", "2", "1"}}) {
    const Result<Journal> read = refusal(std::string("/data/") + key, value);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == Kind::refused);
    CHECK(contains(read.error().what, value));
    CHECK(contains(read.error().what, ours));
    CHECK(contains(read.error().what, "configmap coder/truenas-migrate-postgres-pg"));
    CHECK_FALSE(read.error().hints.empty());
  }
}

TEST_CASE("without a target uid of ours the journal's counts") {
  const Result<Journal> read =
      Journal::parse({"cluster-1", "cluster coder/pg", ""}, objects_of(with_facts()));
  REQUIRE(read.ok());
  CHECK(read->binding().target_uid == "target-1");
}

TEST_CASE("garbage is a clear error") {
  for (const auto& [pointer, value] : {std::pair<std::string, json::Value>{"/data/version", "x"},
                                       {"/data/version", "-1"},
                                       {"/data/version", "99999999999999999999"},
                                       {"/data/version", 1},
                                       {"/data", "text"},
                                       {"/data/part", "2"},
                                       {"/data/log.000000001", "not json"},
                                       {"/data/log.000000002", "[]"},
                                       {"/data/log.x", "{}"}}) {
    std::vector<json::Value> objects = objects_of(with_facts());
    objects[0].set_at(pointer, value);
    const Result<Journal> read = Journal::parse(k_binding, objects);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == Kind::format);
    CHECK(contains(read.error().what, "journal configmap coder/"));
  }
  for (const char* key : {"version", "cluster-uid", "target", "target-uid", "part"}) {
    std::vector<json::Value> objects = objects_of(with_facts());
    objects[0].remove_at(std::string("/data/") + key);
    const Result<Journal> read = Journal::parse(k_binding, objects);
    REQUIRE_FALSE(read.ok());
    CHECK(contains(read.error().what, key));
  }
}

TEST_CASE("above 512 KiB a second part begins, and both are read") {
  Journal journal(k_binding);
  const std::string manifest(200 << 10, 'm');
  for (const char* name : {"a", "b", "c", "d", "e"}) REQUIRE(journal.set_fact(name, manifest).ok());
  REQUIRE(journal.parts().size() == 3);
  for (const JournalPart& part : journal.parts()) CHECK(part.bytes() <= k_journal_part_bytes);
  const Result<Journal> read = Journal::parse(k_binding, objects_of(journal));
  REQUIRE(read.ok());
  CHECK(read->facts().size() == 5);
  // Write-once holds over all parts, and a part that says otherwise is damage.
  CHECK(journal.set_fact("a", "other").error().kind == Kind::conflict);
  std::vector<json::Value> objects = objects_of(journal);
  objects[2].set_at("/data/fact.a", "other");
  CHECK(Journal::parse(k_binding, objects).error().kind == Kind::format);
}

TEST_CASE("the log is bounded and drops its oldest entries") {
  Journal journal(k_binding);
  for (std::size_t i = 0; i < k_journal_log_entries + 50; ++i) {
    journal.append({"t" + std::to_string(i), "run", "step", "intent", ""});
  }
  const std::vector<LogEntry> log = journal.log();
  REQUIRE(log.size() == k_journal_log_entries);
  CHECK(log.front().time == "t50");
  CHECK(log.back().time == "t" + std::to_string(k_journal_log_entries + 49));
}

TEST_CASE("the same entry is written once, and a long outcome is cut between characters") {
  Journal journal(k_binding);
  const LogEntry entry{"t", "run", "step", "done", "ok"};
  journal.append(entry);
  journal.append(entry);
  CHECK(journal.log() == std::vector<LogEntry>{entry});
  std::string accents;
  for (int i = 0; i < 400; ++i) accents += "\xc3\xa9";
  journal.append({"t2", "run", "step", "done", accents});
  const std::string outcome = journal.log().back().outcome;
  CHECK(outcome.size() <= 500);
  CHECK(outcome.size() > 400);
  CHECK(outcome.substr(outcome.size() - 3) == "...");
  CHECK((outcome.size() - 3) % 2 == 0);
}

TEST_CASE("a patch carries only what changed, and the version it was made for") {
  Journal before = with_facts();
  before.parts()[0].resource_version = "41";
  Journal after = before;
  CHECK(journal_patch(before.parts()[0], after.parts()[0]).is_null());
  REQUIRE(after.set_fact("new", "1").ok());
  after.parts()[0].data.erase("log.000000001");
  const json::Value patch = journal_patch(before.parts()[0], after.parts()[0]);
  CHECK(patch.text_at("/metadata/resourceVersion") == "41");
  CHECK(patch.members_at("/data").size() == 2);
  CHECK(patch.text_at("/data/fact.new") == "1");
  REQUIRE(patch.at("/data/log.000000001") != nullptr);
  CHECK(patch.at("/data/log.000000001")->is_null());
}

}  // namespace
}  // namespace truenas::engine
