// Servers that answer otherwise than this machine's file systems: the linker's --wrap puts a test's own
// answer in place of a call's. And the order and kind of calls that only an unreliable network or a power
// failure would show.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <set>

#include "lib/mover/compare.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

// What the wrapped calls do in this test. Tests here copy with one worker, so nothing of it is locked.
struct Answers {
  ino_t without_xattrs = 0;                  // this file's list of extended attributes is not supported
  bool all_is_hole = false;                  // nobody finds data anywhere
  ino_t folding = 0;                         // this directory ignores case, and keeps it
  std::map<std::string, std::string> names;  // there: in lower case, to the first one
  std::set<std::string> asked_of_server;     // names whose attributes no cache may have answered
  std::string order;                         // f: data flushed, t: time set, of regular files
};
Answers g_answers;

struct stat look(int descriptor) {
  struct stat status {};
  ::fstat(descriptor, &status);
  return status;
}

// The name by which a directory that folds knows this one.
const char* folded(int directory, const char* name) {
  if (g_answers.folding == 0 || *name == '\0' || look(directory).st_ino != g_answers.folding) return name;
  std::string lower = name;
  for (char& letter : lower) letter = static_cast<char>(::tolower(static_cast<unsigned char>(letter)));
  return g_answers.names.try_emplace(lower, name).first->second.c_str();
}

CopyOptions one_worker() {
  CopyOptions options = deleting();
  options.workers = 1;
  return options;
}

void make_sparse(const std::string& path, bool data) {
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  REQUIRE(::ftruncate(file, 8 << 20) == 0);
  if (data) REQUIRE(::pwrite(file, "precious", 8, 5 << 20) == 8);
  ::close(file);
  set_mtime(path, 1000, 0);
}

}  // namespace

extern "C" {
off_t __real_lseek(int file, off_t at, int whence);
ssize_t __real_flistxattr(int file, char* list, std::size_t size);
int __real_openat(int directory, const char* name, int flags, ...);
int __real_mkdirat(int directory, const char* name, mode_t mode);
int __real_fdatasync(int file);
int __real_futimens(int file, const struct timespec* times);
long __real_syscall(long number, ...);

off_t __wrap_lseek(int file, off_t at, int whence) {
  if (g_answers.all_is_hole && whence == SEEK_DATA) {
    errno = ENXIO;
    return -1;
  }
  return __real_lseek(file, at, whence);
}

ssize_t __wrap_flistxattr(int file, char* list, std::size_t size) {
  if (g_answers.without_xattrs != 0 && look(file).st_ino == g_answers.without_xattrs) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return __real_flistxattr(file, list, size);
}

int __wrap_openat(int directory, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return __real_openat(directory, folded(directory, name), flags, mode);
}

int __wrap_mkdirat(int directory, const char* name, mode_t mode) {
  return __real_mkdirat(directory, folded(directory, name), mode);
}

int __wrap_fdatasync(int file) {
  if (S_ISREG(look(file).st_mode)) g_answers.order += 'f';
  return __real_fdatasync(file);
}

int __wrap_futimens(int file, const struct timespec* times) {
  if (S_ISREG(look(file).st_mode)) g_answers.order += 't';
  return __real_futimens(file, times);
}

// Like the C library's own it reads six words, however many were passed.
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
  long words[6];
  va_list more;
  va_start(more, number);
  for (long& word : words) word = va_arg(more, long);
  va_end(more);
  if (number == SYS_statx) {
    const auto directory = static_cast<int>(words[0]);
    const auto* name = reinterpret_cast<const char*>(words[1]);
    if ((words[2] & AT_STATX_FORCE_SYNC) != 0) g_answers.asked_of_server.insert(name);
    words[1] = reinterpret_cast<long>(folded(directory, name));
  }
  return __real_syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
}  // extern "C"

