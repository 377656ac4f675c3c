// What goes wrong while copying: each by the path, never a file that looks complete and is not.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "lib/base/interrupt.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

TEST_CASE("a full target stops the run by name, and the rest follows once there is room") {
  CHECK(in_mount_namespace([] {
          std::string complaint;
          const Sandbox sandbox;
          mount_tmpfs(sandbox.target(), "size=2m,mode=0755");
          for (int file = 0; file < 6; ++file)
            write_file(sandbox.source("file" + std::to_string(file)),
                       std::string(700'000, static_cast<char>('a' + file)));
          CopyOptions options = deleting();
          options.workers = 1;
          const Copied full = run_copy(sandbox, options);
          if (full.outcome.exit != 1) complaint += "exit " + std::to_string(full.outcome.exit) + "; ";
          if (full.findings != "no-space file2: cannot write: no space left on the volume (ENOSPC)\n")
            complaint += full.findings;
          if (full.outcome.text != "stopped: cannot write file2: no space left on the volume (ENOSPC)")
            complaint += full.outcome.text;
          if (exists(sandbox.target("file2"))) complaint += "a partial file stayed; ";
          if (std::system(("mount -o remount,size=16m '" + sandbox.target() + "'").c_str()) != 0)
            complaint += "cannot remount; ";
          const Copied rest = run_copy(sandbox, options);
          complaint += rest.findings + differences(sandbox);
          if (rest.count("files-copied") != 4) complaint += "copied again what was there; ";
          if (std::system(("umount '" + sandbox.target() + "'").c_str()) != 0) complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("a target without a free inode, or read-only, stops the run by name") {
  CHECK(in_mount_namespace([] {
          std::string complaint;
          const Sandbox sandbox;
          mount_tmpfs(sandbox.target(), "size=2m,nr_inodes=3,mode=0755");
          make_directory(sandbox.source("d"));
          for (const char* name : {"d/a", "d/b", "d/c"}) write_file(sandbox.source(name), "");
          const Copied full = run_copy(sandbox, deleting());
          if (full.outcome.exit != 1 || full.findings.find("no-space d/") == std::string::npos)
            complaint += full.outcome.text + full.findings;
          if (std::system(("mount -o remount,ro '" + sandbox.target() + "'").c_str()) != 0)
            complaint += "cannot remount; ";
          const Copied read_only = run_copy(sandbox, deleting());
          if (read_only.outcome.exit != 1 || read_only.findings.find("read-only") == std::string::npos)
            complaint += read_only.outcome.text + read_only.findings;
          if (std::system(("umount '" + sandbox.target() + "'").c_str()) != 0) complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("a source that changes all the time is a warning in a warm pass and an error in the final one") {
  const Sandbox sandbox;
  write_file(sandbox.source("still"), "still");
  write_file(sandbox.source("busy"), std::string(30'000'000, 'x'));
  std::atomic<bool> stop{false};
  std::promise<void> begun;
  std::thread writer([&] {
    const int file = ::open(sandbox.source("busy").c_str(), O_WRONLY | O_CLOEXEC);
    for (char byte = 0; !stop; ++byte) {
      if (::pwrite(file, &byte, 1, 15'000'000) != 1) break;
      if (byte == 1) begun.set_value();
      if (byte == 100) byte = 1;
    }
    ::close(file);
  });
  begun.get_future().wait();
  CopyOptions options = deleting();
  options.bandwidth = 30'000'000;  // half a second for the second half of the file, thousands of writes
  const Copied warm = run_copy(sandbox, options);
  options.final_pass = true;
  const Copied final_pass = run_copy(sandbox, options);
  stop = true;
  writer.join();
  const std::string finding = "changed-while-copied busy: it changed while being copied\n";
  CHECK(warm.outcome.exit == 0);
  CHECK(warm.findings == finding);
  CHECK(warm.count("changed-while-copied") == 1);
  CHECK(final_pass.outcome.exit == 1);
  CHECK(final_pass.findings == finding);
  const Copied quiet = run_copy(sandbox, options);
  CHECK(quiet.outcome.exit == 0);
  CHECK(quiet.findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("a copy killed at any moment is made whole by the next run") {
  const Sandbox sandbox;
  for (int directory = 0; directory < 8; ++directory) {
    const std::string path = sandbox.source("d" + std::to_string(directory));
    make_directory(path, directory % 2 == 0 ? 0755 : 0500);
    for (int file = 0; file < 120; ++file)
      write_file(path + "/" + std::to_string(file), std::string(static_cast<std::size_t>(file) * 997, 'x'));
    make_link(path + "/7", path + "/linked");
  }
  write_file(sandbox.source("large"), std::string(20'000'000, 'l'));
  int killed = 0;
  for (useconds_t after = 1000; after < 400'000; after = after * 3 / 2) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      RecordingReporter reporter;
      ::_exit(copy(sandbox.source(), sandbox.target(), deleting(), reporter).exit);
    }
    ::usleep(after);  // where the kill falls is left to chance; every place must do
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    // Whatever has its source's time has its content.
    for (int directory = 0; directory < 8; ++directory) {
      for (int file = 0; file < 120; ++file) {
        const std::string name = "d" + std::to_string(directory) + "/" + std::to_string(file);
        struct stat source {};
        struct stat target {};
        REQUIRE(::stat(sandbox.source(name).c_str(), &source) == 0);
        if (::stat(sandbox.target(name).c_str(), &target) != 0) continue;
        const bool complete = source.st_mtim.tv_sec == target.st_mtim.tv_sec &&
                              source.st_mtim.tv_nsec == target.st_mtim.tv_nsec;
        if (complete) REQUIRE(target.st_size == source.st_size);
      }
    }
  }
  CHECK(killed > 0);
  const Copied last = run_copy(sandbox, deleting());
  CHECK(last.findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("asked to stop, it ends cleanly and says so, and the next run goes on") {
  const Sandbox sandbox;
  write_file(sandbox.source("large"), std::string(8'000'000, 'x'));
  write_file(sandbox.source("other"), "x");
  CopyOptions options = deleting();
  options.bandwidth = 1'000'000;
  std::thread asker([&] {
    // As soon as the large file is under way.
    while (!exists(sandbox.target("large"))) std::this_thread::yield();
    truenas::request_interrupt(SIGTERM);
  });
  const Copied stopped = run_copy(sandbox, options);
  asker.join();
  truenas::clear_interrupt();
  CHECK(stopped.outcome.exit == 143);
  CHECK(stopped.findings == "");
  CHECK_FALSE(exists(sandbox.target("large")));
  CHECK(run_copy(sandbox, deleting()).outcome.exit == 0);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("a file that cannot be read is named; its old copy stays") {
  const Sandbox sandbox;
  set_owner(sandbox.source(), 1000, 1000);
  set_owner(sandbox.target(), 1000, 1000);
  write_file(sandbox.source("file"), "old");
  set_owner(sandbox.source("file"), 1000, 1000);
  CopyOptions options = deleting();
  options.way = OwnerWay::as_owner;
  options.source_as_owner = true;
  REQUIRE(run_copy(sandbox, options).outcome.exit == 0);
  write_file(sandbox.source("file"), "newer", 0);
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings == "permission file: cannot open for reading: permission denied (EACCES)\n");
  CHECK(read_file(sandbox.target("file")) == "old");
}

TEST_CASE("a directory that cannot be listed removes nothing from its copy") {
  const Sandbox sandbox;
  for (const std::string& path : {sandbox.source(), sandbox.target()}) set_owner(path, 1000, 1000);
  make_directory(sandbox.source("d"), 0755);
  write_file(sandbox.source("d/file"), "x");
  set_owner(sandbox.source("d"), 1000, 1000);
  set_owner(sandbox.source("d/file"), 1000, 1000);
  CopyOptions options = deleting();
  options.way = OwnerWay::as_owner;
  options.source_as_owner = true;
  REQUIRE(run_copy(sandbox, options).outcome.exit == 0);
  set_mode(sandbox.source("d"), 0);
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings == "permission d: cannot open the directory: permission denied (EACCES)\n");
  CHECK(exists(sandbox.target("d/file")));
}
