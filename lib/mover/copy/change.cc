#include "lib/mover/copy/change.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "lib/mover/attributes.h"
#include "lib/mover/directory.h"
#include "lib/mover/identity.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace truenas::mover {
namespace {

// An open file, or a name in an open directory.
struct Subject {
  int descriptor;
  const char* name;  // nullptr: the open file itself

  int change_owner(std::uint32_t uid, std::uint32_t gid) const {
    return name == nullptr ? ::fchown(descriptor, uid, gid)
                           : ::fchownat(descriptor, name, uid, gid, AT_SYMLINK_NOFOLLOW);
  }
  int change_mode(std::uint16_t mode) const {
    if (name == nullptr) return ::fchmod(descriptor, mode) == 0 ? 0 : errno;
    return mover::change_mode(descriptor, name, mode).number();
  }
  int change_times(const timespec* times) const {
    return name == nullptr ? ::futimens(descriptor, times)
                           : ::utimensat(descriptor, name, times, AT_SYMLINK_NOFOLLOW);
  }
  Attempt<Attributes> read() const {
    return name == nullptr ? read_attributes(descriptor) : read_attributes(descriptor, name);
  }
};

constexpr auto k_leave = static_cast<std::uint32_t>(-1);

std::string owner_text(Owner owner) {
  return std::to_string(owner.uid) + ":" + std::to_string(owner.gid);
}

std::string mode_text(std::uint16_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) text += static_cast<char>('0' + ((mode >> shift) & 7));
  return text;
}

ChangeFailure give(const Subject& subject, OwnerWay way, Owner wanted, Owner actual) {
  if (way == OwnerWay::chown) {
    const Acting itself(std::nullopt);
    if (subject.change_owner(wanted.uid, wanted.gid) != 0) return {errno, "cannot set the owner", {}};
    return {};
  }
  // An owner may give his file to a group that he acts with; nobody may give it to another owner.
  if (actual.uid != wanted.uid)
    return {0, {}, "its owner is " + owner_text(actual) + " where " + owner_text(wanted) + " was asked for"};
  if (subject.change_owner(k_leave, wanted.gid) != 0) return {errno, "cannot set the group", {}};
  return {};
}

ChangeFailure check(const Subject& subject, const Attributes& wanted) {
  const Attempt<Attributes> now = subject.read();
  if (!now) return {now.number(), "cannot look at it after setting its attributes", {}};
  if (now->owner != wanted.owner)
    return {0,
            {},
            "its owner is " + owner_text(now->owner) + " where " + owner_text(wanted.owner) +
                " was set: the server said yes and did not do it"};
  if (wanted.type != FileType::symlink && now->mode != wanted.mode)
    return {0, {}, "its mode is " + mode_text(now->mode) + " where " + mode_text(wanted.mode) + " was set"};
  if (now->mtime != wanted.mtime)
    return {0, {}, "its modification time is not the one that was set: the file system does not keep it"};
  return {};
}

ChangeFailure set_all(const Subject& subject, OwnerWay way, const Attributes& wanted,
                      const Attributes& actual, bool times) {
  const bool owner = actual.owner != wanted.owner;
  if (owner)
    if (ChangeFailure failure = give(subject, way, wanted.owner, actual.owner); failure.failed())
      return failure;
  // chown takes setuid and setgid away, also those that were right.
  const bool mode = wanted.type != FileType::symlink &&
                    (actual.mode != wanted.mode || (owner && (wanted.mode & 06000) != 0));
  if (mode)
    if (const int number = subject.change_mode(wanted.mode)) return {number, "cannot set the mode", {}};
  if (times || actual.mtime != wanted.mtime) {
    const std::array<timespec, 2> stamps = {
        timespec{0, UTIME_OMIT},
        timespec{static_cast<time_t>(wanted.mtime.seconds), static_cast<long>(wanted.mtime.nanoseconds)}};
    if (subject.change_times(stamps.data()) != 0) return {errno, "cannot set the modification time", {}};
  }
  return check(subject, wanted);
}

}  // namespace

ChangeFailure set_attributes(int descriptor, OwnerWay way, const Attributes& wanted, const Attributes& actual,
                             bool times) {
  return set_all(Subject{descriptor, nullptr}, way, wanted, actual, times);
}

ChangeFailure set_attributes(int directory, const char* name, OwnerWay way, const Attributes& wanted,
                             const Attributes& actual, bool times) {
  return set_all(Subject{directory, name}, way, wanted, actual, times);
}

ChangeFailure set_owner(int descriptor, OwnerWay way, Owner wanted, Owner actual) {
  if (wanted == actual) return {};
  return give(Subject{descriptor, nullptr}, way, wanted, actual);
}

ChangeFailure set_owner(int directory, const char* name, OwnerWay way, Owner wanted, Owner actual) {
  if (wanted == actual) return {};
  return give(Subject{directory, name}, way, wanted, actual);
}

Attempt<void> change_mode(int directory, const char* name, std::uint16_t mode) {
  if (::syscall(SYS_fchmodat2, directory, name, static_cast<mode_t>(mode), AT_SYMLINK_NOFOLLOW) == 0)
    return {};
  // Kernels before 6.6, and seccomp profiles that do not know the call.
  if (errno != ENOSYS && errno != EPERM) return Attempt<void>::failed(errno);
  const Attempt<Descriptor> handle = find_entry(directory, name);
  if (!handle) return Attempt<void>::failed(handle.number());
  return change_mode(*handle, mode);
}

Attempt<void> change_mode(const Descriptor& handle, std::uint16_t mode) {
  const Attempt<Attributes> attributes = read_attributes(handle.get());
  if (!attributes) return Attempt<void>::failed(attributes.number());
  if (attributes->type == FileType::symlink) return Attempt<void>::failed(EOPNOTSUPP);
  if (::chmod(handle_path(handle).c_str(), mode) != 0) return Attempt<void>::failed(errno);
  return {};
}

}  // namespace truenas::mover
