#include "tests/unit/mover/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace truenas::mover::test {
namespace {

void must(bool worked, const std::string& what) {
  if (worked) return;
  std::fprintf(stderr, "cannot set up the test: %s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

struct stat look(const std::string& path) {
  struct stat status {};
  must(::lstat(path.c_str(), &status) == 0, "lstat " + path);
  return status;
}

// File systems stamp their files by this clock.
void await_next_tick() {
  timespec start{};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &start);
  do ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  while (now.tv_nsec == start.tv_nsec && now.tv_sec == start.tv_sec);
}

}  // namespace

Sandbox::Sandbox(const std::string& where) {
  const std::string folder = where.empty() ? std::filesystem::temp_directory_path().string() : where;
  path_ = folder + "/unit-mover-XXXXXX";
  must(::mkdtemp(path_.data()) != nullptr, "mkdtemp");
  set_mode(path_, 0755);
  make_directory(source());
  make_directory(target());
}

Sandbox::~Sandbox() {
  // Not std::filesystem: it recurses by path, and some trees here are deeper than that allows.
  const std::string command = "rm -rf --one-file-system '" + path_ + "'";
  if (std::system(command.c_str()) != 0) std::fprintf(stderr, "cannot remove %s\n", path_.c_str());
}

void make_directory(const std::string& path, unsigned mode) {
  must(::mkdir(path.c_str(), 0700) == 0, "mkdir " + path);
  set_mode(path, mode);
}

void write_file(const std::string& path, const std::string& content, unsigned mode) {
  {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    must(file.good(), "write " + path);
  }
  set_mode(path, mode);
}

void make_symlink(const std::string& text, const std::string& path) {
  must(::symlink(text.c_str(), path.c_str()) == 0, "symlink " + path);
}

void make_link(const std::string& old_path, const std::string& path) {
  must(::link(old_path.c_str(), path.c_str()) == 0, "link " + path);
}

void make_fifo(const std::string& path, unsigned mode) {
  must(::mkfifo(path.c_str(), 0600) == 0, "mkfifo " + path);
  set_mode(path, mode);
}

void make_socket(const std::string& path) {
  must(::mknod(path.c_str(), S_IFSOCK | 0600, 0) == 0, "mknod " + path);
}

void set_owner(const std::string& path, uid_t uid, gid_t gid) {
  must(::lchown(path.c_str(), uid, gid) == 0, "lchown " + path);
}

void set_mode(const std::string& path, unsigned mode) {
  must(::chmod(path.c_str(), mode) == 0, "chmod " + path);
}

void set_mtime(const std::string& path, std::int64_t seconds, long nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {static_cast<time_t>(seconds), nanoseconds}};
  must(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, "utimensat " + path);
}

void set_xattr(const std::string& path, const std::string& name, const std::string& value) {
  must(::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) == 0, "setxattr " + path);
}

void rename_path(const std::string& from, const std::string& to) {
  must(::rename(from.c_str(), to.c_str()) == 0, "rename " + from);
}

void remove_path(const std::string& path) {
  must(std::filesystem::remove_all(path) > 0, "remove " + path);
}

std::string read_file(const std::string& path) {
  std::string bytes(static_cast<std::size_t>(look(path).st_size), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  must(file.gcount() == static_cast<std::streamsize>(bytes.size()), "read " + path);
  return bytes;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

unsigned mode_of(const std::string& path) {
  return look(path).st_mode & 07777;
}
std::uint64_t inode_of(const std::string& path) {
  return look(path).st_ino;
}
std::uint64_t blocks_of(const std::string& path) {
  return static_cast<std::uint64_t>(look(path).st_blocks);
}

void RecordingReporter::progress(const Progress&) {}

void RecordingReporter::finding(const Finding& finding) {
  const std::lock_guard lock(mutex_);
  findings_.push_back(finding);
}

void RecordingReporter::result(const Outcome&) {}

std::vector<std::string> RecordingReporter::of_kind(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const Finding& finding : findings_)
    if (finding.kind == kind) texts.push_back(finding.path + ": " + finding.text);
  return texts;
}

std::string RecordingReporter::all() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const Finding& finding : findings_)
    text += finding.kind + " " + finding.path + ": " + finding.text + "\n";
  return text;
}

std::uint64_t Copied::count(const std::string& name) const {
  for (const auto& [key, value] : outcome.counts)
    if (key == name) return value;
  return 0;
}

CopyOptions deleting() {
  CopyOptions options;
  options.remove_extraneous = true;
  return options;
}

CopyOptions deleting_slowly() {
  CopyOptions options = deleting();
  options.bandwidth = 1'000'000;
  return options;
}

Copied run_copy(const Sandbox& sandbox, const CopyOptions& options) {
  // A file that is copied within the clock's tick in which it was made is copied once more by the next run.
  await_next_tick();
  RecordingReporter reporter;
  Copied copied;
  copied.outcome = copy(sandbox.source(), sandbox.target(), options, reporter);
  copied.findings = reporter.all();
  return copied;
}

std::string in_mount_namespace(const std::function<std::string()>& body) {
  int ends[2] = {-1, -1};
  must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  const pid_t child = ::fork();
  must(child >= 0, "fork");
  if (child == 0) {
    ::close(ends[0]);
    must(::unshare(CLONE_NEWNS) == 0, "unshare");
    must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
    const std::string complaint = body();
    must(::write(ends[1], complaint.data(), complaint.size()) == static_cast<ssize_t>(complaint.size()),
         "write");
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string complaint;
  char block[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], block, sizeof block)) > 0;)
    complaint.append(block, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  must(::waitpid(child, &status, 0) == child, "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) complaint += "the process of the test died";
  return complaint;
}

void mount_tmpfs(const std::string& path, const std::string& options) {
  must(::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0, "mount tmpfs on " + path);
}

void mount_bind(const std::string& from, const std::string& path) {
  must(::mount(from.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0, "bind " + from + " on " + path);
}

}  // namespace truenas::mover::test
