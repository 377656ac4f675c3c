// nfs-share: mounts a directory as an NFS client would see it on a server with the given squash rule. It
// stays in the foreground, says "mounted" on standard output when the mount is there, and ends when that is
// unmounted.

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/cluster/share/share.h"

namespace truenas::share {
namespace {

constexpr const char* k_usage =
    "usage: nfs-share --rule=RULE [--name=SERVER:PATH] [--read-only] SOURCE TARGET\n"
    "  RULE: no_root_squash, root_squash or all_squash[,anonuid=N][,anongid=N]\n";

struct Settings {
  Rule rule;
  std::string name, source, target;
  bool read_only = false;
};

bool parse_arguments(int count, char** arguments, Settings& settings) {
  bool rule_given = false;
  std::string* const places[] = {&settings.source, &settings.target};
  std::size_t place = 0;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with("--rule=")) {
      const auto rule = parse_rule(argument.substr(7));
      if (!rule) {
        std::fprintf(stderr, "error: no squash rule: %s\n", arguments[i] + 7);
        return false;
      }
      settings.rule = *rule;
      rule_given = true;
    } else if (argument.starts_with("--name=")) {
      settings.name = argument.substr(7);
    } else if (argument == "--read-only") {
      settings.read_only = true;
    } else if (argument.starts_with("-") || place == std::size(places)) {
      return false;
    } else {
      *places[place++] = argument;
    }
  }
  if (settings.name.empty()) settings.name = settings.source;
  // A comma would be taken for the end of the mount option.
  return rule_given && place == std::size(places) && settings.name.find_first_of(",\\") == std::string::npos;
}

// Descriptors for open files and for files only known; returns how many may be kept for the latter.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::size_t>(limit.rlim_cur / 2, 100000);
}

void initialize(void*, fuse_conn_info* connection) {
  constexpr unsigned k_wanted = FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_POSIX_LOCKS |
                                FUSE_CAP_FLOCK_LOCKS | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_PARALLEL_DIROPS |
                                FUSE_CAP_ASYNC_READ;
  // No write-back cache: what one client has written, another that opens the file afterwards reads.
  connection->want = k_wanted & connection->capable;
  connection->max_background = 64;
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops all{};
  all.init = initialize;
  set_name_operations(all);
  set_attribute_operations(all);
  set_extended_attribute_operations(all);
  set_file_operations(all);
  set_directory_operations(all);
  set_lock_operations(all);
  return all;
}

int serve(fuse_session* session) {
  std::puts("mounted");
  std::fflush(stdout);
  // Whoever started it may be gone before it.
  if (std::freopen("/dev/null", "w", stdout) == nullptr) return 1;
  fuse_loop_config* loop = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(loop, 0);
  fuse_loop_cfg_set_max_threads(loop, 16);
  fuse_loop_cfg_set_idle_threads(loop, 16);
  const int result = fuse_session_loop_mt(session, loop);
  fuse_loop_cfg_destroy(loop);
  return result < 0 ? 1 : 0;
}

int mount_and_serve(const Settings& settings, Share& share) {
  std::string options =
      "-oallow_other,suid,dev,subtype=nfs-share,fsname=" + settings.name + (settings.read_only ? ",ro" : "");
  char program[] = "nfs-share";
  char* arguments[] = {program, options.data(), nullptr};
  fuse_args given{2, arguments, 0};
  const fuse_lowlevel_ops all = operations();
  fuse_session* session = fuse_session_new(&given, &all, sizeof all, &share);
  if (session == nullptr) return 1;
  int result = 1;
  if (fuse_set_signal_handlers(session) == 0 && fuse_session_mount(session, settings.target.c_str()) == 0) {
    result = serve(session);
    fuse_session_unmount(session);
  }
  // Threads that wait for a lock may still be there: nothing is taken down under them.
  std::_Exit(result);
}

int refuse(const std::string& what) {
  std::fprintf(stderr, "error: %s: %s\n", what.c_str(), std::strerror(errno));
  return 1;
}

int run(int count, char** arguments) {
  Settings settings;
  if (!parse_arguments(count, arguments, settings)) {
    std::fputs(k_usage, stderr);
    return 2;
  }
  if (::access("/dev/fuse", R_OK | W_OK) != 0)
    return refuse("cannot use /dev/fuse (is the kernel's module fuse loaded?)");
  const int root = open(settings.source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return refuse("cannot open " + settings.source);
  // Taken once and given back: whoever may not do it learns so now and not at the first request.
  assume({settings.rule.anonymous_uid, settings.rule.anonymous_gid, {}});
  assume({0, 0, {}});
  umask(0);
  static Share share(settings.rule, root, raise_descriptor_limit());
  return mount_and_serve(settings, share);
}

}  // namespace
}  // namespace truenas::share

int main(int count, char** arguments) {
  return truenas::share::run(count, arguments);
}
