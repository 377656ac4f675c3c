#include "lib/mover/entry.h"

namespace truenas::mover {

const char* type_name(FileType type) {
  switch (type) {
    case FileType::regular:
      return "file";
    case FileType::directory:
      return "directory";
    case FileType::symlink:
      return "symlink";
    case FileType::fifo:
      return "FIFO";
    case FileType::socket:
      return "socket";
    case FileType::block_device:
      return "block device";
    case FileType::character_device:
      return "character device";
    case FileType::unknown:
      break;
  }
  return "unknown";
}

std::string time_text(Timestamp time) {
  std::string nanoseconds = std::to_string(time.nanoseconds);
  nanoseconds.insert(0, 9 - nanoseconds.size(), '0');
  return std::to_string(time.seconds) + "." + nanoseconds;
}

}  // namespace truenas::mover
