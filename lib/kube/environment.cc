// The real surroundings of the process.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/kube/kubeconfig.h"

namespace truenas::kube {
namespace {

constexpr std::size_t k_file_limit = std::size_t{64} << 20;
constexpr int k_poll_milliseconds = 100;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Error errno_error(int number) {
  return make_error(number == ENOENT ? Kind::not_found : Kind::config,
                    lower(std::generic_category().message(number)));
}

// Waits until a pipe has something to say; a pipe nobody writes to must not outlast Ctrl-C.
Result<void> wait_readable(int descriptor) {
  while (true) {
    if (interrupted()) return make_error(Kind::interrupted, "interrupted while reading");
    pollfd poll_entry{descriptor, POLLIN, 0};
    if (::poll(&poll_entry, 1, k_poll_milliseconds) > 0) return {};
  }
}

Result<std::string> read_whole(const std::string& path) {
  // O_NONBLOCK: opening a FIFO without a writer must not hang. Regular files do not care.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return errno_error(errno);
  struct stat status {};
  const bool pipe = ::fstat(file.number(), &status) == 0 && !S_ISREG(status.st_mode);
  std::string text;
  char buffer[65536];
  while (true) {
    if (pipe && !S_ISDIR(status.st_mode)) TM_TRY(wait_readable(file.number()));
    const ssize_t count = ::read(file.number(), buffer, sizeof buffer);
    if (count == 0) return text;
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return errno_error(errno);
    }
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > k_file_limit) return make_error(Kind::config, "file is larger than 64 MiB");
  }
}

}  // namespace

Environment process_environment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  environment.read_file = read_whole;
  std::error_code ignored;
  environment.working_directory = std::filesystem::current_path(ignored).string();
  environment.stdin_is_terminal = ::isatty(STDIN_FILENO) == 1;
  return environment;
}

}  // namespace truenas::kube
