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

// What was done to the target that explains the difference; nothing: nobody did it. A difference in bytes, or
// a name that is missing, needs a new mtime too (of the file, or of the directory that it was in), unless
// that mtime is of whole seconds: programs that unpack archives set such ones again.
std::optional<Deed> deed_behind(const Difference& difference, const ComparedSides& sides, const Since& since);

}  // namespace truenas::mover
