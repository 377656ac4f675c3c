#include "lib/mover/scan.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

Outcome scanned(const ScratchTree& tree, const ScanOptions& options, Reporter& reporter) {
  const Result<Root> root = Root::open(tree.path(), {});
  REQUIRE(root.ok());
  return scan(*root, options, reporter);
}

}  // namespace

TEST_CASE("every kind of file is counted, the bytes of a hard link once") {
  const ScratchTree tree;
  tree.file("plain", std::string(5000, 'x'));
  REQUIRE(link(tree.at("plain").c_str(), tree.at("other name").c_str()) == 0);
  tree.directory("d");
  tree.directory("d/e");
  tree.file("d/e/\xff\xfe", "abc");
  REQUIRE(symlink("nowhere", tree.at("link").c_str()) == 0);
  REQUIRE(mkfifo(tree.at("fifo").c_str(), 0600) == 0);
  REQUIRE(mknod(tree.at("socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  REQUIRE(mknod(tree.at("null").c_str(), S_IFCHR | 0600, 0x103) == 0);
  REQUIRE(truncate(tree.file("sparse").c_str(), 1 << 20) == 0);
  set_xattr(tree.at("plain"), "user.one", "1");
  set_xattr(tree.at("d"), "user.one", "2");
  own(tree.at("sparse"), 1000, 1000);
  set_mode(tree.at("sparse"), 04755);
  CollectingReporter reporter;
  const Outcome outcome = scanned(tree, {}, reporter);
  CHECK(outcome.exit == 0);
  const auto count = [&](std::string_view name) { return count_of_outcome(outcome, name); };
  CHECK(count("entries") == 10);
  CHECK(count("files") == 4);
  CHECK(count("directories") == 2);
  CHECK(count("symlinks") == 1);
  CHECK(count("fifos") == 1);
  CHECK(count("sockets") == 1);
  CHECK(count("devices") == 1);
  CHECK(count("bytes") == 5000 + 3 + (1 << 20));
  CHECK(count("hard_link_groups") == 1);
  CHECK(count("hard_link_names") == 2);
  CHECK(count("hard_links_to_outside") == 0);
  CHECK(count("sparse_or_compressed_files") == 1);
  CHECK(count("setuid_setgid_sticky_files") == 1);
  CHECK(count("names_not_utf8") == 1);
  CHECK(count("deepest_level") == 3);
  CHECK(count("xattr.user.one") == 3);  // "plain" has two names
  CHECK(count("owner.0:0") == 9);
  CHECK(count("owner.1000:1000") == 1);
  CHECK(fact_of_outcome(outcome, "biggest.1") == "1048576 sparse");
  CHECK(fact_of_outcome(outcome, "deepest") == "d/e/\\xff\\xfe");
  CHECK(reporter.of(Severity::note) ==
        std::vector<std::string>{"device null", "name-not-utf8 d/e/\xff\xfe", "socket socket"});
  CHECK(reporter.of(Severity::error).empty());
}

TEST_CASE("what the target cannot represent is named before anything is copied") {
  const ScratchTree tree;
  own(tree.file("roots", "x"), 0, 0);
  own(tree.file("group0", "x"), 1000, 0);
  own(tree.file("mine", "x"), 1000, 1000);
  own(tree.file("yours", "x"), 26, 26);
  REQUIRE(mknod(tree.at("null").c_str(), S_IFCHR | 0600, 0x103) == 0);
  own(tree.at("null"), 1000, 1000);
  ScanOptions options;
  options.target_way = OwnerWay::as_owner;
  CollectingReporter squashed;
  const Outcome refused = scanned(tree, options, squashed);
  CHECK(refused.exit == 4);
  CHECK(squashed.of(Severity::error) ==
        std::vector<std::string>{"cannot-be-copied null", "owner-refused group0", "owner-refused roots"});

  options.owners = OwnerMap({*parse_owner_rule("0:0=1000:1000"), *parse_owner_rule("*:0=*:1000")});
  options.leave_out = {"null"};
  CollectingReporter mapped;
  CHECK(scanned(tree, options, mapped).exit == 0);
  CHECK(mapped.of(Severity::error).empty());

  options = {};
  options.target_way = OwnerWay::single_owner;
  options.single_owner = Owner{1000, 1000};
  options.leave_out = {"null"};
  CollectingReporter single;
  CHECK(scanned(tree, options, single).exit == 4);
  CHECK(single.of(Severity::error) ==
        std::vector<std::string>{"owner-refused group0", "owner-refused roots", "owner-refused yours"});

  options = {};
  options.target_way = OwnerWay::chown;
  CollectingReporter free;
  CHECK(scanned(tree, options, free).exit == 4);  // the device
  CHECK(free.of(Severity::error) == std::vector<std::string>{"cannot-be-copied null"});
}

TEST_CASE("what a target that squashes root would let nobody read is named before it is copied") {
  const ScratchTree tree;
  tree.file("no-rights", "x");
  tree.file("write-only", "x");
  tree.file("private", "x");
  tree.directory("no-listing");
  tree.directory("no-search");
  REQUIRE(symlink("nowhere", tree.at("link").c_str()) == 0);
  for (const char* name : {"no-rights", "write-only", "private", "no-listing", "no-search"})
    own(tree.at(name), 1000, 1000);
  REQUIRE(lchown(tree.at("link").c_str(), 1000, 1000) == 0);
  set_mode(tree.at("no-rights"), 0);
  set_mode(tree.at("write-only"), 0200);
  set_mode(tree.at("private"), 0400);
  set_mode(tree.at("no-listing"), 0300);
  set_mode(tree.at("no-search"), 0600);
  ScanOptions options;
  options.target_way = OwnerWay::as_owner;
  CollectingReporter squashed;
  CHECK(scanned(tree, options, squashed).exit == 4);
  CHECK(squashed.of(Severity::error) ==
        std::vector<std::string>{"cannot-be-compared no-listing", "cannot-be-compared no-rights",
                                 "cannot-be-compared no-search", "cannot-be-compared write-only"});
  options.target_way = OwnerWay::chown;
  CollectingReporter free;
  CHECK(scanned(tree, options, free).exit == 0);
}

TEST_CASE("hard links to outside, and paths that no call takes whole") {
  const ScratchTree tree, elsewhere;
  elsewhere.file("there", "x");
  REQUIRE(link(elsewhere.at("there").c_str(), tree.at("here").c_str()) == 0);
  int directory = open(tree.path().c_str(), O_RDONLY);
  const std::string name(200, 'd');
  for (int i = 0; i < 30; ++i) {
    REQUIRE(mkdirat(directory, name.c_str(), 0755) == 0);
    const int deeper = openat(directory, name.c_str(), O_RDONLY);
    close(directory);
    directory = deeper;
  }
  close(openat(directory, "bottom", O_WRONLY | O_CREAT, 0600));
  close(directory);
  CollectingReporter reporter;
  const Outcome outcome = scanned(tree, {}, reporter);
  CHECK(outcome.exit == 0);
  CHECK(count_of_outcome(outcome, "hard_links_to_outside") == 1);
  CHECK(count_of_outcome(outcome, "deepest_level") == 31);
  CHECK(count_of_outcome(outcome, "longest_path") == 30 * 201 + 6);
  CHECK(count_of_outcome(outcome, "paths_near_path_max") == 30 - 19 + 1 + 0);
}

TEST_CASE("the root's own listing tells two trees apart, and not two looks at one") {
  const ScratchTree tree;
  tree.directory("d");
  tree.file("d/below", "x");
  tree.file("a", "abc");
  ScanOptions options;
  options.top = true;
  CollectingReporter reporter;
  const Outcome first = scanned(tree, options, reporter);
  CHECK(first.exit == 0);
  CHECK(count_of_outcome(first, "entries") == 2);
  const std::string top = fact_of_outcome(first, "top"), names = fact_of_outcome(first, "top_names");
  CHECK(top.size() == 32);
  CHECK(names.size() == 32);
  CHECK(fact_of_outcome(scanned(tree, {}, reporter), "top") == top);
  SUBCASE("a file below changes neither") {
    tree.file("d/below", "another");
    CHECK(fact_of_outcome(scanned(tree, options, reporter), "top") == top);
  }
  SUBCASE("a file that grows changes the one") {
    tree.file("a", "abcd");
    const Outcome grown = scanned(tree, options, reporter);
    CHECK(fact_of_outcome(grown, "top") != top);
    CHECK(fact_of_outcome(grown, "top_names") == names);
  }
  SUBCASE("a new name changes both") {
    tree.file("b", "");
    const Outcome other = scanned(tree, options, reporter);
    CHECK(fact_of_outcome(other, "top") != top);
    CHECK(fact_of_outcome(other, "top_names") != names);
  }
  SUBCASE("so does another mode of the root") {
    REQUIRE(chmod(tree.path().c_str(), 0711) == 0);
    CHECK(fact_of_outcome(scanned(tree, options, reporter), "top_names") != names);
  }
}
