#pragma once
// What is known of one file without reading it: the mover's values. Nothing here touches a file system.

#include <cstdint>
#include <string>

namespace truenas::mover {

enum class FileType : std::uint8_t {
  regular,
  directory,
  symlink,
  fifo,
  socket,
  block_device,
  character_device,
  unknown,  // none of POSIX' seven; never copied, always named
};

// "file", "directory", "symlink", "FIFO", "socket", "block device", "character device", "unknown".
const char* type_name(FileType type);

// Seconds since 1970-01-01T00:00:00Z, may be negative; nanoseconds 0 to 999,999,999 count forwards.
struct Timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const Timestamp&) const = default;
};
// "1700000000.123456789".
std::string time_text(Timestamp time);

// One file of one file system, by whatever name.
struct FileKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileKey&) const = default;
};

struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  auto operator<=>(const Owner&) const = default;
};

// As statx(2) gave them.
struct Attributes {
  std::uint64_t inode = 0;
  std::uint64_t device = 0;  // major << 32 | minor
  std::uint64_t rdev = 0;    // of a device file; major << 32 | minor
  std::uint64_t size = 0;    // bytes; of a symlink the length of its text
  std::uint64_t blocks = 0;  // allocated, in 512 bytes
  Timestamp mtime;
  Timestamp ctime;
  Owner owner;
  std::uint32_t links = 0;
  std::uint16_t mode = 0;  // 07777: permissions, setuid, setgid, sticky
  FileType type = FileType::unknown;
  bool mount_root = false;  // something is mounted here (STATX_ATTR_MOUNT_ROOT)

  FileKey key() const { return FileKey{device, inode}; }
};

struct Entry {
  std::string name;  // any bytes but '/' and NUL, at most 255
  Attributes attributes;
};

}  // namespace truenas::mover
