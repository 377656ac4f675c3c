#pragma once
// Hard links while copying: which name of a group was finished first, and which target inode a group keeps.
// Only names of files with more than one link come here, and a group is forgotten when all its names were
// seen.

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "lib/mover/copy/directory_pair.h"

namespace truenas::mover {

// The name on the target that the others of its group are linked to.
struct LinkLeader {
  std::shared_ptr<DirectoryPair> directory;
  std::string name;
  FileKey key;  // of the target's inode
};

class LinkGroups {
 public:
  enum class Role {
    leader,   // the caller brings the content, then calls lead or abandon
    member,   // `leader` is finished: link to it
    waiting,  // somebody is at it: the item was taken and comes back from lead or abandon
  };
  struct Arrival {
    Role role = Role::leader;
    std::optional<LinkLeader> leader;
  };

  // One name of item.source's group. The item is only moved from for Role::waiting.
  Arrival arrive(FileItem& item);
  // Whether the inode `target` (which has several names) may stay this group's: false when another group has
  // it.
  bool claim(FileKey target, FileKey group);
  // The leader is finished; those that waited for it.
  std::vector<FileItem> lead(FileKey group, LinkLeader leader);
  // The leader failed: the next to arrive leads. Those that waited for it.
  std::vector<FileItem> abandon(FileKey group);

  // A name of this inode of the target, which may have others, is about to be taken away. That makes its
  // ctime the present, and a change of its source that only the ctimes would tell could no longer be seen for
  // the names that stay.
  void remember(const Attributes& target);
  // The ctime of an inode of the target before this run took any of its names away.
  Timestamp ctime_of(const Attributes& target) const;

 private:
  struct Group {
    std::uint32_t seen = 0;
    std::optional<LinkLeader> leader;  // nothing: under way
    std::vector<FileItem> waiting;
  };
  mutable std::mutex mutex_;
  std::map<FileKey, Group> groups_;
  std::map<FileKey, FileKey> claims_;  // inode on the target -> group
  std::map<FileKey, Timestamp> ctimes_;
};

}  // namespace truenas::mover
