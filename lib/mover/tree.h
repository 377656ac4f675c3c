#pragma once
// Root: the top directory of one side, and proof that it is the volume that is meant. An empty mount point,
// the wrong share or the other side itself must be found out here, before anything is read or removed. It
// must not change anything.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/mover/descriptor.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// One line of /proc/self/mountinfo (proc(5)), with its octal escapes resolved.
struct Mount {
  std::uint64_t id = 0;
  std::uint64_t device = 0;  // major << 32 | minor, as Attributes::device
  std::string root;          // the directory of the file system that is mounted; NFS always says "/"
  std::string point;
  std::string type;     // "nfs4", "ext4"
  std::string source;   // "nas:/mnt/SAS/pvc-1", "/dev/vda"
  std::string options;  // of the mount and of the file system, joined by ","
};

// The mounts in a text of that form; lines that are not of it are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);
// The mount that `path` (absolute, without symbolic links) lies on: of the longest mount point the last
// mounted. nullptr if there is none.
const Mount* find_mount(const std::vector<Mount>& mounts, std::string_view path);

// What a root must be, before it is trusted. Empty: not asked.
struct MountExpectation {
  bool mount_point = false;  // something must be mounted exactly there
  std::string type;          // "nfs" stands for nfs and nfs4
  std::string source;        // exactly as in mountinfo, e.g. "nas:/mnt/SAS/pvc-1"
};

class Root {
 public:
  // Opens `path` (symbolic links followed: the user named it). Kind::not_found, Kind::config when it is no
  // directory, Kind::refused when it is not what `expectation` says, with what it is instead.
  static Result<Root> open(const std::string& path, const MountExpectation& expectation);

  const std::string& path() const { return path_; }            // as given
  const std::string& real_path() const { return real_path_; }  // absolute, links resolved
  int descriptor() const { return descriptor_.get(); }
  const Attributes& attributes() const { return attributes_; }
  const Mount& mount() const { return mount_; }
  std::uint64_t filesystem_type() const { return filesystem_type_; }  // statfs(2) f_type
  std::uint64_t filesystem_id() const { return filesystem_id_; }      // statfs(2) f_fsid; 0 on NFS
  bool is_nfs() const;

 private:
  std::string path_;
  std::string real_path_;
  Descriptor descriptor_;
  Attributes attributes_;
  Mount mount_;
  std::uint64_t filesystem_type_ = 0;
  std::uint64_t filesystem_id_ = 0;
};

// Kind::refused when both are one directory or one holds the other, also through bind mounts and through two
// mounts of one share (which is looked up by device and directory in it, not by name). What this cannot see
// (one server under two names) the walk sees: no directory of one side may have the other root's identity.
Result<void> check_apart(const Root& source, const Root& target);

}  // namespace truenas::mover
