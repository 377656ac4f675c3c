// Attributes, the right to access, and the file system's size.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/cluster/share/share.h"

namespace truenas::share {
namespace {

void reply_attributes(fuse_req_t request, int object) {
  struct stat attributes {};
  if (fstatat(object, "", &attributes, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return reply_errno(request);
  fuse_reply_attr(request, &attributes, k_attributes_last);
}

void get_attributes(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  const Held object = share_of(request).inodes.find(node);
  if (!object) return reply_errno(request);
  reply_attributes(request, object->number());
}

int change_owner(int object, const struct stat& wanted, int which) {
  if ((which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) == 0) return 0;
  const uid_t uid = (which & FUSE_SET_ATTR_UID) != 0 ? wanted.st_uid : static_cast<uid_t>(-1);
  const gid_t gid = (which & FUSE_SET_ATTR_GID) != 0 ? wanted.st_gid : static_cast<gid_t>(-1);
  return fchownat(object, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

int change_mode(int object, const struct stat& wanted, int which) {
  if ((which & FUSE_SET_ATTR_MODE) == 0) return 0;
  return fchmodat(AT_FDCWD, ProcPath(object), wanted.st_mode & 07777, 0);
}

// An open file may be cut by whoever opened it for writing, whatever its mode says by now.
int change_size(int object, const struct stat& wanted, int which, const fuse_file_info* info) {
  if ((which & FUSE_SET_ATTR_SIZE) == 0) return 0;
  if (info != nullptr) return ftruncate(open_file(info).descriptor, wanted.st_size);
  return truncate(ProcPath(object), wanted.st_size);
}

timespec time_for(const timespec& wanted, bool set, bool now) {
  if (now) return {0, UTIME_NOW};
  return set ? wanted : timespec{0, UTIME_OMIT};
}

int change_times(int object, const struct stat& wanted, int which) {
  constexpr int k_times =
      FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
  if ((which & k_times) == 0) return 0;
  const timespec times[2] = {
      time_for(wanted.st_atim, (which & FUSE_SET_ATTR_ATIME) != 0, (which & FUSE_SET_ATTR_ATIME_NOW) != 0),
      time_for(wanted.st_mtim, (which & FUSE_SET_ATTR_MTIME) != 0, (which & FUSE_SET_ATTR_MTIME_NOW) != 0)};
  return utimensat(object, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

void set_attributes(fuse_req_t request, fuse_ino_t node, struct stat* wanted, int which,
                    fuse_file_info* info) {
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  const int number = object->number();
  // The owner before the mode: a change of owner takes set-user-ID away.
  if (change_owner(number, *wanted, which) != 0 || change_mode(number, *wanted, which) != 0 ||
      change_size(number, *wanted, which, info) != 0 || change_times(number, *wanted, which) != 0) {
    return reply_errno(request);
  }
  reply_attributes(request, number);
}

// By the calling thread's fsuid: the C library would ask for the real one.
void access(fuse_req_t request, fuse_ino_t node, int mask) {
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  reply_result(request, syscall(SYS_faccessat2, object->number(), "", mask, AT_EMPTY_PATH | AT_EACCESS));
}

void file_system_size(fuse_req_t request, fuse_ino_t) {
  struct statvfs size {};
  if (fstatvfs(share_of(request).inodes.root(), &size) != 0) return reply_errno(request);
  fuse_reply_statfs(request, &size);
}

}  // namespace

void set_attribute_operations(fuse_lowlevel_ops& operations) {
  operations.getattr = get_attributes;
  operations.setattr = set_attributes;
  operations.access = access;
  operations.statfs = file_system_size;
}

}  // namespace truenas::share
