// What a delta must not take for done: changes that hide behind others, and what an earlier run left half
// made.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/mover/copy/folding.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

Attempt<Listing> listing_of(const std::string& path) {
  const Attempt<Descriptor> directory = open_directory(-1, path.c_str());
  REQUIRE(directory.ok());
  return Listing::read(directory->get());
}

}  // namespace

TEST_CASE("other bytes of the same size and time are seen behind another mode, owner or link count") {
  const Sandbox sandbox;
  for (const char* name : {"mode", "owner", "links"}) {
    write_file(sandbox.source(name), "before");
    set_mtime(sandbox.source(name), 1000, 0);
  }
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  for (const char* name : {"mode", "owner", "links"}) {
    write_file(sandbox.source(name), "after!");
    set_mtime(sandbox.source(name), 1000, 0);
  }
  set_mode(sandbox.source("mode"), 0600);
  set_owner(sandbox.source("owner"), 5, 6);
  make_link(sandbox.source("links"), sandbox.source("more links"));
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE(
    "extended attributes of directories are carried though an earlier run ended before it came to them") {
  const Sandbox sandbox;
  make_directory(sandbox.source("d"));
  write_file(sandbox.source("d/file"), "x");
  set_xattr(sandbox.source("d"), "user.key", "value");
  set_xattr(sandbox.source(), "user.root", "value");
  set_mtime(sandbox.source("d"), 1000, 0);
  // As after mkdir and the files: with a newer ctime than the source's.
  make_directory(sandbox.target("d"));
  set_mode(sandbox.target(), 0755);
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("an attribute of a FIFO is carried though it was made before") {
  const Sandbox sandbox;
  make_fifo(sandbox.source("fifo"));
  set_xattr(sandbox.source("fifo"), "trusted.key", "value");
  set_mtime(sandbox.source("fifo"), 1000, 0);
  make_fifo(sandbox.target("fifo"));
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("asked for again, a directory gets back its extended attributes, the root too") {
  const Sandbox sandbox;
  make_directory(sandbox.source("d"));
  make_directory(sandbox.source("d/e"));
  set_xattr(sandbox.source("d/e"), "user.key", "value");
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  set_xattr(sandbox.target("d/e"), "user.key", "other");
  set_xattr(sandbox.target(), "user.extraneous", "x");
  CopyOptions options = deleting();
  options.again = {"d/e", "."};
  CHECK(run_copy(sandbox, options).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("directories closed to their own owners are made and filled, in each way") {
  for (const OwnerWay way : {OwnerWay::chown, OwnerWay::as_owner}) {
    for (const unsigned mode : {0000U, 0100U, 0300U, 0400U, 0500U, 02000U}) {
      CAPTURE(way_name(way));
      CAPTURE(mode);
      const Sandbox sandbox;
      for (const std::string& root : {sandbox.source(), sandbox.target()}) set_owner(root, 1000, 1000);
      make_directory(sandbox.source("home"));
      make_directory(sandbox.source("home/closed"));
      write_file(sandbox.source("home/closed/file"), "inside");
      for (const char* name : {"home/closed/file", "home/closed", "home"})
        set_owner(sandbox.source(name), 1000, 1000);
      set_mode(sandbox.source("home/closed"), mode);
      CopyOptions options = deleting();
      options.way = way;
      CHECK(run_copy(sandbox, options).findings == "");
      CHECK(differences(sandbox) == "");
    }
  }
}

TEST_CASE("attributes that a shared inode has by another name are not changed") {
  const Sandbox sandbox;
  const std::string outside = sandbox.path() + "/outside";
  write_file(sandbox.source("a"), "same", 0600);
  make_link(sandbox.source("a"), sandbox.source("b"));
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  // As many names as the source's file has, but one of them is nobody's here.
  rename_path(sandbox.target("b"), outside);
  set_mode(outside, 0644);
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(differences(sandbox) == "");
  CHECK(describe(outside).at(".").substr(0, 10) == "100644 0:0");
}

TEST_CASE(
    "a root that was opened wide is closed again when the run is stopped, or cannot give it its owner") {
  const Sandbox sandbox;
  for (const std::string& root : {sandbox.source(), sandbox.target()}) set_owner(root, 1000, 1000);
  write_file(sandbox.source("of bob"), std::string(8'000'000, 'b'));
  set_owner(sandbox.source("of bob"), 1001, 1001);
  CopyOptions options = deleting_slowly();
  options.way = OwnerWay::as_owner;
  struct stat status {};
  const auto mode = [&] {
    REQUIRE(::stat(sandbox.target().c_str(), &status) == 0);
    return status.st_mode & 07777;
  };
  std::atomic<bool> ended = false;
  std::thread asker([&] {
    while (!ended && !exists(sandbox.target("of bob"))) std::this_thread::yield();
    truenas::request_interrupt(SIGTERM);
  });
  const Copied stopped = run_copy(sandbox, options);
  ended = true;
  asker.join();
  truenas::clear_interrupt();
  CHECK(stopped.outcome.exit == 143);
  CHECK(mode() == 0755);
  options.bandwidth = 0;
  set_owner(sandbox.source(), 1002, 1002);
  const Copied other = run_copy(sandbox, options);
  CHECK(other.outcome.exit == 0);
  CHECK(other.count("expected") == 1);
  CHECK(mode() == 0755);
  set_owner(sandbox.source(), 1000, 1000);
  CHECK(run_copy(sandbox, options).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("names that a volume may take for one are found before they meet") {
  const Sandbox sandbox;
  CHECK_FALSE(names_may_fold(*listing_of(sandbox.source()), nullptr));
  for (const char* name : {"README", "readme.md", "Makefile"}) write_file(sandbox.source(name), "");
  write_file(sandbox.target("README"), "");
  const Attempt<Listing> target = listing_of(sandbox.target());
  CHECK_FALSE(names_may_fold(*listing_of(sandbox.source()), &*target));
  SUBCASE("two of the source") {
    write_file(sandbox.source("ReadMe"), "");
    CHECK(names_may_fold(*listing_of(sandbox.source()), nullptr));
  }
  SUBCASE("one of each side") {
    write_file(sandbox.target("makefile"), "");
    CHECK(names_may_fold(*listing_of(sandbox.source()), &*listing_of(sandbox.target())));
  }
  SUBCASE("beyond ASCII nobody knows") {
    write_file(sandbox.source("\xe2\x84\xaa"), "");  // the Kelvin sign, which folds to k
    CHECK(names_may_fold(*listing_of(sandbox.source()), nullptr));
  }
}
