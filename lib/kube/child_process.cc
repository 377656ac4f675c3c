#include "lib/kube/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"

namespace truenas::kube {
namespace {

constexpr int k_tick_milliseconds = 20;
constexpr int k_ticks_to_obey = 100;    // 2 s between SIGTERM and SIGKILL
constexpr int k_ticks_after_exit = 50;  // 1 s for what a grandchild still writes

std::string reason(int number) {
  return lower(std::generic_category().message(number));
}

class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void prepare(const ChildProgram& program, int output) {
    if (!program.inherit_stdin) {
      ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    sigset_t none, ours;
    sigemptyset(&none);
    sigemptyset(&ours);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&ours, number);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &ours);  // what we ignore, the program must not
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// One running child and the reading end of its stdout. Ends the child when it goes out of scope.
class Child {
 public:
  Child(pid_t pid, int output) : pid_(pid), output_(output) {}
  ~Child() {
    end();
    ::close(output_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits one tick for output. False once the output has ended.
  bool read_some(std::string& text) {
    if (output_ended_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(k_tick_milliseconds));
      return false;
    }
    pollfd entry{output_, POLLIN, 0};
    quiet_ = ::poll(&entry, 1, k_tick_milliseconds) <= 0;
    if (quiet_) return true;
    char buffer[16384];
    const ssize_t count = ::read(output_, buffer, sizeof buffer);
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) output_ended_ = true;
    return !output_ended_;
  }
  bool quiet() const { return quiet_ || output_ended_; }
  bool output_ended() const { return output_ended_; }

  // True once the child has ended; then status() tells how.
  bool ended() {
    if (pid_ <= 0) return true;
    const pid_t got = ::waitpid(pid_, &status_, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return false;
    pid_ = -1;
    return true;
  }
  int status() const { return status_; }

 private:
  void end() {
    if (ended()) return;
    ::kill(pid_, SIGTERM);
    for (int tick = 0; tick < k_ticks_to_obey; ++tick) {
      if (ended()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(k_tick_milliseconds));
    }
    ::kill(pid_, SIGKILL);
    while (!ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  pid_t pid_;
  int output_;
  int status_ = 0;
  bool output_ended_ = false, quiet_ = false;
};

Result<ChildOutcome> follow(Child& child, std::size_t limit) {
  ChildOutcome outcome;
  int silent_ticks = 0;
  while (true) {
    child.read_some(outcome.output);
    if (outcome.output.size() > limit) {
      return make_error(Kind::format, "it wrote more than " + std::to_string(limit) + " bytes");
    }
    if (interrupted()) return make_error(Kind::interrupted, "interrupted");
    if (!child.ended()) continue;
    // The program is gone; a process it left behind may hold its output open, but not for ever.
    if (child.output_ended()) break;
    silent_ticks = child.quiet() ? silent_ticks + 1 : 0;
    if (silent_ticks > k_ticks_after_exit) break;
  }
  const int status = child.status();
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

}  // namespace

Result<ChildOutcome> run_child(const ChildProgram& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return make_error(Kind::config, "pipe: " + reason(errno));
  SpawnSettings settings;
  settings.prepare(program, ends[1]);
  std::vector<char*> arguments = pointers(program.arguments);
  std::vector<char*> environment = pointers(program.environment);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.path.c_str(), settings.actions(), settings.attributes(),
                                   arguments.data(), environment.data());
  ::close(ends[1]);
  if (failed != 0) {
    ::close(ends[0]);
    return make_error(failed == ENOENT ? Kind::not_found : Kind::config, reason(failed));
  }
  Child child(pid, ends[0]);
  return follow(child, program.output_limit);
}

std::optional<std::string> find_executable(const std::string& command, const std::string& path_variable) {
  const auto executable = [](const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
  };
  if (contains(command, "/")) return executable(command) ? std::optional(command) : std::nullopt;
  if (command.empty()) return std::nullopt;
  for (const std::string& directory : split(path_variable, ':')) {
    if (directory.empty() || directory.front() != '/') continue;
    std::string path = directory + "/" + command;
    if (executable(path)) return path;
  }
  return std::nullopt;
}

}  // namespace truenas::kube
