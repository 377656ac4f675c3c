#include <doctest/doctest.h>

#include <array>

#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

// One of everything that a volume may hold.
void make_all_kinds(const Sandbox& sandbox) {
  write_file(sandbox.source("empty"), "");
  write_file(sandbox.source("small"), "some bytes\n", 0600);
  write_file(sandbox.source("large"), std::string(3'000'000, 'x') + "end");
  write_file(sandbox.source("setuid"), "#!", 0755);
  set_owner(sandbox.source("setuid"), 1000, 1001);
  set_mode(sandbox.source("setuid"), 06755);
  write_file(sandbox.source("unwritable"), "read only", 0400);
  write_file(sandbox.source("no mode"), "none", 0000);
  make_symlink("small", sandbox.source("link"));
  make_symlink("nowhere at all", sandbox.source("dangling"));
  make_symlink("/etc/passwd", sandbox.source("absolute"));
  set_owner(sandbox.source("absolute"), 7, 8);
  make_fifo(sandbox.source("fifo"), 0640);
  make_socket(sandbox.source("socket"));
  write_file(sandbox.source("a\nb\xff\xfe'\"\\"), "not text");
  write_file(sandbox.source(std::string(255, 'n')), "long");
  make_directory(sandbox.source("dir"), 02750);
  make_directory(sandbox.source("dir/empty"), 01777);
  make_directory(sandbox.source("dir/closed"), 0500);
  write_file(sandbox.source("dir/closed/inside"), "inside");
  make_link(sandbox.source("small"), sandbox.source("dir/hard"));
  make_link(sandbox.source("link"), sandbox.source("dir/hard symlink"));
  set_xattr(sandbox.source("large"), "user.note", std::string("a\0b", 3));
  set_xattr(sandbox.source("unwritable"), "user.on read-only", "x");
  set_xattr(sandbox.source("dir"), "user.dir", "d");
  set_owner(sandbox.source("dir"), 26, 26);
  set_mode(sandbox.source("dir"), 02750);
  set_mtime(sandbox.source("small"), -86400, 999'999'999);
  set_mtime(sandbox.source("large"), 4'102'444'800, 1);
  set_mtime(sandbox.source("dangling"), 12345, 678);
  set_mtime(sandbox.source("fifo"), 1, 2);
  set_mtime(sandbox.source("dir/empty"), 3, 4);
  set_mtime(sandbox.source("dir"), 5, 6);
  set_mtime(sandbox.source(), 1'600'000'000, 7);
}

}  // namespace

TEST_CASE("a tree with everything in it is the same afterwards, and a second run has nothing to do") {
  const Sandbox sandbox;
  make_all_kinds(sandbox);
  const Copied first = run_copy(sandbox, deleting());
  CHECK(first.findings == "");
  CHECK(first.outcome.exit == 0);
  CHECK(differences(sandbox) == "");
  const Copied second = run_copy(sandbox, deleting());
  CHECK(second.outcome.exit == 0);
  CHECK(second.count("files-copied") == 0);
  CHECK(second.count("links-made") == 0);
  CHECK(second.count("adjusted") == 0);
  CHECK(second.count("removed") == 0);
  CHECK(second.count("kept") == 14 + 2);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("one worker and many come to the same tree") {
  for (const unsigned workers : {1U, 2U, 32U}) {
    const Sandbox sandbox;
    make_all_kinds(sandbox);
    CopyOptions options = deleting();
    options.workers = workers;
    CHECK(run_copy(sandbox, options).findings == "");
    CHECK(differences(sandbox) == "");
  }
}

TEST_CASE("a delta carries changed content, attributes and names, and nothing else is written") {
  const Sandbox sandbox;
  make_all_kinds(sandbox);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  const std::uint64_t untouched = inode_of(sandbox.target("large"));
  write_file(sandbox.source("small"), "other bytes\n", 0600);
  set_mode(sandbox.source("no mode"), 0644);
  set_owner(sandbox.source("unwritable"), 5, 6);
  set_xattr(sandbox.source("setuid"), "user.new", "1");
  make_directory(sandbox.source("dir/new"));
  write_file(sandbox.source("dir/new/file"), "new");
  remove_path(sandbox.source("dir/closed"));
  const Copied delta = run_copy(sandbox, deleting());
  CHECK(delta.findings == "");
  CHECK(differences(sandbox) == "");
  CHECK(inode_of(sandbox.target("large")) == untouched);
  // small, dir/new/file, and the three whose ctime says that something changed: it may be their content.
  CHECK(delta.count("files-copied") == 5);
}

TEST_CASE("a change that kept size and time is seen by the ctime") {
  const Sandbox sandbox;
  write_file(sandbox.source("file"), "before");
  set_mtime(sandbox.source("file"), 1000, 0);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  write_file(sandbox.source("file"), "after!");
  set_mtime(sandbox.source("file"), 1000, 0);
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(read_file(sandbox.target("file")) == "after!");
}

TEST_CASE("a path asked for again is copied though nothing tells it from what is there") {
  const Sandbox sandbox;
  make_directory(sandbox.source("d"));
  write_file(sandbox.source("d/file"), "before");
  write_file(sandbox.source("d/other"), "other");
  set_mtime(sandbox.source("d/file"), 1000, 0);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  write_file(sandbox.target("d/file"), "broken");
  set_mtime(sandbox.target("d/file"), 1000, 0);
  CopyOptions options = deleting();
  CHECK(run_copy(sandbox, options).count("files-copied") == 0);
  options.again = {"d/file"};
  CHECK(run_copy(sandbox, options).count("files-copied") == 1);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("asked for again by any of its names, a file with several is copied and linked again") {
  const Sandbox sandbox;
  for (const char* name : {"a", "b"}) make_directory(sandbox.source(name));
  write_file(sandbox.source("a/1"), "before");
  for (const char* name : {"a/2", "b/3"}) make_link(sandbox.source("a/1"), sandbox.source(name));
  set_mtime(sandbox.source("a/1"), 77, 7);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  for (const char* name : {"a/1", "a/2", "b/3"}) {
    write_file(sandbox.target("b/3"), "broken");
    set_mtime(sandbox.target("b/3"), 77, 7);
    CopyOptions options = deleting();
    options.again = {name, "b/none", "none/at/all"};
    const Copied copied = run_copy(sandbox, options);
    CHECK(copied.findings == "");
    CHECK(copied.count("files-copied") == 1);
    CHECK(differences(sandbox) == "");
  }
}

TEST_CASE("what is left out is neither copied nor removed, and named") {
  const Sandbox sandbox;
  make_directory(sandbox.source("d"));
  write_file(sandbox.source("d/file"), "x");
  make_socket(sandbox.source("d/socket"));
  make_directory(sandbox.target("d"));
  make_directory(sandbox.target("d/kept"));
  CopyOptions options = deleting();
  options.leave_out = {"d/socket", "d/kept"};
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.outcome.exit == 0);
  CHECK(copied.findings == "left-out d/socket: left out as asked\n");
  CHECK_FALSE(exists(sandbox.target("d/socket")));
  CHECK(exists(sandbox.target("d/kept")));
  CHECK(exists(sandbox.target("d/file")));
}

TEST_CASE("mapped owners arrive as what they are mapped to") {
  const Sandbox sandbox;
  write_file(sandbox.source("root"), "x");
  write_file(sandbox.source("other"), "x");
  set_owner(sandbox.source("other"), 5, 0);
  make_directory(sandbox.source("dir"));
  CopyOptions options = deleting();
  options.owners = OwnerMap({parse_owner_rule("0:0=1000:1000").value(), parse_owner_rule("*:0=*:7").value()});
  CHECK(run_copy(sandbox, options).outcome.exit == 0);
  set_owner(sandbox.source("root"), 1000, 1000);
  set_owner(sandbox.source("dir"), 1000, 1000);
  set_owner(sandbox.source(), 1000, 1000);
  set_owner(sandbox.source("other"), 5, 7);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("devices are refused by name, and everything else is copied") {
  const Sandbox sandbox;
  REQUIRE(std::system(("mknod '" + sandbox.source("null") + "' c 1 3").c_str()) == 0);
  write_file(sandbox.source("file"), "x");
  const Copied copied = run_copy(sandbox, deleting());
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings ==
        "cannot-be-copied null: a character device cannot be copied; leave it out by its path\n");
  CHECK(exists(sandbox.target("file")));
  CHECK_FALSE(exists(sandbox.target("null")));
}
