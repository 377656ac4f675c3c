#include "tests/unit/mover/scratch_tree.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace truenas::mover {
namespace {

void need(bool worked, const std::string& what) {
  if (worked) return;
  std::fprintf(stderr, "cannot %s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

}  // namespace

ScratchTree::ScratchTree() {
  std::string name = (std::filesystem::temp_directory_path() / "mover-test-XXXXXX").string();
  need(::mkdtemp(name.data()) != nullptr, "make " + name);
  path_ = name;
}

ScratchTree::~ScratchTree() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchTree::file(std::string_view name, std::string_view content) const {
  std::string path = at(name);
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  need(out.good(), "write " + path);
  return path;
}

std::string ScratchTree::directory(std::string_view name) const {
  std::string path = at(name);
  need(::mkdir(path.c_str(), 0755) == 0, "make " + path);
  return path;
}

void own(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
  need(::lchown(path.c_str(), uid, gid) == 0, "own " + path);
}
void set_mode(const std::string& path, unsigned mode) {
  need(::chmod(path.c_str(), mode) == 0, "set the mode of " + path);
}
void set_mtime(const std::string& path, std::int64_t seconds, std::int64_t nanoseconds) {
  const struct timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
  need(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, "set the time of " + path);
}
void set_xattr(const std::string& path, const char* name, std::string_view value) {
  need(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0) == 0, "set an attribute of " + path);
}
struct stat status_of(const std::string& path) {
  struct stat status {};
  need(::lstat(path.c_str(), &status) == 0, "look at " + path);
  return status;
}
std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> names_below(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    names.push_back(entry.path().lexically_relative(path).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> CollectingReporter::of(Severity severity) const {
  std::vector<std::string> result;
  for (const Finding& finding : findings) {
    if (finding.severity == severity) result.push_back(finding.kind + " " + finding.path);
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::uint64_t count_of_outcome(const Outcome& outcome, std::string_view name) {
  for (const auto& [key, value] : outcome.counts) {
    if (key == name) return value;
  }
  return 0;
}

std::string fact_of_outcome(const Outcome& outcome, std::string_view name) {
  for (const auto& [key, value] : outcome.facts) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace truenas::mover
