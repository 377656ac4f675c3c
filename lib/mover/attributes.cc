#include "lib/mover/attributes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif

namespace truenas::mover {
namespace {

// Not the time of the last access: reading a file over NFS makes it unknown, and asking for it costs an RPC.
constexpr unsigned k_wanted = STATX_BASIC_STATS & ~STATX_ATIME;

FileType type_of(unsigned mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::regular;
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symlink;
    case S_IFIFO:
      return FileType::fifo;
    case S_IFSOCK:
      return FileType::socket;
    case S_IFBLK:
      return FileType::block_device;
    case S_IFCHR:
      return FileType::character_device;
    default:
      return FileType::unknown;
  }
}

int flag_of(Freshness freshness) {
  switch (freshness) {
    case Freshness::at_hand:
      return AT_STATX_DONT_SYNC;
    case Freshness::of_server:
      return AT_STATX_FORCE_SYNC;
    case Freshness::usual:
      break;
  }
  return AT_STATX_SYNC_AS_STAT;
}

std::uint64_t device_of(std::uint32_t major, std::uint32_t minor) {
  return (static_cast<std::uint64_t>(major) << 32) | minor;
}

Attempt<Attributes> ask(int directory, const char* name, int flags) {
  struct statx raw {};
  // The raw call: older C libraries emulate statx with stat, which drops the flags.
  if (::syscall(SYS_statx, directory, name, flags | AT_NO_AUTOMOUNT, k_wanted, &raw) != 0)
    return Attempt<Attributes>::failed(errno);
  Attributes attributes;
  attributes.inode = raw.stx_ino;
  attributes.device = device_of(raw.stx_dev_major, raw.stx_dev_minor);
  attributes.rdev = device_of(raw.stx_rdev_major, raw.stx_rdev_minor);
  attributes.size = raw.stx_size;
  attributes.blocks = raw.stx_blocks;
  attributes.mtime = Timestamp{raw.stx_mtime.tv_sec, raw.stx_mtime.tv_nsec};
  attributes.ctime = Timestamp{raw.stx_ctime.tv_sec, raw.stx_ctime.tv_nsec};
  attributes.owner = Owner{raw.stx_uid, raw.stx_gid};
  attributes.links = raw.stx_nlink;
  attributes.mode = static_cast<std::uint16_t>(raw.stx_mode & 07777);
  attributes.type = type_of(raw.stx_mode);
  attributes.mount_root = (raw.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return attributes;
}

}  // namespace

Attempt<Attributes> read_attributes(int descriptor, Freshness freshness) {
  return ask(descriptor, "", AT_EMPTY_PATH | flag_of(freshness));
}

Attempt<Attributes> read_attributes(int directory, const char* name, Freshness freshness) {
  return ask(directory, name, AT_SYMLINK_NOFOLLOW | flag_of(freshness));
}

Attempt<Attributes> read_attributes_of_path(const char* path) {
  return ask(AT_FDCWD, path, AT_STATX_FORCE_SYNC);
}

}  // namespace truenas::mover
