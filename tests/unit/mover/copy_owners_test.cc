// The two ways without chown, tried where the kernel enforces them: a thread that acts as an owner has no
// more rights than that owner.
#include <doctest/doctest.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "lib/mover/identity.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

CopyOptions as_owner() {
  CopyOptions options = deleting();
  options.way = OwnerWay::as_owner;
  return options;
}

// Files of three owners in each other's directories, closed in every way.
void make_shared_home(const Sandbox& sandbox) {
  set_owner(sandbox.source(), 1000, 1000);
  make_directory(sandbox.source("alice"), 0700);
  make_directory(sandbox.source("alice/of bob"), 0500);
  write_file(sandbox.source("alice/of bob/of carol"), "carol's", 0600);
  write_file(sandbox.source("alice/of bob/alice's own"), "alice's", 0400);
  make_directory(sandbox.source("alice/group"), 02770);
  write_file(sandbox.source("alice/group/file"), "group", 0664);
  write_file(sandbox.source("alice/none"), "none", 0000);
  write_file(sandbox.source("alice/setuid"), "#!", 0755);
  make_symlink("none", sandbox.source("alice/link"));
  make_fifo(sandbox.source("alice/fifo"), 0622);
  make_directory(sandbox.source("sticky"), 01777);
  write_file(sandbox.source("sticky/bob"), "b");
  write_file(sandbox.source("sticky/carol"), "c");
  make_link(sandbox.source("alice/of bob/of carol"), sandbox.source("sticky/carol's link"));
  set_owner(sandbox.source("alice"), 1000, 1000);
  set_owner(sandbox.source("alice/of bob"), 1001, 1001);
  set_owner(sandbox.source("alice/of bob/of carol"), 1002, 1002);
  set_owner(sandbox.source("alice/of bob/alice's own"), 1000, 1000);
  set_owner(sandbox.source("alice/group"), 1000, 500);
  set_mode(sandbox.source("alice/group"), 02770);
  set_owner(sandbox.source("alice/group/file"), 1001, 1001);
  set_owner(sandbox.source("alice/none"), 1000, 1000);
  set_owner(sandbox.source("alice/setuid"), 1000, 500);
  set_mode(sandbox.source("alice/setuid"), 06755);
  set_owner(sandbox.source("alice/link"), 1001, 500);
  set_owner(sandbox.source("alice/fifo"), 1002, 1002);
  set_owner(sandbox.source("sticky"), 1000, 1000);
  set_mode(sandbox.source("sticky"), 01777);
  set_owner(sandbox.source("sticky/bob"), 1001, 1001);
  set_owner(sandbox.source("sticky/carol"), 1002, 1002);
  set_xattr(sandbox.source("alice/of bob/alice's own"), "user.note", "alice");
  set_mtime(sandbox.source("alice/of bob"), 10, 11);
  set_mtime(sandbox.source("alice"), 12, 13);
}

}  // namespace

TEST_CASE("a thread acts as an owner alone, and is itself again afterwards") {
  const Owner own = acting_identity();
  std::promise<void> acts;
  Owner elsewhere;
  std::thread other([&] {
    acts.get_future().wait();
    elsewhere = acting_identity();
  });
  {
    const Acting alice(Owner{1000, 1001});
    REQUIRE(alice.taken().ok());
    CHECK(acting_identity() == Owner{1000, 1001});
    acts.set_value();
    other.join();
    CHECK(elsewhere == own);
    CHECK(::getgroups(0, nullptr) == 0);
    {
      const Acting itself(std::nullopt);
      CHECK(acting_identity() == own);
    }
    const Acting bob(Owner{1001, 1001});
    CHECK(acting_identity() == Owner{1001, 1001});
    CHECK(::access("/", X_OK) == 0);
  }
  CHECK(acting_identity() == own);
  CHECK(can_act());
}

