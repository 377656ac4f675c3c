// Very deep, very sparse, very many.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

constexpr int k_depth = 5000;

// A chain of directories deeper than any path may be, a file at its end; by descriptors.
void make_chain(const std::string& top, int depth, const std::string& text) {
  int directory = ::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int level = 0; level < depth; ++level) {
    REQUIRE(::mkdirat(directory, "level", 0755) == 0);
    const int next = ::openat(directory, "level", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(directory);
    directory = next;
  }
  const int file = ::openat(directory, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  REQUIRE(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(file);
  ::close(directory);
}

// The depth of such a chain, and the text at its end; whether every level has the mtime of the other chain's.
int compare_chains(const std::string& left_top, const std::string& right_top, std::string& text) {
  int left = ::open(left_top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int right = ::open(right_top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int depth = 0;
  while (right >= 0) {
    struct stat left_status {};
    struct stat right_status {};
    REQUIRE(::fstat(left, &left_status) == 0);
    REQUIRE(::fstat(right, &right_status) == 0);
    if (left_status.st_mtim.tv_nsec != right_status.st_mtim.tv_nsec) break;
    const int next_left = ::openat(left, "level", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int next_right = ::openat(right, "level", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (next_right < 0) {
      const int file = ::openat(right, "file", O_RDONLY | O_CLOEXEC);
      text.resize(64);
      const ssize_t got = ::read(file, text.data(), text.size());
      text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
      ::close(file);
      break;
    }
    ::close(left);
    ::close(right);
    left = next_left;
    right = next_right;
    ++depth;
  }
  ::close(left);
  ::close(right);
  return depth;
}

// As many descriptors as a test may have, until the end of its scope.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{most, most};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("five thousand levels are copied, changed and removed with few open files") {
  const Sandbox sandbox;
  make_chain(sandbox.source(), k_depth, "at the bottom");
  write_file(sandbox.source("top"), "x");
  const FewDescriptors few(160);
  const Copied first = run_copy(sandbox, deleting());
  CHECK(first.findings == "");
  CHECK(first.count("directories-made") == k_depth);
  std::string text;
  CHECK(compare_chains(sandbox.source(), sandbox.target(), text) == k_depth);
  CHECK(text == "at the bottom");
  const Copied second = run_copy(sandbox, deleting());
  CHECK(second.findings == "");
  CHECK(second.count("kept") == 2);
  CHECK(second.count("files-copied") == 0);
  REQUIRE(std::system(("rm -rf '" + sandbox.source("level") + "'").c_str()) == 0);
  const Copied third = run_copy(sandbox, deleting());
  CHECK(third.findings == "");
  CHECK(third.count("removed") == k_depth + 1);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("holes stay holes, wherever they are") {
  const Sandbox sandbox;
  struct Piece {
    const char* name;
    off_t at;
    off_t size;
  };
  for (const Piece& piece :
       {Piece{"all hole", -1, 50 << 20}, Piece{"end", 0, 64 << 20}, Piece{"start", 60 << 20, 61 << 20},
        Piece{"middle", 30 << 20, 64 << 20}, Piece{"odd", 1234567, 7654321}, Piece{"little", 40'000, 60'000},
        Piece{"little end", 0, 50'000}}) {
    const std::string path = sandbox.source(piece.name);
    const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    REQUIRE(::ftruncate(file, piece.size) == 0);
    if (piece.at >= 0) REQUIRE(::pwrite(file, "data", 4, piece.at) == 4);
    ::close(file);
  }
  const Copied copied = run_copy(sandbox, deleting());
  CHECK(copied.findings == "");
  CHECK(differences(sandbox) == "");
  for (const char* name : {"all hole", "end", "start", "middle", "odd", "little", "little end"}) {
    CAPTURE(name);
    CHECK(blocks_of(sandbox.target(name)) <= blocks_of(sandbox.source(name)));
  }
}

TEST_CASE("inside one file system the server copies, small files too, and what it copied is counted") {
  const Sandbox sandbox;
  write_file(sandbox.source("small"), std::string(5000, 's'));
  write_file(sandbox.source("large"), std::string(5'000'000, 'l'));
  write_file(sandbox.source("empty"), "");
  const Copied copied = run_copy(sandbox, deleting());
  CHECK(copied.findings == "");
  CHECK(copied.count("bytes-copied") == 5'005'000);
  CHECK(copied.count("bytes-by-server") == 5'005'000);
  CHECK(differences(sandbox) == "");
}

TEST_CASE("between two file systems bytes go through a buffer, holes too") {
  CHECK(in_mount_namespace([] {
          const Sandbox sandbox;
          mount_tmpfs(sandbox.target(), "size=64m,mode=0755");
          write_file(sandbox.source("dense"), std::string(5'000'000, 'd'));
          const int file = ::open(sandbox.source("holes").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
          const bool made = ::ftruncate(file, 90 << 20) == 0 && ::pwrite(file, "x", 1, 50 << 20) == 1;
          ::close(file);
          const Copied copied = run_copy(sandbox, deleting());
          std::string complaint = made ? copied.findings + differences(sandbox) : "cannot make holes";
          if (copied.count("bytes-by-server") != 0) complaint += "one file system copied from another";
          if (blocks_of(sandbox.target("holes")) > 64) complaint += "holes were filled";
          if (std::system(("umount '" + sandbox.target() + "'").c_str()) != 0) complaint += "cannot unmount";
          return complaint;
        }) == "");
}

TEST_CASE("a wide directory: every name once, also beyond what one listing keeps") {
  CHECK(in_mount_namespace([] {
          const Sandbox sandbox;
          for (const std::string& side : {sandbox.source(), sandbox.target()}) mount_tmpfs(side, "mode=0755");
          for (int name = 0; name < 70'000; ++name) {
            const int file =
                ::open(sandbox.source(std::to_string(name)).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
            if (file < 0) return std::string("cannot make the files");
            ::close(file);
          }
          const Copied first = run_copy(sandbox, deleting());
          const Copied second = run_copy(sandbox, deleting());
          std::string complaint = first.findings + second.findings + differences(sandbox);
          if (first.count("files-copied") != 70'000 || second.count("kept") != 70'000)
            complaint += "wrong counts";
          for (const std::string& side : {sandbox.source(), sandbox.target()})
            if (std::system(("umount '" + side + "'").c_str()) != 0) complaint += "cannot unmount";
          return complaint;
        }) == "");
}
