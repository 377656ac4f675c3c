// Operations on names: what a directory's permissions decide.

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

#include "tests/cluster/share/share.h"

namespace truenas::share {
namespace {

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const Held directory = as_sender(request).inodes.find(parent);
  if (!directory) return reply_errno(request);
  reply_object(request, openat(directory->number(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

void forget(fuse_req_t request, fuse_ino_t node, std::uint64_t times) {
  share_of(request).inodes.forget(node, times);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgotten) {
  for (std::size_t i = 0; i < count; ++i)
    share_of(request).inodes.forget(forgotten[i].ino, forgotten[i].nlookup);
  fuse_reply_none(request);
}

void make_node(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  const Held directory = as_sender(request).inodes.find(parent);
  if (!directory) return reply_errno(request);
  reply_made(request, mknodat(directory->number(), name, mode, device), directory->number(), name);
}

void make_directory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  const Held directory = as_sender(request).inodes.find(parent);
  if (!directory) return reply_errno(request);
  reply_made(request, mkdirat(directory->number(), name, mode), directory->number(), name);
}

void make_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  const Held directory = as_sender(request).inodes.find(parent);
  if (!directory) return reply_errno(request);
  reply_made(request, symlinkat(target, directory->number(), name), directory->number(), name);
}

// fs.protected_hardlinks is a rule for a machine's own users: the client applies its own, a server none.
int link_unprotected(int object, int directory, const char* name) {
  const WithCapability owning(CAP_FOWNER);
  return linkat(AT_FDCWD, ProcPath(object), directory, name, AT_SYMLINK_FOLLOW);
}

void link(fuse_req_t request, fuse_ino_t node, fuse_ino_t parent, const char* name) {
  Share& share = as_sender(request);
  const Held object = share.inodes.find(node);
  const Held directory = object ? share.inodes.find(parent) : nullptr;
  if (!directory) return reply_errno(request);
  reply_made(request, link_unprotected(object->number(), directory->number(), name), directory->number(),
             name);
}

void remove(fuse_req_t request, fuse_ino_t parent, const char* name, int flags) {
  const Held directory = as_sender(request).inodes.find(parent);
  if (!directory) return reply_errno(request);
  reply_result(request, unlinkat(directory->number(), name, flags));
}

void remove_file(fuse_req_t request, fuse_ino_t parent, const char* name) {
  remove(request, parent, name, 0);
}

void remove_directory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  remove(request, parent, name, AT_REMOVEDIR);
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  // The protocol's RENAME has no flags.
  if (flags != 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  Share& share = as_sender(request);
  const Held from = share.inodes.find(parent);
  const Held to = from ? share.inodes.find(new_parent) : nullptr;
  if (!to) return reply_errno(request);
  reply_result(request, renameat(from->number(), name, to->number(), new_name));
}

void read_link(fuse_req_t request, fuse_ino_t node) {
  const Held object = as_sender(request).inodes.find(node);
  if (!object) return reply_errno(request);
  char target[PATH_MAX + 1];
  const ssize_t size = readlinkat(object->number(), "", target, sizeof target - 1);
  if (size < 0) return reply_errno(request);
  target[size] = '\0';
  fuse_reply_readlink(request, target);
}

}  // namespace

void set_name_operations(fuse_lowlevel_ops& operations) {
  operations.lookup = lookup;
  operations.forget = forget;
  operations.forget_multi = forget_multi;
  operations.mknod = make_node;
  operations.mkdir = make_directory;
  operations.symlink = make_symlink;
  operations.link = link;
  operations.unlink = remove_file;
  operations.rmdir = remove_directory;
  operations.rename = rename;
  operations.readlink = read_link;
}

}  // namespace truenas::share
