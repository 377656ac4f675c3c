#include "lib/mover/probe_space.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/mover/directory.h"
#include "lib/mover/identity.h"
#include "lib/mover/probe.h"

namespace truenas::mover {
namespace {

constexpr std::string_view k_prefix = ".volume-mover-probe-";
constexpr std::size_t k_digits = 16;
constexpr const char* k_lock = "lock";
constexpr std::array<std::string_view, 4> k_words = {"file", "renamed", "link", "copied"};

bool all_of_set(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

bool is_probe_file(std::string_view name) {
  if (name == k_lock) return true;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || !all_of_set(name.substr(0, dot), "0123456789")) return false;
  const std::string_view what = name.substr(dot + 1);
  if (what.starts_with("create-")) return all_of_set(what.substr(7), "0123456789");
  return std::find(k_words.begin(), k_words.end(), what) != k_words.end();
}

std::string fresh_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    number = static_cast<std::uint64_t>(::getpid());
  std::string name(k_prefix);
  for (std::size_t i = 0; i < k_digits; ++i, number >>= 4) name += "0123456789abcdef"[number & 15];
  return name;
}

// Open file description locks end with the process that holds them, however it ends.
bool lock_now(int file) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(file, F_OFD_SETLK, &whole) == 0;
}

}  // namespace

bool is_probe_name(std::string_view name) {
  return name.starts_with(k_prefix) && name.size() == k_prefix.size() + k_digits &&
         all_of_set(name.substr(k_prefix.size()), "0123456789abcdef");
}

std::string probe_file(Owner as, std::string_view what) {
  return std::to_string(as.uid) + "." + std::string(what);
}

ProbeSpace::~ProbeSpace() {
  lock_ = Descriptor();
  space_ = Descriptor();
  if (!name_.empty()) remove_directory(name_);
}

int ProbeSpace::try_directory(Owner caller) {
  const Acting acting(caller);
  if (!acting.taken()) return EPERM;
  const std::string name = fresh_name();
  if (::mkdirat(root_, name.c_str(), 0777) != 0) return errno;
  if (!name_.empty()) {
    if (::unlinkat(root_, name.c_str(), AT_REMOVEDIR) != 0) remove_directory(name);
    return 0;
  }
  name_ = name;
  Attempt<Descriptor> opened = open_directory(root_, name.c_str());
  if (!opened) return opened.number();
  space_ = std::move(*opened);
  if (::fchmod(space_.get(), 0777) != 0) return errno;
  lock_ = Descriptor(::openat(space_.get(), k_lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (lock_.is_open())
    lock_now(lock_.get());  // without locks on the server a second probe is merely not seen
  return 0;
}

std::uint64_t ProbeSpace::remove_left_overs() {
  const Attempt<Listing> listing = Listing::read(root_);
  if (!listing) return 0;  // whoever may not read here has left nothing either
  std::uint64_t removed = 0;
  for (std::size_t i = 0; i < listing->size(); ++i) {
    const std::string name(listing->name(i));
    if (is_probe_name(name) && remove_directory(name)) ++removed;
  }
  return removed;
}

bool ProbeSpace::is_alive(int directory) const {
  for (const Owner& caller : callers_) {
    const Acting acting(caller);
    if (!acting.taken()) continue;
    const Descriptor file(::openat(directory, k_lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (file.is_open()) return !lock_now(file.get()) && (errno == EAGAIN || errno == EACCES);
  }
  return false;
}

bool ProbeSpace::unlink_as_any(int directory, const std::string& name, int flags) const {
  int error = 0;
  for (const Owner& caller : callers_) {
    const Acting acting(caller);
    if (!acting.taken()) continue;
    if (::unlinkat(directory, name.c_str(), flags) == 0 || errno == ENOENT) return true;
    error = errno;
  }
  errno = error;
  return false;
}

bool ProbeSpace::remove_directory(const std::string& name) {
  Descriptor directory;
  Listing listing;
  for (const Owner& caller : callers_) {
    const Acting acting(caller);
    if (!acting.taken()) continue;
    Attempt<Descriptor> opened = open_directory(root_, name.c_str());
    if (!opened) continue;
    Attempt<Listing> read = Listing::read(opened->get());
    if (!read) continue;
    directory = std::move(*opened);
    listing = std::move(*read);
    break;
  }
  if (directory.is_open()) {
    for (std::size_t i = 0; i < listing.size(); ++i) {
      if (is_probe_file(listing.name(i))) continue;
      warn("probe-left-over", name, "holds something that no probe made: left alone");
      return false;
    }
    if (is_alive(directory.get())) {
      warn("probe-left-over", name, "another probe is at work in it: left alone");
      return false;
    }
    for (std::size_t i = 0; i < listing.size(); ++i) {
      unlink_as_any(directory.get(), std::string(listing.name(i)), 0);
    }
  }
  if (unlink_as_any(root_, name, AT_REMOVEDIR)) return true;
  warn("probe-left-over", name, "cannot be removed: " + errno_text(errno));
  return false;
}

void ProbeSpace::warn(std::string kind, const std::string& name, std::string text) {
  reporter_.finding(Finding{Severity::warning, std::move(kind), name, std::move(text), 1});
}

}  // namespace truenas::mover
