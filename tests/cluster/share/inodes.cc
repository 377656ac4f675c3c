#include "tests/cluster/share/inodes.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tests/cluster/share/identity.h"

namespace truenas::share {
namespace {

constexpr std::size_t k_handle_size = 128;  // MAX_HANDLE_SZ of the kernel

struct Handle {
  alignas(file_handle) char bytes[sizeof(file_handle) + k_handle_size] = {};
  file_handle* get() { return reinterpret_cast<file_handle*>(bytes); }
};

bool read_handle(int descriptor, Handle& handle) {
  int mount = 0;
  handle.get()->handle_bytes = k_handle_size;
  return name_to_handle_at(descriptor, "", handle.get(), &mount, AT_EMPTY_PATH) == 0;
}

}  // namespace

Descriptor::~Descriptor() {
  close(number_);
}

ProcPath::ProcPath(int descriptor) {
  std::snprintf(text, sizeof text, "/proc/self/fd/%d", descriptor);
}

Inodes::Inodes(int root, std::size_t kept) : root_(root), kept_(kept) {
  struct stat attributes {};
  fstat(root, &attributes);
  device_ = attributes.st_dev;
  Handle handle;
  handles_ = read_handle(root, handle);
  root_inode_.kept = std::make_shared<const Descriptor>(openat(root, ".", O_PATH | O_CLOEXEC));
}

Inodes::~Inodes() = default;

// Where the file system has no handles, every descriptor is kept, and the number alone tells files apart.
bool Inodes::read_key(int descriptor, const struct stat& attributes, std::string& key) const {
  if (!handles_) {
    key.assign(reinterpret_cast<const char*>(&attributes.st_ino), sizeof attributes.st_ino);
    return true;
  }
  Handle handle;
  if (!read_handle(descriptor, handle)) return false;
  key.assign(handle.bytes, sizeof(file_handle) + handle.get()->handle_bytes);
  return true;
}

int Inodes::reopen(const std::string& key) const {
  Handle handle;
  std::memcpy(handle.bytes, key.data(), key.size());
  const WithCapability searching(CAP_DAC_READ_SEARCH);
  return open_by_handle_at(root_, handle.get(), O_PATH | O_CLOEXEC);
}

// Called with the mutex held.
void Inodes::keep(Inode& inode, Held held) {
  if (&inode == &root_inode_) return;
  if (inode.kept) {
    last_used_.splice(last_used_.begin(), last_used_, inode.place);
    return;
  }
  // One that is in use stays the one: of a removed file there may be no other.
  if (Held used = inode.in_use.lock()) held = std::move(used);
  inode.in_use = held;
  inode.kept = std::move(held);
  last_used_.push_front(&inode);
  inode.place = last_used_.begin();
  while (handles_ && last_used_.size() > kept_) drop(*last_used_.back());
}

// Called with the mutex held.
void Inodes::drop(Inode& inode) {
  if (!inode.kept) return;
  inode.kept.reset();
  last_used_.erase(inode.place);
}

Held Inodes::find(fuse_ino_t node) {
  Inode& inode = at(node);
  const std::lock_guard lock(mutex_);
  Held held = inode.kept ? inode.kept : inode.in_use.lock();
  if (!held) {
    const int descriptor = reopen(inode.key);
    if (descriptor < 0) return nullptr;
    held = std::make_shared<const Descriptor>(descriptor);
  }
  keep(inode, held);
  return held;
}

bool Inodes::enter(int descriptor, fuse_entry_param& entry) {
  Held held = std::make_shared<const Descriptor>(descriptor);
  std::string key;
  if (fstatat(descriptor, "", &entry.attr, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (entry.attr.st_dev != device_) {
    errno = EXDEV;
    return false;
  }
  if (!read_key(descriptor, entry.attr, key)) return false;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Inode>& known = known_[key];
  if (!known) {
    known = std::make_unique<Inode>();
    known->key = std::move(key);
    known->generation = ++generations_;
  }
  ++known->lookups;
  keep(*known, std::move(held));
  entry.ino = reinterpret_cast<fuse_ino_t>(known.get());
  entry.generation = known->generation;
  return true;
}

void Inodes::forget(fuse_ino_t node, std::uint64_t times) {
  if (node == FUSE_ROOT_ID) return;
  Inode& inode = at(node);
  const std::lock_guard lock(mutex_);
  inode.lookups -= times < inode.lookups ? times : inode.lookups;
  if (inode.lookups > 0) return;
  drop(inode);
  known_.erase(known_.find(inode.key));
}

}  // namespace truenas::share
