// A tree and its copy that is in use again: what its user did is no difference, what nobody did is one.
#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>

#include "lib/base/text.h"
#include "lib/mover/command.h"
#include "lib/mover/compare.h"
#include "lib/mover/compare/since.h"
#include "lib/mover/scan.h"
#include "tests/unit/mover/in_use.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

using Names = std::vector<std::string>;
namespace fs = std::filesystem;

constexpr Since k_then{{1000, 500}, {2000, 500}};

Attributes seen(std::int64_t mtime, std::int64_t ctime, std::uint32_t nanoseconds = 7) {
  Attributes attributes;
  attributes.type = FileType::regular;
  attributes.mtime = {mtime, nanoseconds};
  attributes.ctime = {ctime, 0};
  return attributes;
}

std::optional<Deed> deed(const char* kind, const Attributes& source, const Attributes& target,
                         const Attributes& directory = seen(2600, 2600)) {
  const bool missing = std::string_view(kind) == "missing";
  return deed_behind({kind, ""}, {&source, missing ? nullptr : &target, seen(50, 900), directory}, k_then);
}

}  // namespace

TEST_CASE("a deed leaves its time behind; damage does not") {
  const Attributes source = seen(100, 900);
  for (const char* kind : {"content", "size", "mtime", "mode", "owner", "xattr", "links", "type"}) {
    CAPTURE(kind);
    CHECK(deed(kind, source, seen(1200, 2500)) == Deed::changed);
    CHECK_FALSE(deed(kind, source, seen(1200, 1999)).has_value());
  }
  // Everything's owner was changed, as fsGroup does: no excuse for other bytes.
  CHECK_FALSE(deed("content", source, seen(100, 2500)).has_value());
  CHECK_FALSE(deed("size", source, seen(100, 2500)).has_value());
  CHECK(deed("owner", source, seen(100, 2500)) == Deed::changed);
  // npm gives every file the same second of 1985: what it wrote again cannot be told from damage.
  for (const char* kind : {"content", "size"}) {
    CHECK_FALSE(deed(kind, seen(100, 900, 0), seen(100, 2500, 0)).has_value());
  }
}

TEST_CASE("another type is another file: its directory says so, too") {
  const Attributes source = seen(100, 900), target = seen(1200, 2500);
  CHECK(deed("type", source, target, seen(2600, 2600)) == Deed::changed);
  CHECK_FALSE(deed("type", source, target, seen(50, 2600)).has_value());
}

TEST_CASE("what is missing was removed only if its directory says so") {
  const Attributes source = seen(100, 900), none;
  CHECK_FALSE(deed("missing", source, none, seen(50, 900)).has_value());
  CHECK_FALSE(deed("missing", source, none, seen(50, 2600)).has_value());
  CHECK(deed("missing", source, none, seen(2600, 2600)) == Deed::removed);
  // Another mtime may have been set; the server's own clock gives one that is later.
  CHECK_FALSE(deed("missing", source, none, seen(1800, 2600)).has_value());
  CHECK(deed("extraneous", source, none) == Deed::added);
}

TEST_CASE("what was written to the volume that was left is there only") {
  const Attributes late = seen(100, 2100);
  CHECK(deed("content", seen(100, 990), seen(1200, 2500)) == Deed::changed);
  CHECK_FALSE(deed("content", late, seen(1200, 2500)).has_value());
  CHECK_FALSE(deed("missing", late, {}, seen(2600, 2600)).has_value());
}

TEST_CASE("what could not be compared") {
  Difference failure{"changed-while-compared", "", true, {2500, 0}};
  CHECK(deed_behind(failure, {}, k_then) == Deed::changed);
  failure.seen = k_then.target;
  CHECK_FALSE(deed_behind(failure, {}, k_then).has_value());
  failure = {"changed-while-compared", "", false, {2500, 0}};
  CHECK_FALSE(deed_behind(failure, {}, k_then).has_value());
  CHECK_FALSE(deed_behind({"unreadable", "", true, {2500, 0}}, {}, k_then).has_value());
  for (const int number : {ESTALE, EIO, EACCES, ETIMEDOUT}) {
    CHECK(not_compared("target", "cannot open it", number).kind == "unreadable");
  }
  for (const int number : {ENOENT, ENOTDIR, ELOOP}) {
    CHECK(not_compared("target", "cannot open it", number).kind == "changed-while-compared");
  }
}

