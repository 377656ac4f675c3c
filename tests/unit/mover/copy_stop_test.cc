// How a copy ends before it is done: what it leaves behind, and what the next one makes of it. And what is
// seen of changes while it runs.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/copy/tick.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

void await(const std::string& path) {
  while (!exists(path)) std::this_thread::yield();
}

// A copy of a large file with something done while it is under way.
Copied copy_and_meanwhile(const Sandbox& sandbox, CopyOptions options, const std::string& file,
                          const std::function<void()>& meanwhile) {
  options.bandwidth = 4'000'000;  // half a second for the file
  std::thread other([&] {
    await(sandbox.target(file));
    meanwhile();
  });
  Copied copied = run_copy(sandbox, options);
  other.join();
  truenas::clear_interrupt();
  return copied;
}

// Directories that only their owner could not write into, with something large in the deepest.
void make_closed_directories(const Sandbox& sandbox) {
  for (const char* name : {"closed", "closed/shared", "closed/shared/set"})
    make_directory(sandbox.source(name));
  write_file(sandbox.source("closed/shared/set/large"), std::string(4'000'000, 'x'));
  for (const char* name : {"", "closed", "closed/shared", "closed/shared/set", "closed/shared/set/large"})
    set_owner(sandbox.source(name), 1000, 1000);
  set_mode(sandbox.source("closed"), 0500);
  set_mode(sandbox.source("closed/shared"), 02750);
  set_mode(sandbox.source("closed/shared/set"), 0550);
  set_owner(sandbox.target(), 1000, 1000);
}

CopyOptions as_owner() {
  CopyOptions options = deleting();
  options.way = OwnerWay::as_owner;
  return options;
}

}  // namespace

TEST_CASE("asked to stop, it leaves no directory open that it opened") {
  const Sandbox sandbox;
  make_closed_directories(sandbox);
  unsigned while_filled = 0;
  const auto stop = [&] {
    while_filled = mode_of(sandbox.target("closed/shared/set"));
    truenas::request_interrupt(SIGTERM);
  };
  // Directories that it made, and, the second time, those that were there.
  for (const char* large : {"large", "larger"}) {
    const std::string path = std::string("closed/shared/set/") + large;
    write_file(sandbox.source(path), std::string(4'000'000, 'y'));
    set_owner(sandbox.source(path), 1000, 1000);
    const Copied stopped = copy_and_meanwhile(sandbox, as_owner(), path, stop);
    CHECK(stopped.outcome.exit == 143);
    CHECK(stopped.findings == "");
    CHECK(while_filled == 0777);
    CHECK(mode_of(sandbox.target("closed")) == 0500);
    CHECK(mode_of(sandbox.target("closed/shared")) == 02750);
    CHECK(mode_of(sandbox.target("closed/shared/set")) == 0550);
    CHECK(run_copy(sandbox, as_owner()).findings == "");
    CHECK(differences(sandbox) == "");
  }
}

TEST_CASE("killed, it leaves directories open, and the next run closes them") {
  const Sandbox sandbox;
  make_closed_directories(sandbox);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    CopyOptions options = as_owner();
    options.bandwidth = 1'000'000;
    RecordingReporter reporter;
    ::_exit(copy(sandbox.source(), sandbox.target(), options, reporter).exit);
  }
  await(sandbox.target("closed/shared/set/large"));
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(mode_of(sandbox.target("closed/shared/set")) == 0777);
  CHECK(run_copy(sandbox, as_owner()).findings == "");
  CHECK(differences(sandbox) == "");
  // Also where nothing else is left to do.
  set_mode(sandbox.target("closed"), 0777);
  CHECK(run_copy(sandbox, as_owner()).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("a partial file that cannot be removed is named") {
  CHECK(in_mount_namespace([] {
          const Sandbox sandbox;
          write_file(sandbox.source("large"), std::string(4'000'000, 'x'));
          write_file(sandbox.path() + "/cover", "");
          const Copied copied = copy_and_meanwhile(sandbox, deleting(), "large", [&] {
            mount_bind(sandbox.path() + "/cover", sandbox.target("large"));
            truenas::request_interrupt(SIGTERM);
          });
          std::string complaint;
          if (copied.outcome.exit != 143 || copied.count("errors") != 1) complaint += copied.outcome.text;
          if (copied.findings.find(" large: cannot remove what is not complete: ") == std::string::npos)
            complaint += "found: " + copied.findings;
          if (std::system(("umount '" + sandbox.target("large") + "'").c_str()) != 0)
            complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("the final pass sees a name that was made in a directory though its time is what it was") {
  for (const bool final_pass : {false, true}) {
    const Sandbox sandbox;
    make_directory(sandbox.source("d"));
    write_file(sandbox.source("d/large"), std::string(4'000'000, 'x'));
    set_mtime(sandbox.source("d"), 1000, 7);
    CopyOptions options = deleting();
    options.final_pass = final_pass;
    const auto change = [&] {
      write_file(sandbox.source("d/new"), "x");
      set_mtime(sandbox.source("d"), 1000, 7);
    };
    const Copied copied = copy_and_meanwhile(sandbox, options, "d/large", change);
    CHECK(copied.outcome.exit == (final_pass ? 1 : 0));
    CHECK(copied.findings ==
          (final_pass ? "changed-while-copied d: names were made or removed in it while it was being copied\n"
                      : ""));
    CHECK(run_copy(sandbox, options).findings == "");
    CHECK(differences(sandbox) == "");
  }
}

TEST_CASE("a file that changed just now is read when its clock has moved on") {
  CHECK(is_young(Timestamp{100, 0}, Timestamp{100, 1}));
  CHECK(is_young(Timestamp{100, 0}, Timestamp{104, 999'999'999}));
  CHECK(is_young(Timestamp{200, 0}, Timestamp{100, 0}));  // a server whose clock is fast
  CHECK_FALSE(is_young(Timestamp{100, 0}, Timestamp{105, 0}));
  const Sandbox sandbox;
  for (int times = 0; times < 10; ++times) {
    write_file(sandbox.source("file"), std::to_string(times));
    const Descriptor file(::open(sandbox.source("file").c_str(), O_RDONLY | O_CLOEXEC));
    const Attempt<Attributes> settled = read_settled(file.get(), Sighting{});
    timespec now{};  // by this clock the next change gets its time
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    REQUIRE(settled.ok());
    CHECK(Timestamp{now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)} > settled->ctime);
  }
}

TEST_CASE("a directory that cannot be finished is named and does not stay open") {
  CHECK(in_mount_namespace([] {
          std::string complaint;
          const Sandbox sandbox;
          if (::mount("ramfs", sandbox.target().c_str(), "ramfs", 0, nullptr) != 0)
            return std::string("cannot mount");
          make_closed_directories(sandbox);
          set_xattr(sandbox.source("closed/shared/set"), "user.note", "x");
          const Copied copied = run_copy(sandbox, as_owner());
          if (copied.outcome.exit != 1) complaint += copied.outcome.text;
          if (copied.findings.find("xattr-refused closed/shared/set: ") == std::string::npos)
            complaint += "found: " + copied.findings;
          if (mode_of(sandbox.target("closed/shared/set")) != 0550) complaint += "it stays open";
          ::umount2(sandbox.target().c_str(), MNT_DETACH);
          return complaint;
        }) == "");
}
