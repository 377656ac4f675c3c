#include <fcntl.h>

#include <cerrno>

#include "tests/cluster/share/share.h"

namespace truenas::share {

Identity sender_of(fuse_req_t request) {
  const Share& share = share_of(request);
  const fuse_ctx* sender = fuse_req_ctx(request);
  Identity identity{sender->uid, sender->gid, {}};
  if (share.rule.squash != Rule::Squash::all) identity.groups = groups_of(sender->pid);
  return squash(share.rule, std::move(identity));
}

Share& as_sender(fuse_req_t request) {
  assume(sender_of(request));
  return share_of(request);
}

void reply_errno(fuse_req_t request) {
  fuse_reply_err(request, errno);
}

void reply_result(fuse_req_t request, long result) {
  fuse_reply_err(request, result == -1 ? errno : 0);
}

void reply_object(fuse_req_t request, int descriptor) {
  Share& share = share_of(request);
  fuse_entry_param entry{};
  if (descriptor < 0 || !share.inodes.enter(descriptor, entry)) {
    reply_errno(request);
    return;
  }
  entry.attr_timeout = k_attributes_last;
  // -ENOENT: the sender was interrupted and never learned of the object.
  if (fuse_reply_entry(request, &entry) == -ENOENT) share.inodes.forget(entry.ino, 1);
}

void reply_made(fuse_req_t request, long result, int directory, const char* name) {
  reply_object(request, result == -1 ? -1 : openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace truenas::share