TEST_CASE("a copy that is in use: its user's work is counted and named") {
  InUse twins;
  twins.write("target/a", "other");
  twins.write("target/new", "x");
  fs::remove(twins.target("d/c"));
  fs::remove_all(twins.target("b"));
  const Outcome outcome = twins.compared();
  CHECK(outcome.exit == 0);
  CHECK(twins.reporter.of(Severity::error).empty());
  CHECK(twins.reporter.of(Severity::note) == Names{"added-since new", "changed-since .", "changed-since a",
                                                   "changed-since d", "removed-since b",
                                                   "removed-since d/c"});
  CHECK(count_of_outcome(outcome, "changed_since") == 3);
  CHECK(count_of_outcome(outcome, "removed_since") == 2);
  CHECK(count_of_outcome(outcome, "added_since") == 1);
  CHECK(fact_of_outcome(outcome, "since.1") == "changed .");
  CHECK(contains(outcome.text, "but what was done since (6 paths)"));
}

TEST_CASE("the same, done by nobody: differences") {
  InUse twins;
  twins.write("target/a", "other");
  fs::remove(twins.target("d/c"));
  twins.nobody_did_it();
  const Outcome outcome = twins.compared();
  CHECK(outcome.exit == 3);
  CHECK(twins.reporter.of(Severity::error) == Names{"missing d/c", "mtime a", "mtime d", "size a"});
}

TEST_CASE("other bytes with every time as it was") {
  InUse twins;
  const struct stat before = status_of(twins.source("a"));
  twins.write("target/a", "X");
  set_mtime(twins.target("a"), before.st_mtim.tv_sec, before.st_mtim.tv_nsec);
  CHECK(twins.compared().exit == 3);
  CHECK(twins.reporter.of(Severity::error) == Names{"content a"});
}

TEST_CASE("written to the volume that was left") {
  InUse twins;
  twins.write("source/d/late", "only here");
  twins.write("target/d/new", "x");
  CHECK(twins.compared().exit == 3);
  CHECK(contains(join(twins.reporter.of(Severity::error), ", "), "missing d/late"));
}

TEST_CASE("a volume that is empty as a whole is not believed to be its user's work") {
  InUse twins;
  std::string which;
  SUBCASE("the copy") {
    which = twins.target();
  }
  SUBCASE("the volume that was left") {
    which = twins.source();
  }
  fs::remove_all(which);
  fs::create_directory(which);
  const Outcome outcome = twins.compared();
  CHECK(outcome.exit == 3);
  CHECK(contains(join(twins.reporter.of(Severity::error), ", "), " ."));
}

TEST_CASE("a home that was empty then is none") {
  InUse twins;
  fs::remove_all(twins.source());
  fs::create_directory(twins.source());
  twins.options.source_was_empty = true;
  twins.write("target/new", "x");
  twins.options.since->source.seconds += 1000000;
  CHECK(twins.compared().exit == 0);
}

TEST_CASE("--since and its moment") {
  InUse twins;
  const auto run = [&](Names words) {
    for (const std::string& word : {twins.source(), twins.target()}) words.push_back(word);
    return run_compare(words, twins.reporter);
  };
  const auto outcome = run({"--since=4000000000.000000000", "--source-since=4000000000"});
  REQUIRE(outcome.ok());
  CHECK(outcome->exit == 0);
  for (const Names& wrong :
       {Names{"--since=1"}, Names{"--source-since=1"}, Names{"--since=x", "--source-since=1"},
        Names{"--since=1.5", "--source-since=1"}, Names{"--since=1", "--source-since=1", "--manifest=m"}}) {
    const auto refused = run(wrong);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().kind == Kind::usage);
  }
}

TEST_CASE("scan --since: what was written since is counted and named") {
  InUse twins;
  twins.write("target/a", "12345");
  twins.write("target/d/new", "123");
  const Result<Root> root = Root::open(twins.target(), {});
  REQUIRE(root.ok());
  ScanOptions options;
  options.since = twins.options.since->target;
  const Outcome outcome = scan(*root, options, twins.reporter);
  CHECK(outcome.exit == 0);
  CHECK(count_of_outcome(outcome, "changed_since") == 2);
  CHECK(count_of_outcome(outcome, "changed_since_bytes") == 8);
  CHECK(count_of_outcome(outcome, "directories_since") == 1);
  CHECK(fact_of_outcome(outcome, "since.1") == "a");
  CHECK(fact_of_outcome(outcome, "since.2") == "d/new");
}
