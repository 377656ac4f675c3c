#include "tests/cluster/share/identity.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace truenas::share {
namespace {

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "error: %s: %s\n", what, std::strerror(errno));
  std::_Exit(1);
}

struct Capabilities {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
};

void read_capabilities(Capabilities& now) {
  if (syscall(SYS_capget, &now.header, now.data) != 0) die("capget");
}

void write_capabilities(Capabilities& wanted) {
  if (syscall(SYS_capset, &wanted.header, wanted.data) != 0) die("capset");
}

std::vector<gid_t> parse_groups(std::string_view status) {
  constexpr std::string_view k_line = "\nGroups:";
  std::vector<gid_t> groups;
  const std::size_t begin = status.find(k_line);
  if (begin == std::string_view::npos) return groups;
  status.remove_prefix(begin + k_line.size());
  status = status.substr(0, status.find('\n'));
  for (const char* at = status.data(); at < status.data() + status.size();) {
    gid_t group = 0;
    const auto [stop, error] = std::from_chars(at, status.data() + status.size(), group);
    if (error == std::errc()) groups.push_back(group);
    at = error == std::errc() ? stop : at + 1;
  }
  return groups;
}

}  // namespace

std::vector<gid_t> groups_of(pid_t pid) {
  if (pid <= 0) return {};
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  // The line comes early: what 16 groups take fits.
  char text[4096];
  const ssize_t size = read(file, text, sizeof text);
  close(file);
  return size <= 0 ? std::vector<gid_t>{} : parse_groups({text, static_cast<std::size_t>(size)});
}

void assume(const Identity& identity) {
  // A new thread starts with the identity of the one that made it: what it has is not known until it is set.
  thread_local bool known = false;
  thread_local Identity current;
  if (known && current == identity) return;
  known = false;
  // The kernel's calls: the C library's setgroups would change every thread.
  if (syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) != 0) die("setgroups");
  setfsgid(identity.gid);
  setfsuid(identity.uid);
  const auto nobody = static_cast<unsigned>(-1);
  if (static_cast<gid_t>(setfsgid(nobody)) != identity.gid) die("setfsgid");
  if (static_cast<uid_t>(setfsuid(nobody)) != identity.uid) die("setfsuid");
  current = identity;
  known = true;
}

WithCapability::WithCapability(int capability) {
  Capabilities now;
  read_capabilities(now);
  before_[0] = now.data[0].effective;
  before_[1] = now.data[1].effective;
  now.data[CAP_TO_INDEX(capability)].effective |= CAP_TO_MASK(capability);
  write_capabilities(now);
}

WithCapability::~WithCapability() {
  Capabilities now;
  read_capabilities(now);
  now.data[0].effective = before_[0];
  now.data[1].effective = before_[1];
  write_capabilities(now);
}

}  // namespace truenas::share