TEST_CASE("one file without extended attributes takes no other file's away") {
  const Sandbox sandbox;
  g_answers = {};
  for (const char* name : {"a", "b"}) {
    write_file(sandbox.source(name), name);
    set_xattr(sandbox.source(name), "user.key", name);
  }
  g_answers.without_xattrs = inode_of(sandbox.source("a"));
  CHECK(run_copy(sandbox, one_worker()).findings == "");
  g_answers = {};
  CHECK(describe(sandbox.source()).at("b") == describe(sandbox.target()).at("b"));
}

TEST_CASE("data that a source calls a hole is lost by copy and found by compare") {
  const Sandbox sandbox;
  g_answers = {};
  make_sparse(sandbox.source("sparse"), true);
  g_answers.all_is_hole = true;
  REQUIRE(run_copy(sandbox, one_worker()).outcome.exit == 0);
  REQUIRE(blocks_of(sandbox.target("sparse")) == 0);
  const auto source = Root::open(sandbox.source(), {});
  const auto target = Root::open(sandbox.target(), {});
  RecordingReporter reporter;
  CHECK(compare(*source, *target, CompareOptions{}, reporter).exit == 3);
  CHECK(reporter.all() == "content sparse: differs from byte 5242880 on\n");
  g_answers = {};
}

TEST_CASE("two names that the target takes for one are both named, and neither is written into the other") {
  const Sandbox sandbox;
  g_answers = {};
  write_file(sandbox.source("README"), "");
  write_file(sandbox.source("readme"), "content");
  make_directory(sandbox.source("Dir"));
  make_directory(sandbox.source("dir"));
  write_file(sandbox.source("dir/file"), "x");
  g_answers.folding = inode_of(sandbox.target());
  const Copied copied = run_copy(sandbox, one_worker());
  g_answers = {};
  CHECK(copied.outcome.exit == 1);
  CHECK(copied.findings.find("names-collide readme: the target takes this name and README for one") !=
        std::string::npos);
  CHECK((copied.findings.find("names-collide dir: the target takes this name and Dir for one") !=
             std::string::npos ||
         copied.findings.find("names-collide Dir: the target takes this name and dir for one") !=
             std::string::npos));
  CHECK(read_file(sandbox.target("README")) == "");
  CHECK_FALSE(exists(sandbox.target("readme")));
}

TEST_CASE(
    "the final pass decides by attributes that the server was asked for, a warm one by what is at hand") {
  const Sandbox sandbox;
  make_directory(sandbox.source("d"));
  for (const char* name : {"one", "d/two"}) write_file(sandbox.source(name), "x");
  CopyOptions options = one_worker();
  g_answers = {};
  REQUIRE(run_copy(sandbox, options).outcome.exit == 0);
  CHECK_FALSE(g_answers.asked_of_server.contains("two"));
  options.final_pass = true;
  g_answers = {};
  REQUIRE(run_copy(sandbox, options).outcome.exit == 0);
  for (const char* name : {"one", "two", "d"}) CHECK(g_answers.asked_of_server.contains(name));
}

TEST_CASE("compare asks the server about what it does not open") {
  const Sandbox sandbox;
  make_symlink("text", sandbox.source("link"));
  make_fifo(sandbox.source("fifo"));
  REQUIRE(run_copy(sandbox, one_worker()).outcome.exit == 0);
  const auto source = Root::open(sandbox.source(), {});
  const auto target = Root::open(sandbox.target(), {});
  CompareOptions options;
  options.workers = 1;
  RecordingReporter reporter;
  g_answers = {};
  CHECK(compare(*source, *target, options, reporter).exit == 0);
  for (const char* name : {"link", "fifo"}) CHECK(g_answers.asked_of_server.contains(name));
}

TEST_CASE("a file's time is set when its data is on the disk") {
  const Sandbox sandbox;
  write_file(sandbox.source("file"), std::string(100'000, 'x'));
  write_file(sandbox.source("empty"), "");
  make_sparse(sandbox.source("sparse"), true);
  g_answers = {};
  REQUIRE(run_copy(sandbox, one_worker()).outcome.exit == 0);
  CHECK(g_answers.order == "tftft");
}
