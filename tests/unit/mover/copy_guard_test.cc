// What must be refused before anything is changed.
#include <doctest/doctest.h>

#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

// Refused, for that reason, and the target is as it was.
std::string complaint_unless_refused(const std::string& source, const std::string& target,
                                     const CopyOptions& options, const std::string& reason) {
  const Description before = describe(target);
  RecordingReporter reporter;
  const Outcome outcome = copy(source, target, options, reporter);
  std::string complaint;
  if (outcome.exit != 4) complaint += "exit " + std::to_string(outcome.exit) + "; ";
  if (outcome.text.find(reason) == std::string::npos) complaint += "says: " + outcome.text + "; ";
  return complaint + differences(before, describe(target));
}

}  // namespace

TEST_CASE("an empty source never empties a target") {
  const Sandbox sandbox;
  write_file(sandbox.target("precious"), "x");
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), deleting(),
                                 "refused: the source is empty and the target has 1 entry") == "");
  // The directory that mkfs makes is nothing.
  make_directory(sandbox.source("lost+found"));
  make_directory(sandbox.target("lost+found"));
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), deleting(), "the source is empty") ==
        "");
  CopyOptions accepted = deleting();
  accepted.accept_empty_source = true;
  CHECK(run_copy(sandbox, accepted).outcome.exit == 0);
  CHECK_FALSE(exists(sandbox.target("precious")));
}

TEST_CASE("a source that holds only what is not copied counts as empty") {
  const Sandbox sandbox;
  write_file(sandbox.target("precious"), "x");
  CopyOptions options = deleting();
  options.leave_out = {"cache", "socket"};
  for (const char* name : {".zfs", ".snapshot", "cache", "lost+found"}) {
    make_directory(sandbox.source(name));
    write_file(sandbox.source(std::string(name) + "/file"), "x");
  }
  write_file(sandbox.source(".nfs000000000000a8f20000001b"), "still open");
  make_socket(sandbox.source("socket"));
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "the source is empty") == "");
  // Nor is it a name in common, nor what a target would lose.
  write_file(sandbox.source("mine"), "x");
  make_directory(sandbox.target("cache"));
  make_directory(sandbox.target(".zfs"));
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options,
                                 "the target has 1 entry and not one name in common") == "");
  // What only looks like it is content.
  write_file(sandbox.source(".nfsrc"), "x");
  write_file(sandbox.target(".nfsrc"), "y");
  CHECK(run_copy(sandbox, options).outcome.exit == 0);
  CHECK(read_file(sandbox.target(".nfsrc")) == "x");
  CHECK_FALSE(exists(sandbox.target("precious")));
}

TEST_CASE("a source without one name in common with the target is not trusted") {
  const Sandbox sandbox;
  write_file(sandbox.source("mine"), "x");
  write_file(sandbox.target("precious"), "x");
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), deleting(),
                                 "not one name in common with the source") == "");
  CopyOptions keeping;
  CHECK(run_copy(sandbox, keeping).outcome.exit == 0);
  CHECK(exists(sandbox.target("precious")));
  remove_path(sandbox.target("mine"));
  CopyOptions accepted = deleting();
  accepted.accept_unrelated = true;
  CHECK(run_copy(sandbox, accepted).outcome.exit == 0);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("what is not there, not a directory or not mounted is said") {
  const Sandbox sandbox;
  write_file(sandbox.source("file"), "x");
  write_file(sandbox.target("file"), "y");
  RecordingReporter reporter;
  CHECK(copy(sandbox.path() + "/none", sandbox.target(), deleting(), reporter).exit == 1);
  CHECK(copy(sandbox.source("file"), sandbox.target(), deleting(), reporter).exit == 1);
  CopyOptions options = deleting();
  options.source_mount.mount_point = true;
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "is not a mount point") == "");
  options = deleting();
  options.target_mount.mount_point = true;
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "is not a mount point") == "");
  options = deleting();
  options.source_mount.type = "nfs";
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "not on nfs") == "");
  options = deleting();
  options.target_mount.source = "nas:/mnt/SAS/pvc-1";
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "not of nas:/mnt/SAS/pvc-1") ==
        "");
  CHECK(read_file(sandbox.target("file")) == "y");
}

