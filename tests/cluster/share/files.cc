// Open files. Whether a file may be opened is decided when it is opened; reading and writing go on afterwards
// whatever becomes of its mode, as a server lets its owner.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tests/cluster/share/share.h"

namespace truenas::share {
namespace {

// O_DIRECT would ask for aligned buffers, O_NOATIME for ownership: neither is in the protocol.
int server_flags(int flags) {
  return (flags & ~(O_DIRECT | O_NOATIME | O_NOFOLLOW | O_CREAT | O_EXCL)) | O_CLOEXEC;
}

void hand_over(fuse_file_info* info, int descriptor, Identity opener, Held node) {
  info->fh = reinterpret_cast<std::uint64_t>(new OpenFile{descriptor, std::move(opener), std::move(node)});
}

void close_file(const fuse_file_info* info) {
  const std::unique_ptr<OpenFile> file(&open_file(info));
  close(file->descriptor);
}

void open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  Identity sender = sender_of(request);
  assume(sender);
  Held object = share_of(request).inodes.find(node);
  if (!object) return reply_errno(request);
  const int descriptor = ::open(ProcPath(object->number()), server_flags(info->flags));
  if (descriptor < 0) return reply_errno(request);
  hand_over(info, descriptor, std::move(sender), std::move(object));
  if (fuse_reply_open(request, info) == -ENOENT) close_file(info);
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  Identity sender = sender_of(request);
  assume(sender);
  Share& share = share_of(request);
  const Held directory = share.inodes.find(parent);
  if (!directory) return reply_errno(request);
  const int flags = server_flags(info->flags) | O_CREAT | O_NOFOLLOW | (info->flags & O_EXCL);
  const int descriptor = openat(directory->number(), name, flags, mode);
  if (descriptor < 0) return reply_errno(request);
  fuse_entry_param entry{};
  const int object = ::open(ProcPath(descriptor), O_PATH | O_CLOEXEC);
  if (object < 0 || !share.inodes.enter(object, entry)) {
    const int error = errno;
    close(descriptor);
    fuse_reply_err(request, error);
    return;
  }
  entry.attr_timeout = k_attributes_last;
  hand_over(info, descriptor, std::move(sender), share.inodes.find(entry.ino));
  if (fuse_reply_create(request, &entry, info) == -ENOENT) {
    close_file(info);
    share.inodes.forget(entry.ino, 1);
  }
}

void read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  thread_local std::vector<char> bytes;
  if (bytes.size() < size) bytes.resize(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(open_file(info).descriptor, bytes.data() + done, size - done,
                              offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return reply_errno(request);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  fuse_reply_buf(request, bytes.data(), done);
}

void write(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info* info) {
  const OpenFile& file = open_file(info);
  // Not root's work: the kernel below takes set-user-ID away where the writer may not keep it.
  assume(file.opener);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t put = pwrite(file.descriptor, bytes + done, size - done, offset + static_cast<off_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && done > 0) break;
    if (put < 0) return reply_errno(request);
    done += static_cast<std::size_t>(put);
  }
  fuse_reply_write(request, done);
}

void synchronize(fuse_req_t request, fuse_ino_t, int only_data, fuse_file_info* info) {
  const int descriptor = open_file(info).descriptor;
  reply_result(request, only_data != 0 ? fdatasync(descriptor) : fsync(descriptor));
}

void release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  close_file(info);
  fuse_reply_err(request, 0);
}

void allocate(fuse_req_t request, fuse_ino_t, int mode, off_t offset, off_t length, fuse_file_info* info) {
  const OpenFile& file = open_file(info);
  assume(file.opener);
  reply_result(request, fallocate(file.descriptor, mode, offset, length));
}

void seek(fuse_req_t request, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  const off_t found = ::lseek(open_file(info).descriptor, offset, whence);
  if (found < 0) return reply_errno(request);
  fuse_reply_lseek(request, found);
}

void copy_range(fuse_req_t request, fuse_ino_t, off_t from, fuse_file_info* source, fuse_ino_t, off_t to,
                fuse_file_info* target, std::size_t size, int) {
  const OpenFile& file = open_file(target);
  assume(file.opener);
  const ssize_t done = copy_file_range(open_file(source).descriptor, &from, file.descriptor, &to, size, 0);
  if (done < 0) return reply_errno(request);
  fuse_reply_write(request, static_cast<std::size_t>(done));
}

}  // namespace

void set_file_operations(fuse_lowlevel_ops& operations) {
  operations.open = open;
  operations.create = create;
  operations.read = read;
  operations.write = write;
  operations.fsync = synchronize;
  operations.release = release;
  operations.fallocate = allocate;
  operations.lseek = seek;
  operations.copy_file_range = copy_range;
}

}  // namespace truenas::share
