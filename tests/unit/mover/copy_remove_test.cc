// What may be removed from the target, and what never.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/run.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

// What a run needs to remove something from a sandbox's target.
struct Removing {
  explicit Removing(const Sandbox& sandbox)
      : source(Root::open(sandbox.source(), {}).value()),
        target(Root::open(sandbox.target(), {}).value()),
        run(options, source, target, reporter, 64) {
    pair->wanted = pair->found = target.attributes();
    pair->target = place(target);
    pair->source = place(source);
  }
  static std::shared_ptr<Place> place(const Root& root) {
    const int number = ::fcntl(root.descriptor(), F_DUPFD_CLOEXEC, 0);
    return std::make_shared<Place>(std::make_shared<const Descriptor>(number), root.attributes().key());
  }
  Attributes see(const char* name) const { return read_attributes(target.descriptor(), name).value(); }
  bool remove(const char* name, const Attributes& seen) {
    return remove_entry(run, *pair, target.descriptor(), name, seen);
  }

  CopyOptions options = deleting();
  RecordingReporter reporter;
  Root source;
  Root target;
  Run run;
  std::shared_ptr<DirectoryPair> pair = std::make_shared<DirectoryPair>();
};

constexpr const char* k_stays =
    "left-out old: it stays on the target, because something below it is left out\n";

// Mounts `from`, which holds a file, over "name" after the decision to remove that: what is wrong then.
std::string complaint_when_mounted(const std::string& from) {
  const Sandbox sandbox;
  make_directory(sandbox.target("name"));
  if (from != "name") make_directory(sandbox.target(from));
  const std::string file = sandbox.target(from + "/file");
  write_file(file, "must stay");
  Removing removing(sandbox);
  const Attributes seen = removing.see("name");
  mount_bind(sandbox.target(from), sandbox.target("name"));
  std::string complaint;
  if (removing.remove("name", seen)) complaint += "removed; ";
  if (removing.reporter.of_kind("not-removed").size() != 1) complaint += removing.reporter.all();
  if (read_file(file) != "must stay") complaint += "lost; ";
  if (std::system(("umount '" + sandbox.target("name") + "'").c_str()) != 0) complaint += "cannot unmount";
  return complaint;
}

}  // namespace

TEST_CASE("what is left out stays with the directories above it when those are extraneous") {
  const Sandbox sandbox;
  CopyOptions options = deleting();
  SUBCASE("root may do everything") {}
  SUBCASE("every directory is its owner's") {
    options.way = OwnerWay::as_owner;
    set_owner(sandbox.target(), 1000, 1000);
    set_owner(sandbox.source(), 1000, 1000);
  }
  write_file(sandbox.source("common"), "x");
  write_file(sandbox.target("common"), "x");
  make_directory(sandbox.target("old"), 0700);
  make_directory(sandbox.target("old/deep"), 0500);
  make_directory(sandbox.target("old/deep/kept"));
  write_file(sandbox.target("old/deep/kept/file"), "must stay");
  write_file(sandbox.target("old/deep/socket"), "must stay");
  write_file(sandbox.target("old/deep/other"), "x");
  make_directory(sandbox.target("old/gone"));
  write_file(sandbox.target("old/gone/file"), "x");
  for (const char* name : {"common", "old", "old/deep", "old/deep/kept", "old/deep/kept/file",
                           "old/deep/socket", "old/deep/other", "old/gone", "old/gone/file"})
    set_owner(sandbox.target(name), 1000, 1000);
  set_owner(sandbox.source("common"), 1000, 1000);
  options.leave_out = {"old/deep/kept", "old/deep/socket", "old/gone/nothing"};
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.outcome.exit == 0);
  CHECK(copied.findings == k_stays);
  CHECK(read_file(sandbox.target("old/deep/kept/file")) == "must stay");
  CHECK(read_file(sandbox.target("old/deep/socket")) == "must stay");
  CHECK_FALSE(exists(sandbox.target("old/deep/other")));
  CHECK_FALSE(exists(sandbox.target("old/gone")));
  CHECK(mode_of(sandbox.target("old")) == 0700);
  CHECK(mode_of(sandbox.target("old/deep")) == 0500);
}

TEST_CASE("a directory that holds what is left out is not replaced, and that is an error") {
  const Sandbox sandbox;
  write_file(sandbox.source("old"), "a file now");
  make_directory(sandbox.target("old"));
  make_directory(sandbox.target("old/kept"));
  write_file(sandbox.target("old/kept/file"), "must stay");
  CopyOptions options = deleting();
  options.leave_out = {"old/kept/file"};
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings == std::string(k_stays) +
                               "in-the-way old: a directory is in its way on the target that may "
                               "hold what is left out\n");
  CHECK(read_file(sandbox.target("old/kept/file")) == "must stay");
}

TEST_CASE("what got a name after the decision about it is not removed under that name") {
  const Sandbox sandbox;
  make_directory(sandbox.target("name"));
  write_file(sandbox.target("file"), "seen");
  Removing removing(sandbox);
  const Attributes directory = removing.see("name");
  const Attributes file = removing.see("file");
  rename_path(sandbox.target("name"), sandbox.target("seen directory"));
  rename_path(sandbox.target("file"), sandbox.target("seen file"));
  write_file(sandbox.target("file"), "precious");
  SUBCASE("another directory") {
    make_directory(sandbox.target("name"));
    write_file(sandbox.target("name/file"), "precious");
  }
  SUBCASE("a link to a directory") {
    make_directory(sandbox.path() + "/outside");
    write_file(sandbox.path() + "/outside/file", "precious");
    make_symlink("../outside", sandbox.target("name"));
  }
  CHECK_FALSE(removing.remove("name", directory));
  CHECK_FALSE(removing.remove("file", file));
  CHECK(removing.reporter.all() ==
        "not-removed name: something else has its name on the target now\n"
        "not-removed file: something else has its name on the target now\n");
  CHECK(removing.run.counters.errors == 2);
  CHECK(read_file(sandbox.target("name/file")) == "precious");
  CHECK(read_file(sandbox.target("file")) == "precious");
  CHECK(removing.remove("seen directory", directory));
  CHECK(removing.remove("seen file", file));
  CHECK_FALSE(exists(sandbox.target("seen directory")));
  CHECK_FALSE(exists(sandbox.target("seen file")));
}

TEST_CASE("what is mounted over a directory after the decision about it is not emptied") {
  CHECK(in_mount_namespace([] { return complaint_when_mounted("precious"); }) == "");
}

TEST_CASE("a directory mounted over itself after the decision is not emptied") {
  CHECK(in_mount_namespace([] { return complaint_when_mounted("name"); }) == "");
}
