// Two trees on the local file system, made equal by cp -a (not by the copier), then changed in one way each.
#include "lib/mover/compare.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/mover/compare/difference.h"
#include "lib/mover/compare/shared_links.h"
#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

using Names = std::vector<std::string>;

// source/ and target/ hold the same.
class Twins {
 public:
  Twins() {
    const std::string source = tree_.directory("source");
    tree_.file("source/a", std::string(600000, 'a'));
    tree_.file("source/empty");
    tree_.directory("source/d");
    tree_.file("source/d/b", "bytes");
    tree_.directory("source/d/e");
    REQUIRE(link(tree_.at("source/a").c_str(), tree_.at("source/d/e/a2").c_str()) == 0);
    REQUIRE(symlink("nowhere", tree_.at("source/link").c_str()) == 0);
    REQUIRE(mkfifo(tree_.at("source/fifo").c_str(), 0640) == 0);
    tree_.file("source/\xff\n", "odd");
    set_xattr(tree_.at("source/d/b"), "user.k", "v");
    own(tree_.at("source/d/b"), 1000, 1001);
    for (const char* name : {"a", "empty", "d/b"}) set_mode(tree_.at(std::string("source/") + name), 0644);
    for (const char* name : {"a", "empty", "d/b", "link", "fifo", "d/e", "d", ""}) {
      set_mtime(tree_.at(std::string("source/") + name), 1700000000, 123456789);
    }
    REQUIRE(std::system(("cp -a " + tree_.at("source") + " " + tree_.at("target")).c_str()) == 0);
  }
  std::string source(std::string_view name = "") const { return tree_.at("source/" + std::string(name)); }
  std::string target(std::string_view name = "") const { return tree_.at("target/" + std::string(name)); }
  std::string beside(std::string_view name) const { return tree_.at(name); }
  // Undoes what a change did to the times of a directory.
  void settle(std::string_view name) const { set_mtime(target(name), 1700000000, 123456789); }

  Outcome compared(const CompareOptions& options, Reporter& reporter) const {
    const Result<Root> left = Root::open(source(), {}), right = Root::open(target(), {});
    REQUIRE(left.ok());
    REQUIRE(right.ok());
    return compare(*left, *right, options, reporter);
  }
  Names differences(const CompareOptions& options = {}) const {
    CollectingReporter reporter;
    const Outcome outcome = compared(options, reporter);
    const Names found = reporter.of(Severity::error);
    CHECK(outcome.exit == (found.empty() ? 0 : 3));
    return found;
  }

 private:
  ScratchTree tree_;
};

