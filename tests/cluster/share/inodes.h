#pragma once
// The files that the kernel knows of a share, by node id. Each is found again by its file handle, as an NFS
// server finds it, so that a tree may have more files than the process may have descriptors. It must never go
// by a path.

#include <fuse_lowlevel.h>
#include <sys/stat.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace truenas::share {

// An open descriptor, closed with its last holder.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  const int number_;
};
using Held = std::shared_ptr<const Descriptor>;

// "/proc/self/fd/N": the object itself for calls that take a path, whatever its kind.
struct ProcPath {
  explicit ProcPath(int descriptor);
  operator const char*() const { return text; }
  char text[32];
};

class Inodes {
 public:
  // `root` is a directory's descriptor, opened for reading; `kept` how many descriptors may stay open for
  // files that nobody has open.
  Inodes(int root, std::size_t kept);
  ~Inodes();
  Inodes(const Inodes&) = delete;
  Inodes& operator=(const Inodes&) = delete;

  // The O_PATH descriptor of a node. Null, with errno set (ESTALE: removed on the server), where there is
  // none.
  Held find(fuse_ino_t node);
  // Makes an object known, or known once more, from an O_PATH descriptor, which it takes. Fills node,
  // generation and attributes of `entry`; false, with errno set, otherwise (EXDEV: on another file system, so
  // not of this share).
  bool enter(int descriptor, fuse_entry_param& entry);
  void forget(fuse_ino_t node, std::uint64_t times);
  int root() const { return root_; }

 private:
  struct Inode {
    std::string key;
    std::uint64_t generation = 0, lookups = 0;
    Held kept;                               // while it is among the last used
    std::weak_ptr<const Descriptor> in_use;  // while somebody works with it
    std::list<Inode*>::iterator place;
  };

  Inode& at(fuse_ino_t node) { return node == FUSE_ROOT_ID ? root_inode_ : *reinterpret_cast<Inode*>(node); }
  bool read_key(int descriptor, const struct stat& attributes, std::string& key) const;
  int reopen(const std::string& key) const;
  void keep(Inode& inode, Held held);
  void drop(Inode& inode);

  const int root_;
  const std::size_t kept_;
  dev_t device_ = 0;
  bool handles_ = true;
  std::mutex mutex_;
  std::uint64_t generations_ = 0;
  Inode root_inode_;
  std::unordered_map<std::string, std::unique_ptr<Inode>> known_;
  std::list<Inode*> last_used_;
};

}  // namespace truenas::share
