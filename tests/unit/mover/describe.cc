// The independent description of a tree: lstat, read, readlink and the xattr calls, by path.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "tests/unit/mover/sandbox.h"

namespace truenas::mover::test {
namespace {

using Group = std::pair<dev_t, ino_t>;

// FNV-1a over eight bytes at a time: quick without an optimizer, and no difference goes unseen by accident.
std::string hash_of(const std::string& bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    hash = (hash ^ word) * 1099511628211ULL;
    hash ^= hash >> 29;
  }
  return std::to_string(hash);
}

std::string xattrs_of(const std::string& path) {
  std::string names(65536, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  std::map<std::string, std::string> all;
  for (ssize_t at = 0; at < length;) {
    const std::string name = names.c_str() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    std::string value(65536, '\0');
    const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    all[name] = value;
  }
  std::string text;
  for (const auto& [name, value] : all) text += " " + name + "=" + hash_of(value);
  return text;
}

std::string describe_one(const std::string& path, const std::string& relative,
                         std::map<Group, std::string>& groups) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return "cannot be looked at";
  char text[256];
  std::snprintf(text, sizeof text, "%o %u:%u %lld.%09ld", static_cast<unsigned>(status.st_mode),
                static_cast<unsigned>(status.st_uid), static_cast<unsigned>(status.st_gid),
                static_cast<long long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec);
  std::string description = text + xattrs_of(path);
  if (S_ISREG(status.st_mode))
    description += " " + std::to_string(status.st_size) + " " + hash_of(read_file(path));
  if (S_ISLNK(status.st_mode)) description += " -> " + std::filesystem::read_symlink(path).string();
  if (!S_ISDIR(status.st_mode) && status.st_nlink > 1)
    description += " same as " + groups.try_emplace({status.st_dev, status.st_ino}, relative).first->second +
                   " of " + std::to_string(status.st_nlink);
  return description;
}

void walk(const std::string& root, const std::string& relative, std::map<Group, std::string>& groups,
          Description& description) {
  const std::string path = relative == "." ? root : root + "/" + relative;
  description[relative] = describe_one(path, relative, groups);
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(path))) return;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    walk(root, relative == "." ? name : relative + "/" + name, groups, description);
}

}  // namespace

Description describe(const std::string& root) {
  Description description;
  std::map<Group, std::string> groups;
  walk(root, ".", groups, description);
  return description;
}

std::string differences(const Description& left, const Description& right) {
  std::string text;
  for (const auto& [path, description] : left) {
    const auto there = right.find(path);
    if (there == right.end())
      text += "only left: " + path + "\n";
    else if (there->second != description)
      text += path + "\n  left:  " + description + "\n  right: " + there->second + "\n";
  }
  for (const auto& [path, description] : right)
    if (!left.contains(path)) text += "only right: " + path + "\n";
  return text;
}

std::string differences(const Sandbox& sandbox) {
  return differences(describe(sandbox.source()), describe(sandbox.target()));
}

}  // namespace truenas::mover::test
