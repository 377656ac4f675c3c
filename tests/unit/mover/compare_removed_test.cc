// What the copy has no more, on which the source is given up: what went with a directory, and how much its
// user is believed to have removed.
#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/mover/compare/pair_batch.h"
#include "tests/unit/mover/in_use.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

using Names = std::vector<std::string>;
namespace fs = std::filesystem;

std::string errors_of(const InUse& twins) {
  return join(twins.reporter.of(Severity::error), ", ");
}

void add_files(const ScratchTree& tree, const std::string& directory, int number) {
  tree.directory(directory);
  for (int i = 0; i < number; ++i) tree.file(directory + "/" + std::to_string(i), "12345");
}

// One directory on both sides, read; what happens to "a" on the target before it is compared is the caller's.
Outcome compare_a(InUse& twins, const std::function<void()>& meanwhile) {
  const Result<Root> left = Root::open(twins.source(), {}), right = Root::open(twins.target(), {});
  REQUIRE(left.ok());
  REQUIRE(right.ok());
  TreeReader source(*left, false), target(*right, false);
  const Attempt<OpenedDirectory> one = source.read(source.top()), other = target.read(target.top());
  REQUIRE(one.ok());
  REQUIRE(other.ok());
  twins.reporter.findings.clear();
  Conclusion conclusion(twins.options, twins.reporter);
  std::atomic<std::uint64_t> bytes{0};
  PairBatch batch({source, target, one->handle, other->handle, one->attributes, other->attributes},
                  {twins.options.owners, true, ".", true, true}, conclusion, bytes);
  REQUIRE(one->listing.name(0) == "a");
  REQUIRE(other->listing.name(0) == "a");
  batch.add("a", *source.attributes(*one, 0), *target.attributes(*other, 0));
  batch.add("b", *source.attributes(*one, 1), *target.attributes(*other, 1));
  batch.set_last();
  meanwhile();
  for (std::size_t job = 0; job < batch.jobs(); ++job) batch.run(job);
  batch.conclude();
  return conclusion.outcome(bytes);
}

}  // namespace

TEST_CASE("what vanishes while it is compared is its user's work only if its directory was written") {
  InUse twins;
  SUBCASE("removed") {
    CHECK(compare_a(twins, [&] { fs::remove(twins.target("a")); }).exit == 0);
    CHECK(twins.reporter.of(Severity::note) == Names{"changed-since a"});
  }
  SUBCASE("replaced") {
    const auto replace = [&] {
      twins.write("target/new", "other");
      fs::rename(twins.target("new"), twins.target("a"));
    };
    CHECK(compare_a(twins, replace).exit == 0);
  }
  SUBCASE("removed, as it seems, and the directory does not say so") {
    twins.nobody_did_it();
    CHECK(compare_a(twins, [&] { fs::remove(twins.target("a")); }).exit == 1);
    CHECK(twins.reporter.of(Severity::error) == Names{"changed-while-compared a"});
  }
  SUBCASE("removed from the source") {
    CHECK(compare_a(twins, [&] { fs::remove(twins.source("a")); }).exit == 1);
  }
}

TEST_CASE("a directory that was removed is said with what went with it") {
  InUse twins([](const ScratchTree& tree) {
    add_files(tree, "source/d/project", 1204);
    add_files(tree, "source/d/rest", 11000);
  });
  fs::remove_all(twins.target("d/project"));
  const Outcome outcome = twins.compared();
  CHECK(outcome.exit == 0);
  CHECK(fact_of_outcome(outcome, "since.2") == "removed d/project (1,204 entries, 6,020 bytes)");
  CHECK(count_of_outcome(outcome, "removed_since") == 1);
  CHECK(count_of_outcome(outcome, "removed_since_entries") == 1205);
}

TEST_CASE("what was written to the source below a directory that the copy has no more is named") {
  InUse twins([](const ScratchTree& tree) { add_files(tree, "source/d/project", 2); });
  fs::remove_all(twins.target("d/project"));
  SUBCASE("nothing is there") {}
  SUBCASE("a file is there") {
    twins.write("target/d/project", "a file now");
  }
  CHECK(twins.compared().exit == 0);
  // Its bytes alone: no directory's time tells.
  twins.write("source/d/project/1", "other");
  const Outcome outcome = twins.compared();
  CHECK(outcome.exit == 3);
  CHECK(twins.reporter.of(Severity::error) == Names{"missing d/project/1"});
  CHECK(count_of_outcome(outcome, "differing") == 1);
  // What is left out of the copy is on the source only, and known to be.
  twins.options.leave_out = {"d/project/1"};
  CHECK(twins.compared().exit == 0);
}

TEST_CASE("a directory at the top with much in it is not believed to be removed, unless that is accepted") {
  InUse twins([](const ScratchTree& tree) {
    add_files(tree, "source/few", 20);
    add_files(tree, "source/many", 21);
    add_files(tree, "source/rest", 500);
  });
  fs::remove_all(twins.target("few"));
  CHECK(twins.compared().exit == 0);
  fs::remove_all(twins.target("many"));
  SUBCASE("nothing is there") {}
  SUBCASE("a file is there") {
    twins.write("target/many", "a file now");
  }
  Outcome outcome = twins.compared();
  CHECK(outcome.exit == 3);
  CHECK(twins.reporter.of(Severity::error) == Names{"mostly-removed many"});
  CHECK(count_of_outcome(outcome, "mostly_removed") == 1);
  CHECK(count_of_outcome(outcome, "differing") == 1);
  twins.options.accept_removed = true;
  outcome = twins.compared();
  CHECK(outcome.exit == 0);
  CHECK(contains(fact_of_outcome(outcome, "since.4") + fact_of_outcome(outcome, "since.3"),
                 "many (21 entries, 105 bytes)"));
}

TEST_CASE("a home that was emptied and has got a skeleton since is not believed to be its user's work") {
  InUse twins([](const ScratchTree& tree) {
    for (int i = 0; i < 30; ++i) tree.file("source/file" + std::to_string(i), "x");
    tree.file("source/.bashrc", "mine");
  });
  const auto empty_it = [&](const char* all_but) {
    for (const auto& entry : fs::directory_iterator(twins.target())) {
      if (entry.path().filename() != all_but) fs::remove_all(entry.path());
    }
  };
  SUBCASE("some of the names are old ones") {
    empty_it(".bashrc");
    twins.write("target/.profile", "skeleton");
    twins.write("target/.bashrc", "skeleton");
  }
  SUBCASE("with directories") {
    empty_it("d");
    fs::create_directories(twins.target(".cache/coder"));
    twins.write("target/.bashrc", "skeleton");
  }
  CHECK(twins.compared().exit == 3);
  CHECK(errors_of(twins) == "mostly-removed .");
  twins.options.accept_removed = true;
  CHECK(twins.compared().exit == 0);
}

TEST_CASE("a small home that was emptied") {
  InUse twins;
  for (const char* name : {"b", "d"}) fs::remove_all(twins.target(name));
  twins.write("target/a", "skeleton");
  CHECK(twins.compared().exit == 3);
  CHECK(errors_of(twins) == "mostly-removed .");
}

TEST_CASE("consent to much that was removed is none to an empty volume") {
  InUse twins;
  twins.options.accept_removed = true;
  for (const auto& entry : fs::directory_iterator(twins.target())) fs::remove_all(entry.path());
  CHECK(twins.compared().exit == 3);
  CHECK(errors_of(twins) == "missing .");
}
