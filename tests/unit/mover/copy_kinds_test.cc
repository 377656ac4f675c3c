// What changes its kind, its name or its links between two runs.
#include <doctest/doctest.h>

#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

// One of the kinds that a name may have; `which` from 0.
constexpr int k_kinds = 6;
void make_kind(int which, const std::string& path) {
  switch (which) {
    case 0:
      return write_file(path, "a file");
    case 1:
      make_directory(path);
      return make_directory(path + "/empty");
    case 2:
      make_directory(path, 0500);
      make_directory(path + "/deep");
      make_directory(path + "/deep/er", 0);
      write_file(path + "/deep/er/file", "full");
      return make_symlink("/etc", path + "/deep/link");
    case 3:
      return make_symlink("../dst", path);
    case 4:
      return make_fifo(path);
    default:
      make_directory(path);
      write_file(path + "/one", "linked");
      return make_link(path + "/one", path + "/two");
  }
}

void copy_and_compare(const Sandbox& sandbox) {
  const Copied copied = run_copy(sandbox, deleting());
  CHECK(copied.findings == "");
  CHECK(copied.outcome.exit == 0);
  CHECK(differences(sandbox) == "");
  // And then there is nothing left to do.
  const Copied again = run_copy(sandbox, deleting());
  CHECK(again.count("files-copied") + again.count("removed") + again.count("links-made") == 0);
}

}  // namespace

TEST_CASE("every kind becomes every other kind") {
  for (int from = 0; from < k_kinds; ++from) {
    for (int to = 0; to < k_kinds; ++to) {
      CAPTURE(from);
      CAPTURE(to);
      const Sandbox sandbox;
      write_file(sandbox.source("constant"), "x");
      make_kind(from, sandbox.source("name"));
      copy_and_compare(sandbox);
      remove_path(sandbox.source("name"));
      make_kind(to, sandbox.source("name"));
      copy_and_compare(sandbox);
    }
  }
}

TEST_CASE("names that change places in a circle") {
  const Sandbox sandbox;
  for (const char* name : {"a", "b", "c"}) {
    write_file(sandbox.source(name), std::string("file ") + name);
    set_mtime(sandbox.source(name), 1000, 0);  // equal size and time: only the ctime tells
    const std::string directory = std::string("d") + name;
    make_directory(sandbox.source(directory));
    write_file(sandbox.source(directory + "/" + name), name);
  }
  copy_and_compare(sandbox);
  for (const std::string prefix : {"", "d"}) {
    rename_path(sandbox.source(prefix + "a"), sandbox.source(prefix + "x"));
    rename_path(sandbox.source(prefix + "b"), sandbox.source(prefix + "a"));
    rename_path(sandbox.source(prefix + "c"), sandbox.source(prefix + "b"));
    rename_path(sandbox.source(prefix + "x"), sandbox.source(prefix + "c"));
  }
  copy_and_compare(sandbox);
  // A file and a directory change places.
  rename_path(sandbox.source("a"), sandbox.source("x"));
  rename_path(sandbox.source("da"), sandbox.source("a"));
  rename_path(sandbox.source("x"), sandbox.source("da"));
  copy_and_compare(sandbox);
}

TEST_CASE("hard links across directories, split, merged and re-made") {
  const Sandbox sandbox;
  for (const char* name : {"p", "q", "r"}) make_directory(sandbox.source(name));
  write_file(sandbox.source("p/1"), "content");
  for (const char* name : {"q/2", "r/3", "p/4"}) make_link(sandbox.source("p/1"), sandbox.source(name));
  write_file(sandbox.source("r/alone"), "content");
  copy_and_compare(sandbox);
  SUBCASE("split in two groups of equal content") {
    remove_path(sandbox.source("r/3"));
    remove_path(sandbox.source("p/4"));
    write_file(sandbox.source("r/3"), "content");
    make_link(sandbox.source("r/3"), sandbox.source("p/4"));
    for (const char* name : {"p/1", "r/3"}) set_mtime(sandbox.source(name), 77, 7);
  }
  SUBCASE("one leaves the group and changes") {
    remove_path(sandbox.source("q/2"));
    write_file(sandbox.source("q/2"), "CONTENT");
  }
  SUBCASE("one leaves the group with the same content and time") {
    set_mtime(sandbox.source("p/1"), 77, 7);
    copy_and_compare(sandbox);
    remove_path(sandbox.source("q/2"));
    write_file(sandbox.source("q/2"), "content");
    set_mtime(sandbox.source("q/2"), 77, 7);
  }
  SUBCASE("one joins the group") {
    remove_path(sandbox.source("r/alone"));
    make_link(sandbox.source("q/2"), sandbox.source("r/alone"));
  }
  SUBCASE("all fall apart") {
    for (const char* name : {"p/1", "q/2", "r/3", "p/4"}) {
      remove_path(sandbox.source(name));
      write_file(sandbox.source(name), "content");
      set_mtime(sandbox.source(name), 77, 7);
    }
  }
  SUBCASE("the content of the group changes") {
    write_file(sandbox.source("r/3"), "content, changed");
  }
  SUBCASE("only the mode of the group changes") {
    set_mode(sandbox.source("r/3"), 0600);
  }
  SUBCASE("the first name goes") {
    remove_path(sandbox.source("p/1"));
  }
  SUBCASE("two groups change one name each") {
    make_link(sandbox.source("r/alone"), sandbox.source("q/also"));
    copy_and_compare(sandbox);
    rename_path(sandbox.source("q/also"), sandbox.source("q/x"));
    rename_path(sandbox.source("q/2"), sandbox.source("q/also"));
    rename_path(sandbox.source("q/x"), sandbox.source("q/2"));
  }
  copy_and_compare(sandbox);
}

