#pragma once
// Whether a difference between a tree and the copy that was made of it is what somebody has done to the copy
// since both were compared and were equal, or what nobody did: loss, damage, or a write to the tree that was
// left. The inode's own time of change (ctime) tells, which no program can set. Pure.

#include <optional>

#include "lib/mover/compare/difference.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// The newest ctime of each side when both were equal, by that side's own clock.
struct Since {
  Timestamp source, target;
};

// One name on both sides, and the directory that it lies in.
struct ComparedSides {
  const Attributes* source = nullptr;  // null: it is not there
  const Attributes* target = nullptr;
  Attributes source_directory, target_directory;
};

enum class Deed { changed, removed, added };
// "changed", "removed", "added".
const char* deed_name(Deed deed);

// What was done to the target that explains the difference; nothing: nobody did it. A difference in bytes
// needs another mtime too. A name that is missing, or of another type, needs a directory that was written
// since by the server's own clock. What vanished while it was compared needs what Difference::seen tells.
// Where it errs it errs towards "nobody did it": the bytes of the source are given up on its word.
std::optional<Deed> deed_behind(const Difference& difference, const ComparedSides& sides, const Since& since);

}  // namespace truenas::mover
