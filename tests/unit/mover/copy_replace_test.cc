// A file that takes another's place: the old one stays until the new one is complete.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/mover/copy/partial.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

// The name of a file in the target that is not complete, "" if there is none.
std::string partial_in(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (is_partial_name(entry.path().filename().string())) return entry.path().filename().string();
  return "";
}

}  // namespace

TEST_CASE("the old copy stays until the new one is complete, whether it ends or is killed") {
  const Sandbox sandbox;
  const std::string before(100'000, 'o');
  write_file(sandbox.source("file"), before);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  write_file(sandbox.source("file"), std::string(8'000'000, 'n'));
  std::atomic<bool> ended = false;
  std::thread asker([&] {
    while (!ended && partial_in(sandbox.target()).empty()) std::this_thread::yield();
    truenas::request_interrupt(SIGTERM);
  });
  const Copied stopped = run_copy(sandbox, deleting_slowly());
  ended = true;
  asker.join();
  truenas::clear_interrupt();
  CHECK(stopped.outcome.exit == 143);
  CHECK(read_file(sandbox.target("file")) == before);
  CHECK(partial_in(sandbox.target()) == "");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    RecordingReporter reporter;
    ::_exit(copy(sandbox.source(), sandbox.target(), deleting_slowly(), reporter).exit);
  }
  int status = 0;
  pid_t gone = 0;
  while (gone == 0 && partial_in(sandbox.target()).empty()) gone = ::waitpid(child, &status, WNOHANG);
  REQUIRE(gone == 0);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(read_file(sandbox.target("file")) == before);
  CHECK(partial_in(sandbox.target()) != "");
  // What it left is no content, and goes even where nothing extraneous is removed.
  CHECK(run_copy(sandbox, CopyOptions{}).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("a name of the source that looks like a partial file is content") {
  const Sandbox sandbox;
  const std::string name = PartialNames().next();
  REQUIRE(is_partial_name(name));
  for (const char* other : {"", ".volume-mover-", ".volume-mover-0123456789abcdef-.partial",
                            ".volume-mover-0123456789abcdeg-1.partial", ".volume-mover-0123456789abcdef-1"})
    CHECK_FALSE(is_partial_name(other));
  CHECK(PartialNames().next() != name);
  write_file(sandbox.source(name), "content");
  write_file(sandbox.source("other"), "other");
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(run_copy(sandbox, deleting()).count("kept") == 2);
  CHECK(differences(sandbox) == "");
  // A directory of such a name is nobody's leftover.
  make_directory(sandbox.target(PartialNames().next()));
  CHECK(run_copy(sandbox, CopyOptions{}).count("removed") == 0);
}

TEST_CASE("a file for which there is no room beside its old copy takes its place") {
  CHECK(in_mount_namespace([] {
          const Sandbox sandbox;
          mount_tmpfs(sandbox.target(), "size=2m,mode=0755");
          write_file(sandbox.source("file"), std::string(1'300'000, 'o'));
          std::string complaint = run_copy(sandbox, deleting()).findings;
          write_file(sandbox.source("file"), std::string(1'300'001, 'n'));
          complaint += run_copy(sandbox, deleting()).findings;
          complaint += differences(sandbox);
          write_file(sandbox.source("file"), std::string(3'000'000, 'l'));
          const Copied full = run_copy(sandbox, deleting());
          if (full.findings != "no-space file: cannot write: no space left on the volume (ENOSPC)\n")
            complaint += full.findings;
          if (!partial_in(sandbox.target()).empty()) complaint += "a partial file stayed; ";
          if (std::system(("umount '" + sandbox.target() + "'").c_str()) != 0) complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("in a sticky directory of root's a file of another owner is replaced, too") {
  const Sandbox sandbox;
  set_mode(sandbox.target(), 01777);
  set_mode(sandbox.source(), 01777);
  write_file(sandbox.source("file"), "bob's");
  set_owner(sandbox.source("file"), 1001, 1001);
  CopyOptions options = deleting();
  options.way = OwnerWay::as_owner;
  REQUIRE(run_copy(sandbox, options).count("files-copied") == 1);
  write_file(sandbox.source("file"), "carol's");
  set_owner(sandbox.source("file"), 1002, 1002);
  CHECK(run_copy(sandbox, options).count("files-copied") == 1);
  CHECK(differences(sandbox) == "");
  CHECK(partial_in(sandbox.target()) == "");
}