TEST_CASE("the mount that is expected is accepted") {
  CHECK(in_mount_namespace([] {
          const Sandbox sandbox;
          mount_tmpfs(sandbox.source(), "size=1m");
          mount_tmpfs(sandbox.target(), "size=1m");
          write_file(sandbox.source("file"), "x");
          CopyOptions options = deleting();
          options.source_mount = MountExpectation{true, "tmpfs", "tmpfs"};
          options.target_mount = MountExpectation{true, "tmpfs", ""};
          const Copied copied = run_copy(sandbox, options);
          const std::string complaint = copied.outcome.text + copied.findings + differences(sandbox);
          // With the mounts still in the way the folder could not be removed.
          if (std::system(("umount '" + sandbox.source() + "' '" + sandbox.target() + "'").c_str()) != 0)
            return std::string("cannot unmount");
          return complaint == "done" ? std::string() : complaint;
        }) == "");
}

TEST_CASE("a source that is its target, holds it or lies in it is refused by whatever path") {
  CHECK(in_mount_namespace([] {
          std::string complaint;
          const Sandbox sandbox;
          make_directory(sandbox.source("a"));
          make_directory(sandbox.source("a/b"));
          write_file(sandbox.source("a/b/file"), "x");
          make_symlink("src/a", sandbox.path() + "/link");
          for (const char* name : {"bind", "bind_b"}) make_directory(sandbox.path() + "/" + name);
          mount_bind(sandbox.source("a"), sandbox.path() + "/bind");
          mount_bind(sandbox.source("a/b"), sandbox.path() + "/bind_b");
          const std::string top = sandbox.source("a");
          const std::string below = sandbox.source("a/b");
          const std::string bind = sandbox.path() + "/bind";
          const std::string bind_below = sandbox.path() + "/bind_b";
          const std::string link = sandbox.path() + "/link";
          for (const std::string& same : {top, bind, link, top + "/../a", top + "/b/.."})
            for (const std::string& other : {top, bind, link})
              complaint += complaint_unless_refused(same, other, deleting(), "are the same directory");
          for (const std::string& outer : {top, bind, link}) {
            for (const std::string& inner : {below, bind_below, bind + "/b", link + "/b"}) {
              complaint += complaint_unless_refused(outer, inner, deleting(), "lies inside the source");
              complaint += complaint_unless_refused(inner, outer, deleting(), "lies inside the target");
            }
          }
          if (std::system(("umount '" + bind + "' '" + bind_below + "'").c_str()) != 0)
            complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("a volume mounted inside is neither entered nor removed") {
  CHECK(in_mount_namespace([] {
          const Sandbox sandbox;
          for (const std::string& side : {sandbox.source(), sandbox.target()}) {
            make_directory(side + "/common");
            make_directory(side + "/mounted");
            mount_tmpfs(side + "/mounted", "size=1m");
            write_file(side + "/mounted/file", side);
          }
          make_directory(sandbox.target("extraneous"));
          make_directory(sandbox.target("extraneous/bind"));
          mount_bind(sandbox.source("common"), sandbox.target("extraneous/bind"));
          write_file(sandbox.source("common/file"), "x");
          const Copied copied = run_copy(sandbox, deleting());
          std::string complaint;
          if (copied.outcome.exit != 1) complaint += "exit " + std::to_string(copied.outcome.exit);
          if (copied.findings.find("mounted-inside mounted: another volume is mounted there") ==
                  std::string::npos ||
              copied.findings.find("not-removed extraneous/bind: something is mounted there") ==
                  std::string::npos)
            complaint += copied.findings;
          if (read_file(sandbox.target("mounted/file")) != sandbox.target())
            complaint += "written into a mount";
          if (read_file(sandbox.source("common/file")) != "x") complaint += "removed through a bind mount";
          for (const std::string& mounted :
               {sandbox.source("mounted"), sandbox.target("mounted"), sandbox.target("extraneous/bind")})
            if (std::system(("umount '" + mounted + "'").c_str()) != 0) complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("a squashed root directory that nobody may write into is refused at once") {
  const Sandbox sandbox;
  write_file(sandbox.source("file"), "x");
  CopyOptions options = deleting();
  options.way = OwnerWay::as_owner;
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "nobody can write there") ==
        "");
  options.way = OwnerWay::single_owner;
  CHECK(complaint_unless_refused(sandbox.source(), sandbox.target(), options, "is not given") == "");
}