TEST_CASE("files of many owners in each other's closed directories, written by their owners") {
  const Sandbox sandbox;
  make_shared_home(sandbox);
  set_owner(sandbox.target(), 1000, 1000);
  const Copied first = run_copy(sandbox, as_owner());
  CHECK(first.findings == "");
  CHECK(differences(sandbox) == "");
  const Copied second = run_copy(sandbox, as_owner());
  CHECK(second.findings == "");
  CHECK(second.count("files-copied") + second.count("adjusted") + second.count("removed") == 0);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("a delta by owners: new files, changed modes, another owner, removals in closed directories") {
  const Sandbox sandbox;
  make_shared_home(sandbox);
  set_owner(sandbox.target(), 1000, 1000);
  REQUIRE(run_copy(sandbox, as_owner()).outcome.exit == 0);
  write_file(sandbox.source("alice/of bob/new"), "new");
  set_owner(sandbox.source("alice/of bob/new"), 1003, 1003);
  remove_path(sandbox.source("alice/of bob/alice's own"));
  set_mode(sandbox.source("alice/none"), 0640);
  set_owner(sandbox.source("sticky/bob"), 1002, 1002);
  set_owner(sandbox.source("alice/group"), 1002, 500);
  set_mode(sandbox.source("alice/group"), 02750);
  remove_path(sandbox.source("sticky/carol's link"));
  const Copied delta = run_copy(sandbox, as_owner());
  CHECK(delta.findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("what a failed copy by a squashed root left behind is replaced") {
  const Sandbox sandbox;
  make_shared_home(sandbox);
  set_owner(sandbox.target(), 1000, 1000);
  make_directory(sandbox.target("alice"), 0700);
  write_file(sandbox.target("alice/none"), "none", 0600);
  make_directory(sandbox.target("alice/of bob"), 0);
  write_file(sandbox.target("alice/of bob/of carol"), "carol's", 0600);
  for (const char* path : {"alice/of bob/of carol", "alice/of bob", "alice/none", "alice"})
    set_owner(sandbox.target(path), 65534, 65534);
  const Copied copied = run_copy(sandbox, as_owner());
  CHECK(copied.findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("owners that a squashing server cannot hold are refused by name, the rest is copied") {
  const Sandbox sandbox;
  set_owner(sandbox.target(), 1000, 1000);
  set_owner(sandbox.source(), 1000, 1000);
  write_file(sandbox.source("fine"), "x");
  set_owner(sandbox.source("fine"), 1000, 1000);
  write_file(sandbox.source("group"), "x");
  set_owner(sandbox.source("group"), 1000, 0);
  make_directory(sandbox.source("root"));
  write_file(sandbox.source("root/inside"), "x");
  const Copied copied = run_copy(sandbox, as_owner());
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings ==
        "owner-refused group: owner 1000:0 cannot be set where root is squashed\n"
        "owner-refused root: owner 0:0 cannot be set where root is squashed\n");
  CHECK(exists(sandbox.target("fine")));
  CHECK_FALSE(exists(sandbox.target("group")));
  CHECK_FALSE(exists(sandbox.target("root")));
  CopyOptions mapped = as_owner();
  mapped.owners = OwnerMap({parse_owner_rule("*:0=1000:1000").value()});
  CHECK(run_copy(sandbox, mapped).findings == "");
  set_owner(sandbox.source("group"), 1000, 1000);
  set_owner(sandbox.source("root"), 1000, 1000);
  set_owner(sandbox.source("root/inside"), 1000, 1000);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("everything belongs to one owner: his tree is copied, another's files are refused") {
  const Sandbox sandbox;
  CopyOptions options = deleting();
  options.way = OwnerWay::single_owner;
  options.single_owner = Owner{0, 0};  // here the server that makes everybody one is this machine's root
  make_directory(sandbox.source("closed"), 0500);
  write_file(sandbox.source("closed/file"), "x", 0400);
  write_file(sandbox.source("other"), "x");
  set_owner(sandbox.source("other"), 1000, 1000);
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.findings ==
        "owner-refused other: owner 1000:1000 cannot be set: everything on the target belongs to 0:0\n");
  remove_path(sandbox.source("other"));
  CHECK(run_copy(sandbox, options).outcome.exit == 0);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("a source that squashes root is read by its owners") {
  const Sandbox sandbox;
  set_owner(sandbox.target(), 1000, 1000);
  set_owner(sandbox.source(), 1000, 1000);
  make_directory(sandbox.source("home"), 0711);
  write_file(sandbox.source("home/secret"), "x", 0600);
  set_owner(sandbox.source("home/secret"), 1001, 1001);
  set_owner(sandbox.source("home"), 1000, 1000);
  CopyOptions options = as_owner();
  options.source_as_owner = true;
  CHECK(run_copy(sandbox, options).findings == "");
  CHECK(differences(sandbox) == "");
  // And one that its owner may not read shows that it was indeed the owner who tried.
  write_file(sandbox.source("home/unreadable"), "x", 0000);
  set_owner(sandbox.source("home/unreadable"), 1001, 1001);
  CHECK(run_copy(sandbox, options).findings ==
        "permission home/unreadable: cannot open for reading: permission denied (EACCES)\n");
}
