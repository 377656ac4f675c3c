#include "lib/mover/manifest.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "lib/mover/compare.h"
#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

using Names = std::vector<std::string>;

class Site {
 public:
  Site() {
    tree_.directory("t");
    for (const char* name : {"t/a", "t/b", "t/b/c", "t/b.d", "t/z"}) tree_.directory(name);
    for (const char* name : {"t/one", "t/a/two", "t/b/c/three", "t/b.d/\xff\n"}) tree_.file(name, name);
    REQUIRE(link(at("t/one").c_str(), at("t/z/same").c_str()) == 0);
    REQUIRE(symlink("x", at("t/z/link").c_str()) == 0);
    own(at("t/a/two"), 0, 1000);
  }
  std::string at(const std::string& name) const { return tree_.at(name); }

  Outcome write(const std::string& tree, const std::string& file, ManifestOptions options = {}) const {
    options.output = at(file);
    CollectingReporter reporter;
    const Result<Root> root = Root::open(at(tree), {});
    return write_manifest(*root, options, reporter);
  }
  Names check(const std::string& tree, const std::string& file, int exit, CheckOptions options = {}) const {
    CollectingReporter reporter;
    const Result<Root> root = Root::open(at(tree), {});
    const Outcome outcome = check_manifest(*root, at(file), options, reporter);
    CHECK_MESSAGE(outcome.exit == exit, outcome.text);
    return reporter.of(Severity::error);
  }

 private:
  ScratchTree tree_;
};

}  // namespace

TEST_CASE("a manifest depends on the tree alone: not on the run, the workers or the place") {
  const Site site;
  ManifestOptions one;
  one.workers = 1;
  const Outcome first = site.write("t", "m1", one);
  CHECK(first.exit == 0);
  CHECK(count_of_outcome(first, "directories") == 6);
  REQUIRE(std::system(("cp -a " + site.at("t") + " " + site.at("copy")).c_str()) == 0);
  ManifestOptions many;
  many.workers = 32;
  const Outcome second = site.write("copy", "m2", many);
  CHECK(fact_of_outcome(first, "manifest") == fact_of_outcome(second, "manifest"));
  CHECK(read_whole(site.at("m1")) == read_whole(site.at("m2")));
  // compare writes the same of the target.
  CollectingReporter reporter;
  CompareOptions options;
  options.manifest_file = site.at("m3");
  CHECK(compare(*Root::open(site.at("t"), {}), *Root::open(site.at("copy"), {}), options, reporter).exit ==
        0);
  CHECK(read_whole(site.at("m1")) == read_whole(site.at("m3")));
}

TEST_CASE("check names the directories that differ") {
  const Site site;
  REQUIRE(site.write("t", "m").exit == 0);
  CHECK(site.check("t", "m", 0).empty());
  const struct stat before = status_of(site.at("t/b/c/three"));
  {
    FILE* file = std::fopen(site.at("t/b/c/three").c_str(), "r+");
    std::fputs("T", file);
    std::fclose(file);
  }
  set_mtime(site.at("t/b/c/three"), before.st_mtim.tv_sec, before.st_mtim.tv_nsec);
  CHECK(site.check("t", "m", 3) == Names{"directory-differs b/c"});
  own(site.at("t/z"), 5, 5);
  CHECK(site.check("t", "m", 3) == Names{"directory-differs b/c", "directory-differs z"});
  const struct stat root = status_of(site.at("t"));
  REQUIRE(rename(site.at("t/b.d").c_str(), site.at("t/e").c_str()) == 0);
  set_mtime(site.at("t"), root.st_mtim.tv_sec, root.st_mtim.tv_nsec);
  CHECK(site.check("t", "m", 3) == Names{"directory-differs .", "directory-differs b/c",
                                         "directory-differs z", "directory-extraneous e",
                                         "directory-missing b.d"});
}

TEST_CASE("the root's own attributes: a difference, or expected") {
  const Site site;
  ManifestOptions options;
  options.root_carried = false;
  REQUIRE(site.write("t", "strict").exit == 0);
  REQUIRE(site.write("t", "expected", options).exit == 0);
  set_mode(site.at("t"), 0700);
  CHECK(site.check("t", "strict", 3) == Names{"directory-differs ."});
  CHECK(site.check("t", "expected", 0).empty());
}

TEST_CASE("a manifest with a mapping fits the target, and the source when told so") {
  const Site site;
  REQUIRE(std::system(("cp -a " + site.at("t") + " " + site.at("target")).c_str()) == 0);
  own(site.at("target/a/two"), 26, 26);
  ManifestOptions options;
  options.owners = OwnerMap({*parse_owner_rule("0:1000=26:26")});
  REQUIRE(site.write("t", "m", options).exit == 0);
  CHECK(site.check("target", "m", 0).empty());
  CHECK(site.check("t", "m", 3) == Names{"directory-differs a"});
  CheckOptions source;
  source.unmapped = true;
  CHECK(site.check("t", "m", 0, source).empty());
}

TEST_CASE("what was left out stays out of the check; a bad manifest judges nothing") {
  const Site site;
  ManifestOptions options;
  options.leave_out = {"z"};
  REQUIRE(site.write("t", "m", options).exit == 0);
  set_mode(site.at("t/z"), 0700);
  CHECK(site.check("t", "m", 0).empty());
  const std::string text = read_whole(site.at("m"));
  REQUIRE(truncate(site.at("m").c_str(), static_cast<off_t>(text.size() - 1)) == 0);
  CHECK(site.check("t", "m", 1).empty());
  CHECK(site.check("t", "no such file", 1).empty());
}

TEST_CASE("the mark that a killed copy left in the volume's root is no content, anything else is") {
  const Site site;
  set_mtime(site.at("t"), 1000, 0);
  REQUIRE(site.write("t", "m1").exit == 0);
  const std::string mark = site.at("t/.volume-mover-0123456789abcdef0123456789abcdef.nonce");
  REQUIRE(std::system(("touch " + mark).c_str()) == 0);
  set_mtime(site.at("t"), 1000, 0);
  CHECK(site.check("t", "m1", 0).empty());
  REQUIRE(std::system(("echo x >" + mark).c_str()) == 0);
  CHECK(site.check("t", "m1", 3) == Names{"directory-differs ."});
}
