#pragma once
// One mounted share, and what all its operations have in common: whose work is done, and how it is answered.
// Access is checked by nobody but the kernel below, under the squashed identity, as on an NFS server.

#include <fuse_lowlevel.h>

#include <mutex>
#include <unordered_map>

#include "tests/cluster/share/identity.h"
#include "tests/cluster/share/inodes.h"
#include "tests/cluster/share/locks.h"

namespace truenas::share {

struct Share {
  Share(const Rule& its_rule, int root, std::size_t kept) : rule(its_rule), inodes(root, kept) {}
  const Rule rule;
  Inodes inodes;
  Locks locks;
};

// A file that a client has open: its writes are made as the one who opened it.
struct OpenFile {
  int descriptor = -1;
  Identity opener;
  Held node;
};

// The client may trust attributes for a second, a name not at all: each step of a path is asked for anew, so
// that every sender's right to search is checked.
inline constexpr double k_attributes_last = 1.0;

inline Share& share_of(fuse_req_t request) {
  return *static_cast<Share*>(fuse_req_userdata(request));
}
inline OpenFile& open_file(const fuse_file_info* info) {
  return *reinterpret_cast<OpenFile*>(info->fh);
}

// Whom the request's sender is taken for.
Identity sender_of(fuse_req_t request);
// The calling thread works as the request's sender from now on.
Share& as_sender(fuse_req_t request);

void reply_errno(fuse_req_t request);
// Answers 0 or, where `result` is -1, errno.
void reply_result(fuse_req_t request, long result);
// Takes an O_PATH descriptor (or -1 with errno set) and answers with the object.
void reply_object(fuse_req_t request, int descriptor);
// The same for the object just made under a name.
void reply_made(fuse_req_t request, long result, int directory, const char* name);

void set_name_operations(fuse_lowlevel_ops& operations);
void set_attribute_operations(fuse_lowlevel_ops& operations);
void set_extended_attribute_operations(fuse_lowlevel_ops& operations);
void set_file_operations(fuse_lowlevel_ops& operations);
void set_directory_operations(fuse_lowlevel_ops& operations);
void set_lock_operations(fuse_lowlevel_ops& operations);

}  // namespace truenas::share