TEST_CASE("a change of a name that left its group is seen though the other names were looked at before") {
  for (const unsigned workers : {1U, 8U}) {
    const Sandbox sandbox;
    for (const char* name : {"a", "b", "c"}) make_directory(sandbox.source(name));
    write_file(sandbox.source("a/1"), "before");
    set_mtime(sandbox.source("a/1"), 77, 7);
    for (const char* name : {"b/2", "c/3"}) make_link(sandbox.source("a/1"), sandbox.source(name));
    copy_and_compare(sandbox);
    // All fall apart, and what is new in two of them only the ctime tells.
    for (const char* name : {"a/1", "b/2", "c/3"}) {
      remove_path(sandbox.source(name));
      write_file(sandbox.source(name), name[0] == 'a' ? "before" : "after!");
      set_mtime(sandbox.source(name), 77, 7);
    }
    CopyOptions options = deleting();
    options.workers = workers;
    CHECK(run_copy(sandbox, options).findings == "");
    CHECK(differences(sandbox) == "");
  }
}

TEST_CASE("names linked on the target only are never written through") {
  const Sandbox sandbox;
  write_file(sandbox.source("a"), "new a");
  write_file(sandbox.source("b"), "same");
  write_file(sandbox.target("a"), "old");
  make_link(sandbox.target("a"), sandbox.target("b"));
  make_link(sandbox.target("a"), sandbox.path() + "/outside");
  make_link(sandbox.target("a"), sandbox.target("extraneous"));
  const std::string before = sandbox.path() + "/outside";
  set_mode(before, 0640);
  set_mtime(before, 50, 5);
  copy_and_compare(sandbox);
  CHECK(read_file(before) == "old");
  CHECK(describe(before).at(".").substr(0, 24) == "100640 0:0 50.000000005 ");
}

TEST_CASE("a thousand names of one file, filled by many workers") {
  const Sandbox sandbox;
  write_file(sandbox.source("0"), "shared");
  for (int directory = 0; directory < 20; ++directory) {
    const std::string path = sandbox.source("d" + std::to_string(directory));
    make_directory(path);
    for (int name = 0; name < 50; ++name) make_link(sandbox.source("0"), path + "/" + std::to_string(name));
  }
  const Copied copied = run_copy(sandbox, deleting());
  CHECK(copied.findings == "");
  CHECK(copied.count("files-copied") == 1);
  CHECK(copied.count("links-made") == 1000);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("symlinks on the target that lead elsewhere are replaced, never followed") {
  const Sandbox sandbox;
  const std::string outside = sandbox.path() + "/outside";
  make_directory(outside);
  write_file(outside + "/file", "must stay");
  write_file(outside + "/secret", "must stay");
  make_directory(sandbox.source("dir"));
  write_file(sandbox.source("dir/file"), "copied");
  write_file(sandbox.source("file"), "copied");
  make_fifo(sandbox.source("fifo"), 0666);
  make_symlink("text", sandbox.source("link"));
  const Description before = describe(outside);
  make_symlink(outside, sandbox.target("dir"));
  make_symlink(outside + "/file", sandbox.target("file"));
  make_symlink(outside + "/secret", sandbox.target("fifo"));
  make_symlink(outside, sandbox.target("link"));
  make_symlink(outside, sandbox.target("extraneous"));
  copy_and_compare(sandbox);
  CHECK(differences(before, describe(outside)) == "");
}

TEST_CASE("without --delete nothing is removed but what is in the way, and a directory never is") {
  const Sandbox sandbox;
  write_file(sandbox.source("file"), "file");
  write_file(sandbox.source("other"), "other");
  make_directory(sandbox.target("file"));
  write_file(sandbox.target("file/inside"), "must stay");
  write_file(sandbox.target("extraneous"), "must stay");
  make_symlink("x", sandbox.target("other"));
  const Copied copied = run_copy(sandbox, CopyOptions{});
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings ==
        "in-the-way file: a directory is in its way on the target, and nothing may be removed there\n");
  CHECK(read_file(sandbox.target("file/inside")) == "must stay");
  CHECK(exists(sandbox.target("extraneous")));
  CHECK(read_file(sandbox.target("other")) == "other");
}
