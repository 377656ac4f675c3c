// Extended attributes: NFS 4.2 carries those of the user's namespace and no others (RFC 8276).

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cluster/share/share.h"

namespace truenas::share {
namespace {

constexpr std::string_view k_carried = "user.";

bool refuse_others(fuse_req_t request, std::string_view name) {
  if (name.starts_with(k_carried)) return false;
  fuse_reply_err(request, EOPNOTSUPP);
  return true;
}

void set(fuse_req_t request, fuse_ino_t node, const char* name, const char* value, std::size_t size,
         int flags) {
  if (refuse_others(request, name)) return;
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  reply_result(request, setxattr(ProcPath(object->number()), name, value, size, flags));
}

void reply_bytes(fuse_req_t request, std::string_view bytes, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request, bytes.size());
  } else if (bytes.size() > size) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, bytes.data(), bytes.size());
  }
}

void get(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t size) {
  // The kernel asks for security.capability before each write: answered without looking.
  if (refuse_others(request, name)) return;
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  std::vector<char> value(65536);
  const ssize_t found = getxattr(ProcPath(object->number()), name, value.data(), value.size());
  if (found < 0) return reply_errno(request);
  reply_bytes(request, {value.data(), static_cast<std::size_t>(found)}, size);
}

bool may_read(int object) {
  return syscall(SYS_faccessat2, object, "", R_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
}

void list(fuse_req_t request, fuse_ino_t node, std::size_t size) {
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  // Unlike the kernel's own listing, a server's asks for the right to read.
  if (!may_read(object->number())) return reply_errno(request);
  std::vector<char> all(65536);
  const ssize_t found = listxattr(ProcPath(object->number()), all.data(), all.size());
  if (found < 0) return reply_errno(request);
  std::string carried;
  for (std::string_view left(all.data(), static_cast<std::size_t>(found)); !left.empty();) {
    const std::string_view name = left.substr(0, left.find('\0'));
    left.remove_prefix(std::min(left.size(), name.size() + 1));
    if (name.starts_with(k_carried)) carried.append(name).push_back('\0');
  }
  reply_bytes(request, carried, size);
}

void remove(fuse_req_t request, fuse_ino_t node, const char* name) {
  if (refuse_others(request, name)) return;
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  reply_result(request, removexattr(ProcPath(object->number()), name));
}

}  // namespace

void set_extended_attribute_operations(fuse_lowlevel_ops& operations) {
  operations.setxattr = set;
  operations.getxattr = get;
  operations.listxattr = list;
  operations.removexattr = remove;
}

}  // namespace truenas::share
