// Source and target that are one, or one inside the other, where device numbers do not tell. Two names of one
// NFS server are stood for by an overlay: the same directories with the same numbers and times on another
// device, and what is made in the one is in the other.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/apart.h"
#include "lib/mover/nonce.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

constexpr const char* k_left = ".volume-mover-0123456789abcdef0123456789abcdef.nonce";

// "real" and "other" are one tree under two device numbers; unmounted at the end.
class TwoNames {
 public:
  TwoNames() {
    mount_tmpfs(sandbox_.target(), "mode=0755");
    for (const char* name : {"real", "none", "work", "other"}) make_directory(at(name));
    make_directory(real("sub"));
    write_file(real("sub/file"), "below");
    write_file(real("precious"), "must stay");
    make_directory(real("sub/sub"));
    make_directory(real("volume"));  // a name that is not in it
    write_file(real("volume/file"), "below");
    const std::string layers =
        "lowerdir=" + at("none") + ",upperdir=" + at("real") + ",workdir=" + at("work");
    mounted_ = ::mount("overlay", at("other").c_str(), "overlay", 0, layers.c_str()) == 0;
  }
  ~TwoNames() {
    for (const std::string& path : {at("other"), sandbox_.target()}) ::umount2(path.c_str(), MNT_DETACH);
  }
  TwoNames(const TwoNames&) = delete;
  TwoNames& operator=(const TwoNames&) = delete;
  std::string at(const std::string& name) const { return sandbox_.target(name); }
  std::string real(const std::string& name = "") const {
    return at("real" + (name.empty() ? "" : "/" + name));
  }
  std::string other(const std::string& name = "") const {
    return at("other" + (name.empty() ? "" : "/" + name));
  }

  // That the copy ended with `exit` saying `reason`, changed nothing that must stay, and left no nonce.
  std::string complaint_about(const std::string& source, const std::string& target, int exit,
                              const std::string& reason, const std::vector<std::string>& stay) const {
    if (!mounted_) return "cannot mount an overlay";
    CopyOptions options = deleting();
    options.accept_unrelated = true;
    RecordingReporter reporter;
    const Description before = describe(real());
    const Outcome outcome = copy(source, target, options, reporter);
    std::string complaint = outcome.exit == 4 ? differences(before, describe(real())) : "";
    if (outcome.exit != exit) complaint += "exit " + std::to_string(outcome.exit) + "; ";
    if (outcome.text.find(reason) == std::string::npos) complaint += "says: " + outcome.text + "; ";
    for (const std::string& file : stay)
      if (!exists(real(file))) complaint += file + " is lost; ";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(real()))
      if (is_nonce_name(entry.path().filename().string())) complaint += "a nonce stayed; ";
    return complaint;
  }

 private:
  Sandbox sandbox_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("what a nonce is called") {
  CHECK(is_nonce_name(k_left));
  for (const char* name :
       {"", ".nonce", ".volume-mover-.nonce", ".volume-mover-0123456789abcdef0123456789abcdeF.nonce",
        ".volume-mover-0123456789abcdef0123456789abcdef.nonces",
        "volume-mover-0123456789abcdef0123456789abcdef.nonce",
        ".volume-mover-0123456789abcdef0123456789abcde.nonce"})
    CHECK_FALSE(is_nonce_name(name));
  Attributes attributes;
  attributes.type = FileType::regular;
  CHECK(is_nonce(k_left, attributes));
  attributes.size = 1;  // somebody has made something of it
  CHECK_FALSE(is_nonce(k_left, attributes));
  attributes.size = 0;
  attributes.type = FileType::directory;
  CHECK_FALSE(is_nonce(k_left, attributes));
}

TEST_CASE("two looks at one directory through two mounts differ in the device only") {
  Attributes one;
  one.type = FileType::directory;
  one.device = 41;
  one.inode = 34;
  one.mtime = Timestamp{100, 1};
  one.ctime = Timestamp{200, 2};
  one.owner = Owner{1000, 1000};
  Attributes other = one;
  other.device = 52;
  other.owner = Owner{65534, 65534};  // another idea of who is who
  CHECK(may_be_one(one, other));
  other.ctime.nanoseconds = 3;  // the roots of two data sets have the same number
  CHECK_FALSE(may_be_one(one, other));
  other = one;
  other.inode = 35;
  CHECK_FALSE(may_be_one(one, other));
}

TEST_CASE("one directory under two names is refused as source and target") {
  CHECK(in_mount_namespace([] {
          const TwoNames names;
          const std::string reason = "are the same directory under two names";
          const std::vector<std::string> all = {"precious", "sub/file", "volume/file"};
          return names.complaint_about(names.real(), names.other(), 4, reason, all) +
                 names.complaint_about(names.other(), names.real(), 4, reason, all);
        }) == "");
}

TEST_CASE("a target inside its source, under another name, is refused before anything is made in it") {
  CHECK(in_mount_namespace([] {
          const TwoNames names;
          return names.complaint_about(names.real(), names.other("sub/sub"), 4,
                                       "sub/sub of the source is the target",
                                       {"precious", "sub/file", "volume/file"});
        }) == "");
}

