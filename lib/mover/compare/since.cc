#include "lib/mover/compare/since.h"

namespace truenas::mover {
namespace {

// A write leaves a new mtime, or whoever writes sets another one. Who sets the very same again, as programs
// that unpack archives do, cannot be told from damage.
bool was_written(const Attributes& source, const Attributes& target, const Since& since) {
  return target.ctime > since.target && target.mtime != source.mtime;
}

// What comes and goes in a directory leaves the server's own time there as its mtime. One that only differs
// may have been set, and one that is the source's is the copy's.
bool names_went(const ComparedSides& sides, const Since& since) {
  return was_written(sides.source_directory, sides.target_directory, since) &&
         sides.target_directory.mtime > since.target;
}

std::optional<Deed> deed_if(bool done, Deed deed) {
  if (!done) return std::nullopt;
  return deed;
}

}  // namespace

const char* deed_name(Deed deed) {
  switch (deed) {
    case Deed::removed:
      return "removed";
    case Deed::added:
      return "added";
    case Deed::changed:
      break;
  }
  return "changed";
}

std::optional<Deed> deed_behind(const Difference& difference, const ComparedSides& sides,
                                const Since& since) {
  // What was written to the tree that was left is there only.
  if (sides.source != nullptr && sides.source->ctime > since.source) return std::nullopt;
  if (difference.kind == "missing") {
    return deed_if(sides.source != nullptr && names_went(sides, since), Deed::removed);
  }
  // Nothing of the source's is lost by it.
  if (difference.kind == "extraneous") return Deed::added;
  if (difference.kind == "changed-while-compared") {
    return deed_if(difference.on_target && difference.seen > since.target, Deed::changed);
  }
  if (sides.source == nullptr || sides.target == nullptr) return std::nullopt;
  if (difference.kind == "content" || difference.kind == "size") {
    return deed_if(was_written(*sides.source, *sides.target, since), Deed::changed);
  }
  if (difference.kind == "unreadable") return std::nullopt;
  if (difference.kind == "type" && !names_went(sides, since)) return std::nullopt;
  return deed_if(sides.target->ctime > since.target, Deed::changed);
}

}  // namespace truenas::mover
