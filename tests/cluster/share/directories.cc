// Listing directories. No attributes come with the names: a client asks for each as its own sender.

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tests/cluster/share/share.h"

namespace truenas::share {
namespace {

struct Listing {
  DIR* stream = nullptr;
  off_t at = 0;  // the entry that comes next
};

Listing& listing(const fuse_file_info* info) {
  return *reinterpret_cast<Listing*>(info->fh);
}

void close_listing(const fuse_file_info* info) {
  const std::unique_ptr<Listing> closed(&listing(info));
  closedir(closed->stream);
}

void open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  const int descriptor = ::open(ProcPath(object->number()), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return reply_errno(request);
  DIR* stream = fdopendir(descriptor);
  if (stream == nullptr) {
    const int error = errno;
    close(descriptor);
    fuse_reply_err(request, error);
    return;
  }
  info->fh = reinterpret_cast<std::uint64_t>(new Listing{stream, 0});
  if (fuse_reply_open(request, info) == -ENOENT) close_listing(info);
}

// Fills `page` from where the listing stands; what does not fit is read again next time.
bool fill(fuse_req_t request, Listing& open, std::vector<char>& page, std::size_t& used) {
  while (true) {
    errno = 0;
    const dirent* entry = readdir(open.stream);
    if (entry == nullptr) return errno == 0 || used > 0;
    struct stat kind {};
    kind.st_ino = entry->d_ino;
    kind.st_mode = static_cast<mode_t>(entry->d_type) << 12;
    const std::size_t size = fuse_add_direntry(request, page.data() + used, page.size() - used, entry->d_name,
                                               &kind, entry->d_off);
    if (size > page.size() - used) {
      seekdir(open.stream, open.at);
      return true;
    }
    used += size;
    open.at = entry->d_off;
  }
}

void read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  Listing& open = listing(info);
  if (offset != open.at || offset == 0) {
    if (offset == 0) {
      rewinddir(open.stream);
    } else {
      seekdir(open.stream, offset);
    }
    open.at = offset;
  }
  std::vector<char> page(size);
  std::size_t used = 0;
  if (!fill(request, open, page, used)) return reply_errno(request);
  fuse_reply_buf(request, page.data(), used);
}

void release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  close_listing(info);
  fuse_reply_err(request, 0);
}

void synchronize(fuse_req_t request, fuse_ino_t, int, fuse_file_info* info) {
  reply_result(request, fsync(dirfd(listing(info).stream)));
}

}  // namespace

void set_directory_operations(fuse_lowlevel_ops& operations) {
  operations.opendir = open;
  operations.readdir = read;
  operations.releasedir = release;
  operations.fsyncdir = synchronize;
}

}  // namespace truenas::share
