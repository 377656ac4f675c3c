#include "lib/mover/compare/since.h"

namespace truenas::mover {
namespace {

// A write leaves a new mtime; a directory's is left by what comes and goes in it.
bool was_written(const Attributes& source, const Attributes& target, const Since& since) {
  if (target.ctime <= since.target) return false;
  return target.mtime != source.mtime || target.mtime.nanoseconds == 0;
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
    return deed_if(was_written(sides.source_directory, sides.target_directory, since), Deed::removed);
  }
  // Nothing of the source's is lost by it.
  if (difference.kind == "extraneous") return Deed::added;
  if (difference.kind == "changed-while-compared") return deed_if(difference.on_target, Deed::changed);
  if (sides.source == nullptr || sides.target == nullptr) return std::nullopt;
  if (difference.kind == "content" || difference.kind == "size") {
    return deed_if(was_written(*sides.source, *sides.target, since), Deed::changed);
  }
  if (difference.kind == "unreadable") return std::nullopt;
  return deed_if(sides.target->ctime > since.target, Deed::changed);
}

}  // namespace truenas::mover