void overwrite(const std::string& path, std::string_view bytes, off_t at) {
  const int file = open(path.c_str(), O_WRONLY);
  REQUIRE(pwrite(file, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
  close(file);
}

}  // namespace

TEST_CASE("equal trees are equal") {
  const Twins twins;
  CollectingReporter reporter;
  const Outcome outcome = twins.compared({}, reporter);
  CHECK(outcome.exit == 0);
  CHECK(reporter.findings.empty());
  CHECK(count_of_outcome(outcome, "entries") == 10);
  CHECK(count_of_outcome(outcome, "directories") == 3);
  CHECK(count_of_outcome(outcome, "bytes") == 600000 * 2 + 5 + 3);
}

TEST_CASE("every single change on the target is found, and nothing else") {
  struct Change {
    const char* what;
    std::function<void(const Twins&)> make;
    Names found;
  };
  const std::vector<Change> changes = {
      {"one byte, times kept",
       [](const Twins& t) {
         overwrite(t.target("d/b"), "X", 2);
         t.settle("d/b");
       },
       {"content d/b"}},
      {"the last byte of a large file",
       [](const Twins& t) {
         overwrite(t.target("a"), "X", 599999);
         t.settle("a");
       },
       {"content a", "content d/e/a2"}},
      {"longer",
       [](const Twins& t) {
         overwrite(t.target("d/b"), "longer", 0);
         t.settle("d/b");
       },
       {"size d/b"}},
      {"owner", [](const Twins& t) { own(t.target("d/b"), 1000, 1000); }, {"owner d/b"}},
      {"owner of a link", [](const Twins& t) { own(t.target("link"), 5, 0); }, {"owner link"}},
      {"mode", [](const Twins& t) { set_mode(t.target("empty"), 04644); }, {"mode empty"}},
      {"mode of the root", [](const Twins& t) { set_mode(t.target(), 0700); }, {"mode ."}},
      {"a nanosecond",
       [](const Twins& t) { set_mtime(t.target("empty"), 1700000000, 123456788); },
       {"mtime empty"}},
      {"time of a directory", [](const Twins& t) { set_mtime(t.target("d/e"), 0, 0); }, {"mtime d/e"}},
      {"link",
       [](const Twins& t) {
         REQUIRE(unlink(t.target("link").c_str()) == 0);
         REQUIRE(symlink("nowhera", t.target("link").c_str()) == 0);
         t.settle("link");
         t.settle("");
       },
       {"link-target link"}},
      {"xattr", [](const Twins& t) { set_xattr(t.target("d/b"), "user.k", "w"); }, {"xattr d/b"}},
      {"xattr more", [](const Twins& t) { set_xattr(t.target("d"), "user.more", ""); }, {"xattr d"}},
      {"kind",
       [](const Twins& t) {
         REQUIRE(unlink(t.target("fifo").c_str()) == 0);
         REQUIRE(mkdir(t.target("fifo").c_str(), 0640) == 0);
         t.settle("");
       },
       {"type fifo"}},
      {"missing",
       [](const Twins& t) {
         REQUIRE(unlink(t.target("\xff\n").c_str()) == 0);
         t.settle("");
       },
       {"missing \xff\n"}},
      {"extraneous directory",
       [](const Twins& t) {
         REQUIRE(mkdir(t.target("d/more").c_str(), 0755) == 0);
         REQUIRE(mkdir(t.target("d/more/below").c_str(), 0755) == 0);
         t.settle("d");
       },
       {"extraneous d/more"}},
      {"a hard link split, with equal content",
       [](const Twins& t) {
         REQUIRE(std::system(("cd " + t.target("d/e") + " && cp -p a2 x && mv x a2").c_str()) == 0);
         t.settle("d/e");
       },
       {"links d/e/a2"}},
      {"two files merged into one",
       [](const Twins& t) {
         REQUIRE(unlink(t.target("empty").c_str()) == 0);
         REQUIRE(link(t.target("d/b").c_str(), t.target("empty").c_str()) == 0);
         t.settle("");
       },
       {"links d/b", "owner empty", "size empty", "xattr empty"}},
  };
  for (const Change& change : changes) {
    CAPTURE(change.what);
    const Twins twins;
    change.make(twins);
    const std::string found = join(twins.differences(), ", ");
    CHECK(found == join(change.found, ", "));
  }
}

TEST_CASE("the list holds the differing paths, each once, ended by a NUL") {
  const Twins twins;
  overwrite(twins.target("d/b"), "longer", 0);
  own(twins.target("d/b"), 1, 1);
  set_xattr(twins.target("\xff\n"), "user.x", "");
  CompareOptions options;
  options.list_file = twins.beside("list");
  CHECK(twins.differences(options).size() == 4);
  CHECK(read_whole(options.list_file) == std::string("\xff\n\0d/b\0", 7));
}

TEST_CASE("mapped owners are what is expected, and only they") {
  const Twins twins;
  CompareOptions options;
  options.owners = OwnerMap({*parse_owner_rule("1000:1001=26:26")});
  CHECK(twins.differences(options) == Names{"owner d/b"});
  own(twins.target("d/b"), 26, 26);
  CHECK(twins.differences(options).empty());
  CHECK(twins.differences() == Names{"owner d/b"});
}

TEST_CASE("what the root cannot carry is one expected finding") {
  const Twins twins;
  set_mode(twins.target(), 0777);
  own(twins.target(), 65534, 65534);
  set_mtime(twins.target(), 5, 5);
  CHECK(twins.differences() == Names{"mode .", "mtime .", "owner ."});
  CompareOptions options;
  options.root_carried = false;
  CollectingReporter reporter;
  const Outcome outcome = twins.compared(options, reporter);
  CHECK(outcome.exit == 0);
  CHECK(reporter.of(Severity::expected) == Names{"root-directory ."});
  CHECK(reporter.of(Severity::error).empty());
  CHECK(count_of_outcome(outcome, "expected") == 1);
}

TEST_CASE("what was left out must not be on the target") {
  const Twins twins;
  CompareOptions options;
  options.leave_out = {"d/e", "fifo"};
  CHECK(twins.differences(options) == Names{"extraneous d/e", "extraneous fifo"});
  REQUIRE(std::system(("rm -r " + twins.target("d/e") + " " + twins.target("fifo")).c_str()) == 0);
  twins.settle("d");
  twins.settle("");
  CHECK(twins.differences(options).empty());
}

TEST_CASE("filled holes are a note, no difference") {
  const Twins twins;
  REQUIRE(truncate(twins.source("empty").c_str(), 8 << 20) == 0);
  REQUIRE(truncate(twins.target("empty").c_str(), 8 << 20) == 0);
  overwrite(twins.target("empty"), std::string(8 << 20, '\0'), 0);
  set_mtime(twins.source("empty"), 1700000000, 0);
  set_mtime(twins.target("empty"), 1700000000, 0);
  CollectingReporter reporter;
  CHECK(twins.compared({}, reporter).exit == 0);
  CHECK(reporter.of(Severity::note) == Names{"not-sparse empty"});
}

TEST_CASE("a tree is not compared with itself, and a stop is told") {
  const Twins twins;
  CollectingReporter reporter;
  const Result<Root> root = Root::open(twins.source(), {});
  CHECK(compare(*root, *root, {}, reporter).exit == 4);
  request_interrupt(15);
  CompareOptions options;
  options.manifest_file = twins.beside("manifest");
  CHECK(twins.compared(options, reporter).exit == 143);
  clear_interrupt();
  CHECK(access(options.manifest_file.c_str(), F_OK) != 0);
}

TEST_CASE("directories larger than a part are compared whole, in order") {
  const ScratchTree tree;
  tree.directory("source");
  for (int i = 0; i < 10000; ++i) tree.file("source/f" + std::to_string(i));
  REQUIRE(std::system(("cp -a " + tree.at("source") + " " + tree.at("target")).c_str()) == 0);
  for (const char* name : {"f0", "f5000", "f9999"}) own(tree.at(std::string("target/") + name), 7, 7);
  const Result<Root> source = Root::open(tree.at("source"), {}), target = Root::open(tree.at("target"), {});
  CollectingReporter reporter;
  const Outcome outcome = compare(*source, *target, {}, reporter);
  CHECK(count_of_outcome(outcome, "entries") == 10001);
  REQUIRE(reporter.findings.size() == 3);
  CHECK(reporter.findings[0].path == "f0");
  CHECK(reporter.findings[1].path == "f5000");
  CHECK(reporter.findings[2].path == "f9999");
}

TEST_CASE("groups of names are compared as partitions") {
  const auto file = [](std::uint64_t inode, std::uint32_t links) {
    Attributes attributes;
    attributes.inode = inode;
    attributes.links = links;
    return attributes;
  };
  SharedLinks same;
  CHECK_FALSE(same.see(file(1, 2), file(11, 2), "a").has_value());
  CHECK_FALSE(same.see(file(1, 2), file(11, 2), "b").has_value());
  CHECK_FALSE(same.see(file(2, 1), file(12, 1), "c").has_value());
  SharedLinks split;
  CHECK_FALSE(split.see(file(1, 2), file(11, 1), "a").has_value());
  CHECK(split.see(file(1, 2), file(12, 1), "b").has_value());
  SharedLinks merged;
  CHECK_FALSE(merged.see(file(1, 1), file(11, 2), "a").has_value());
  CHECK(merged.see(file(2, 1), file(11, 2), "b").has_value());
  SharedLinks crossed;  // both sides have two groups of two, but other ones
  CHECK_FALSE(crossed.see(file(1, 2), file(11, 2), "a").has_value());
  CHECK_FALSE(crossed.see(file(2, 2), file(12, 2), "b").has_value());
  CHECK(crossed.see(file(1, 2), file(12, 2), "c").has_value());
  CHECK(crossed.see(file(2, 2), file(11, 2), "d").has_value());
}
