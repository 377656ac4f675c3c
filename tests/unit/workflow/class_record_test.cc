// What a probe found is remembered for the class it was found on, and for no other.

#include "lib/workflow/class_record.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/workflow/class_probe.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/workflow/class_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

ClassRecord record(const std::string& verdict, const std::string& time = "2026-11-22T13:28:34.000000Z",
                   const std::string& uid = "uid-1") {
  ClassRecord record;
  record.time = time;
  record.class_uid = uid;
  record.verdict = verdict;
  return record;
}

std::map<std::string, std::string> facts_of(const std::vector<ClassRecord>& records) {
  std::map<std::string, std::string> facts = {{"run-1.begin", "{}"}, {"run-1.end", "complete"}};
  for (const ClassRecord& one : records) facts[record_key(one)] = record_value(one);
  return facts;
}

struct RecordSite {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  kube::Reader reader{*session};
  kube::Writer writer{*session, fakes::any_permit()};
  ClassFinding finding;
  RecordSite() {
    finding.storage_class = "truenas-csi-nfs";
    finding.storage_class_uid = "uid-1";
    finding.verdict = "root_squash";
    finding.facts = {{"directory_owner", "0:0"}, {"directory_mode", "0777"}, {"copy_by_server", "yes"}};
  }
  Result<void> write() { return write_class_record(reader, writer, "kube-system", finding, clock); }
  RecordedProbe read(const std::string& uid = "uid-1") {
    return read_recorded_probe(reader, "kube-system", "truenas-csi-nfs", uid, clock);
  }
};

}  // namespace

TEST_CASE("whose files can be its own where") {
  struct Row {
    const char* verdict;
    std::int64_t uid;
    const char* why;  // "" for nothing against it
    bool squashes_root;
  };
  const Row rows[] = {
      {"all_squash(root)", 26, "gives every file to root", false},
      {"all_squash(root)", 0, "", false},
      {"all_squash(1000:1000)", 26, "gives every file to uid 1000", false},
      {"all_squash(26:26)", 26, "", false},
      {"all_squash(260:26)", 26, "gives every file to uid 260", false},
      {"private to uid 1000", 26, "lets only uid 1000 write", true},
      {"private to uid 26", 26, "", true},
      {"root_squash", 26, "", true},
      {"no_root_squash", 26, "", false},
      {"local file system", 26, "", false},
      {"read-only", 26, "", false},
      {"unknown", 26, "", false},
      {"all_squash(", 26, "", false},
      {"a verdict of tomorrow", 26, "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.verdict);
    CAPTURE(row.uid);
    CHECK(record(row.verdict).why_not_owner(row.uid).value_or("") == row.why);
    CHECK(record(row.verdict).squashes_root() == row.squashes_root);
  }
}

TEST_CASE("the newest record of this very class counts") {
  const auto facts = facts_of({record("all_squash(root)", "2026-11-22T13:28:34.000000Z"),
                               record("root_squash", "2026-11-22T14:00:00.000001Z"),
                               record("unknown", "2027-01-01T00:00:00.000000Z", "uid-of-its-successor")});
  const auto newest = newest_record(facts, "uid-1");
  REQUIRE(newest.ok());
  REQUIRE(newest->has_value());
  CHECK((*newest)->text() == "root_squash, probed 2026-11-22T14:00:00Z");
  CHECK_FALSE(newest_record(facts, "uid-of-its-predecessor")->has_value());
  CHECK_FALSE(newest_record({}, "uid-1")->has_value());
}

TEST_CASE("a damaged record is said, not passed over") {
  const auto read = newest_record({{"probe-2026-11-22T13-28-34.000000Z", "{\"time\": 1}"}}, "uid-1");
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().kind == Kind::format);
  CHECK(contains(read.error().what, "journal fact probe-2026-11-22T13-28-34.000000Z"));
}

TEST_CASE("what is written is read again, whatever happens to the reply") {
  for (const bool lost : {false, true}) {
    CAPTURE(lost);
    RecordSite site;
    CHECK_FALSE(site.read().newest.has_value());
    CHECK(site.read().unknown.empty());
    if (lost) site.cluster.add_fault(fakes::drop_reply(fakes::write_number(1)));
    REQUIRE(site.write().ok());
    const RecordedProbe probe = site.read();
    CHECK(probe.unknown.empty());
    REQUIRE(probe.newest.has_value());
    CHECK(probe.newest->verdict == "root_squash");
    CHECK(probe.newest->directory_mode == "0777");
    CHECK(probe.newest->copy_by_server == "yes");
    CHECK_FALSE(site.read("uid-2").newest.has_value());
  }
}

TEST_CASE("a second probe adds to the first, and the journal of the class's changes stays readable") {
  ClassSite site;
  site.live("{protocol: nfs, pool: SAS}");
  REQUIRE(site.run().ok());
  auto session = fakes::make_session(site.cluster, site.clock);
  const kube::Reader reader(*session);
  kube::Writer writer(*session, fakes::any_permit());
  ClassFinding finding;
  finding.storage_class = "truenas-csi-nfs";
  finding.storage_class_uid = site.find()->text_at("/metadata/uid");
  for (const char* verdict : {"all_squash(root)", "root_squash"}) {
    finding.verdict = verdict;
    const auto written = write_class_record(reader, writer, "kube-system", finding, site.clock);
    REQUIRE_MESSAGE(written.ok(), written.error().what);
    REQUIRE(site.clock.sleep(Milliseconds(1000)).ok());
  }
  const RecordedProbe probe =
      read_recorded_probe(reader, "kube-system", "truenas-csi-nfs", finding.storage_class_uid, site.clock);
  REQUIRE(probe.newest.has_value());
  CHECK(probe.newest->verdict == "root_squash");
  CHECK(site.roll_back().ok());
}

TEST_CASE("what cannot be read is unknown, not never probed") {
  RecordSite site;
  REQUIRE(site.write().ok());
  site.cluster.add_fault(fakes::answer(
      fakes::request_to("GET", "/configmaps"),
      fakes::failure(403, "Forbidden", "configmaps \"x\" is forbidden: no access", "", "", "")));
  const RecordedProbe probe = site.read();
  CHECK_FALSE(probe.newest.has_value());
  CHECK(contains(probe.unknown, "no access"));
}