TEST_CASE("a source inside its target, under another name, is neither removed nor filled") {
  for (const std::string inside : {"sub", "volume"}) {
    CAPTURE(inside);
    CHECK(in_mount_namespace([&] {
            const TwoNames names;
            return names.complaint_about(names.real(inside), names.other(), 1, "is the source",
                                         {inside + "/file"});
          }) == "");
  }
}

TEST_CASE("between two volumes the target's root has a nonce only while the copy runs") {
  CHECK(in_mount_namespace([] {
          std::string complaint;
          const Sandbox sandbox;
          mount_tmpfs(sandbox.target(), "mode=0755");
          write_file(sandbox.source("large"), std::string(3'000'000, 'x'));
          set_mtime(sandbox.source(), 1000, 7);
          const auto nonces = [&] {
            int found = 0;
            for (const auto& entry : std::filesystem::directory_iterator(sandbox.target()))
              found += is_nonce_name(entry.path().filename().string()) ? 1 : 0;
            return found;
          };
          // Killed in the middle: it stays, and the next run knows it.
          const pid_t child = ::fork();
          if (child == 0) {
            CopyOptions options = deleting();
            options.bandwidth = 1'000'000;
            RecordingReporter reporter;
            ::_exit(copy(sandbox.source(), sandbox.target(), options, reporter).exit);
          }
          while (!exists(sandbox.target("large"))) ::usleep(100);
          if (nonces() != 1) complaint += "no nonce; ";
          ::kill(child, SIGKILL);
          ::waitpid(child, nullptr, 0);
          if (nonces() != 1) complaint += "no nonce left; ";
          for (const bool remove : {false, true}) {
            write_file(sandbox.target(k_left), "");
            CopyOptions options;
            options.remove_extraneous = remove;
            const Copied copied = run_copy(sandbox, options);
            complaint += copied.findings + differences(sandbox);
          }
          ::umount2(sandbox.target().c_str(), MNT_DETACH);
          return complaint;
        }) == "");
}

TEST_CASE("a target's root that its owner has closed is opened for the nonce and closed again") {
  CHECK(in_mount_namespace([] {
          std::string complaint;
          const Sandbox sandbox;
          mount_tmpfs(sandbox.target(), "mode=0500,uid=1000,gid=1000");
          write_file(sandbox.source("file"), "x");
          set_owner(sandbox.source("file"), 1000, 1000);
          set_owner(sandbox.source(), 1000, 1000);
          set_mode(sandbox.source(), 0500);
          CopyOptions options = deleting();
          options.way = OwnerWay::as_owner;
          for (const char* run : {"first", "second"}) {
            const Copied copied = run_copy(sandbox, options);
            complaint += copied.findings + differences(sandbox);
            if (copied.outcome.exit != 0) complaint += run + copied.outcome.text;
          }
          ::umount2(sandbox.target().c_str(), MNT_DETACH);
          return complaint;
        }) == "");
}

TEST_CASE("one closed directory under two names is refused as it is") {
  CHECK(in_mount_namespace([] {
          const TwoNames names;
          set_owner(names.real(), 1000, 1000);
          set_mode(names.real(), 0500);
          CopyOptions options = deleting();
          options.way = OwnerWay::as_owner;
          const Description before = describe(names.real());
          RecordingReporter reporter;
          const Outcome outcome = copy(names.real(), names.other(), options, reporter);
          const std::string changes = differences(before, describe(names.real()));
          return outcome.exit == 4 ? changes : outcome.text + changes;
        }) == "");
}

TEST_CASE("a closed target inside its source, under another name, is refused and left as it is") {
  CHECK(in_mount_namespace([] {
          const TwoNames names;
          for (const char* name : {"", "sub", "sub/sub"}) set_owner(names.real(name), 1000, 1000);
          set_mode(names.real("sub/sub"), 0500);
          CopyOptions options = deleting();
          options.way = OwnerWay::as_owner;
          const Description before = describe(names.real());
          RecordingReporter reporter;
          const Outcome outcome = copy(names.real(), names.other("sub/sub"), options, reporter);
          const std::string changes = differences(before, describe(names.real())) + reporter.all();
          return outcome.exit == 4 ? changes : outcome.text + changes;
        }) == "");
}

TEST_CASE("what a killed run left in a volume that is the source now is not content") {
  const Sandbox sandbox;
  write_file(sandbox.source(k_left), "");
  write_file(sandbox.target("precious"), "x");
  RecordingReporter reporter;
  CHECK(copy(sandbox.source(), sandbox.target(), deleting(), reporter).exit == 4);  // an empty source
  write_file(sandbox.source("precious"), "y");
  CopyOptions options = deleting();
  options.final_pass = true;
  const Copied copied = run_copy(sandbox, options);
  CHECK(copied.findings == "");
  CHECK_FALSE(exists(sandbox.target(k_left)));
  CHECK(read_file(sandbox.target("precious")) == "y");
}
