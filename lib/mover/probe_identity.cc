#include "lib/mover/probe_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/descriptor.h"
#include "lib/mover/identity.h"
#include "lib/mover/probe_space.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_timed_creates = 9;
constexpr std::string_view k_bytes = "volume-mover probe";

int error_of(long answer) {
  return answer >= 0 ? 0 : errno;
}

std::optional<Owner> owner_now(int file) {
  const Attempt<Attributes> attributes = read_attributes(file, Freshness::of_server);
  if (!attributes) return std::nullopt;
  return attributes->owner;
}

int try_lock(int file) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return error_of(::fcntl(file, F_OFD_SETLK, &whole));
}

// Microseconds of one exclusive create with its close: the median of a few, 0 if one fails.
std::uint64_t time_creates(int directory, Owner as) {
  std::vector<std::uint64_t> taken;
  for (std::size_t i = 0; i < k_timed_creates && !interrupted(); ++i) {
    const std::string name = probe_file(as, "create-" + std::to_string(i));
    const auto start = std::chrono::steady_clock::now();
    Descriptor file(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open() || !file.close()) return 0;
    const auto span = std::chrono::steady_clock::now() - start;
    taken.push_back(
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(span).count()));
  }
  if (taken.empty()) return 0;
  std::sort(taken.begin(), taken.end());
  return std::max<std::uint64_t>(1, taken[taken.size() / 2]);
}

}  // namespace

void observe_identity(int directory, Owner as, Owner give_to, IdentityObservation& seen) {
  const Acting acting(as);
  if (!acting.taken()) return;
  seen.chown_to = give_to;
  const std::string name = probe_file(as, "file");
  const Descriptor file(
      ::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  seen.create_error = file.is_open() ? 0 : errno;
  if (!file.is_open()) return;
  seen.created_as = owner_now(file.get());
  seen.stat_error = read_attributes(directory, name.c_str(), Freshness::of_server).number();
  const long wrote = ::write(file.get(), k_bytes.data(), k_bytes.size());
  seen.fsync_error = wrote < 0 ? errno : error_of(::fsync(file.get()));
  seen.xattr_error =
      error_of(::fsetxattr(file.get(), "user.volume-mover-probe", k_bytes.data(), k_bytes.size(), 0));
  seen.lock_error = try_lock(file.get());
  seen.link_error = error_of(::linkat(directory, name.c_str(), directory, probe_file(as, "link").c_str(), 0));
  seen.rename_error =
      error_of(::renameat(directory, name.c_str(), directory, probe_file(as, "renamed").c_str()));
  if (interrupted()) return;
  seen.create_microseconds = time_creates(directory, as);
  // Last: what was given away can no longer be worked on.
  seen.chown_error = error_of(::fchown(file.get(), give_to.uid, give_to.gid));
  seen.after_chown = owner_now(file.get());
}

}  // namespace truenas::mover
